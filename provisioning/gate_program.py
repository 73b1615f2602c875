"""The gate as one file that a host's own Python runs."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
PARTS = (
    "__init__.py errors.py git.py host.py gate/*.py "
    "compose/__init__.py compose/containers.py compose/look.py compose/look.sh compose/model.py "
    "portainer/__init__.py portainer/env_values.py steps/__init__.py steps/step.py steps/facts.py"
).split()
"""What it consists of; all of it gets by with Python's own library."""
_MAIN = "import sys\n\nfrom provisioning.gate.__main__ import main\n\nsys.exit(main(sys.argv[1:]))\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@cache
def program() -> bytes:
    """A zip file, the same on every machine: nothing in it is compressed, or has a date."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _EPOCH), _MAIN)
        for file in sorted({file for part in PARTS for file in HERE.glob(part)}):
            name = f"provisioning/{file.relative_to(HERE).as_posix()}"
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), file.read_bytes())
    return made.getvalue()

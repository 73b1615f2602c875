"""The contract's JSON Schema: `python -m contract.schema` writes the present one, `release` keeps it for good."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from contract.outputs import VERSION, schema

FOLDER = Path(__file__).resolve().parent
RELEASED = FOLDER / "released"
"""Every version that others may read, as it was when it was released: never changed afterwards."""
PRESENT = FOLDER.parent / "docs" / "schema" / "outputs.schema.json"


def text() -> str:
    """The present schema."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write the present schema; with `release` its version as well, unless it was released already."""
    PRESENT.write_text(text())
    if arguments == ["release"]:
        kept = RELEASED / f"{VERSION}.json"
        if kept.exists() and kept.read_text() != text():
            print(f"{VERSION} is released and differs; raise VERSION in contract/outputs.py", file=sys.stderr)
            return 1
        kept.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

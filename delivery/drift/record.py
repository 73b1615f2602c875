"""Where a run of the drift report leaves its findings for `make stacks`."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from delivery.drift.report import Report


def write_record(folder: Path, report: Report) -> Path:
    """`<folder>/drift/<stack>.json`, readable by its owner only; another reader sees the old one or the new one."""
    place = folder / "drift"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=place, prefix=f".{report.stack}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(report.document(), file, ensure_ascii=False, indent=2)
        return Path(name).replace(place / f"{report.stack}.json")
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

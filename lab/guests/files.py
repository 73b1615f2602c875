"""Files inside a running guest, written from this machine through its root: the seed, and words with its init."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

SEED_FOLDER = "/var/lib/cloud/seed/nocloud"
PLUGGED = "/run/hypervisor/plugged"
AGENT = "/run/hypervisor/agent"


def inside(pid: int, path: str) -> Path:
    """A path of the guest whose init has this process id, as this machine sees it."""
    return Path(f"/proc/{pid}/root") / path.lstrip("/")


def place_seed(pid: int, seed: Mapping[str, bytes] | None) -> None:
    """Make cloud-init's NoCloud folder hold exactly these files; None leaves no folder, as without such a volume."""
    folder = inside(pid, SEED_FOLDER)
    shutil.rmtree(folder, ignore_errors=True)
    if seed is None:
        return
    folder.mkdir(parents=True)
    for name, content in seed.items():
        file = folder / Path(name).name
        file.touch(0o600)
        file.write_bytes(content)


def let_boot(pid: int) -> None:
    """Tell the guest's init that all devices are plugged in."""
    signal = inside(pid, PLUGGED)
    signal.parent.mkdir(parents=True, exist_ok=True)
    signal.touch()


def agent_is_up(pid: int) -> bool:
    """Whether an agent in the guest would answer by now."""
    return inside(pid, AGENT).exists()

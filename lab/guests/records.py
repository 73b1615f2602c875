"""What is remembered of each guest across restarts: its last configuration, and whether it is meant to be on."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lab.hypervisor import Disk, Machine, Nic


@dataclass(frozen=True)
class Record:
    """A guest as it was last started or changed; the seed is not kept, the guest has it."""

    machine: Machine
    powered: bool
    """Whether it is meant to run: a guest that is off and powered is started again with the lab."""


class Records:
    """One file per guest in the lab's folder, replaced whole."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made with the first record."""
        self._folder = folder

    def get(self, vmid: int) -> Record | None:
        """What is known of a guest; None when it was never started."""
        file = self._file(vmid)
        return _revived(json.loads(file.read_text())) if file.exists() else None

    def all(self) -> Iterator[Record]:
        """Every guest that was ever started and not deleted."""
        vmids = sorted(int(file.stem) for file in self._folder.glob("*.json") if file.stem.isdigit())
        return (record for vmid in vmids if (record := self.get(vmid)))

    def put(self, machine: Machine, *, powered: bool) -> None:
        """Remember this configuration."""
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(Record(replace(machine, seed=None), powered)), indent=1, default=str)
        beside = self._file(machine.vmid).with_suffix(".new")
        with beside.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file(machine.vmid))

    def switched_off(self, vmid: int) -> None:
        """Remember that a guest is off because somebody wanted that."""
        if record := self.get(vmid):
            self.put(record.machine, powered=False)

    @contextmanager
    def exclusively(self, vmid: int) -> Iterator[None]:
        """Let one thread of one process at a time change a guest. Not to be nested."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._file(vmid).with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def forget(self, vmid: int) -> None:
        """Nothing is known of it any more."""
        self._file(vmid).unlink(missing_ok=True)

    def _file(self, vmid: int) -> Path:
        return self._folder / f"{vmid}.json"


def _revived(data: dict[str, Any]) -> Record:
    known = data["machine"]
    nics = tuple(Nic(**nic) for nic in known.pop("nics"))
    disks = tuple(Disk(slot=disk["slot"], file=Path(disk["file"])) for disk in known.pop("disks"))
    return Record(Machine(**known, nics=nics, disks=disks), data["powered"])

"""What the simulated cluster remembers: VMs, volumes, tasks and the objects around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Value = str | int
Record = dict[str, Any]


@dataclass
class Vm:
    """A VM as its configuration file has it, and whether it is meant to be on."""

    vmid: int
    node: str
    config: dict[str, Value] = field(default_factory=dict)
    """What holds now: for a running VM, what it was started with."""
    pending: dict[str, Value | None] = field(default_factory=dict)
    """Changes that wait for the next power cycle; None deletes the option."""
    image: str | None = None
    """Image of its guest; None for a VM that was not cloned from a template and only holds disks."""
    on: bool = False
    started_at: float = 0.0

    def wanted(self) -> dict[str, Value]:
        """The configuration with pending changes applied, as `GET config` shows it."""
        merged = self.config | {key: value for key, value in self.pending.items() if value is not None}
        return {key: value for key, value in merged.items() if self.pending.get(key, "") is not None}

    @property
    def is_template(self) -> bool:
        """Whether it can be cloned but never started."""
        return bool(self.config.get("template"))


@dataclass
class Volume:
    """A disk image or a file in a storage."""

    volid: str
    node: str
    """Node it is on; empty for a shared storage."""
    content: str
    format: str
    size: int
    ctime: int
    owner: int | None = None
    """VM id in the volume's name: only that VM's destruction removes it."""
    guest_root: bool = False
    """The guest's own root disk: has no backing file here."""

    @property
    def storage(self) -> str:
        """The part of the volume id before the colon."""
        return self.volid.partition(":")[0]

    @property
    def name(self) -> str:
        """The part of the volume id after the colon."""
        return self.volid.partition(":")[2]


@dataclass
class Task:
    """A worker started by a call."""

    upid: str
    node: str
    type: str
    id: str
    user: str
    pid: int
    pstart: int
    starttime: int
    endtime: int | None = None
    exitstatus: str | None = None
    log: list[str] = field(default_factory=list)


@dataclass
class State:
    """All of it; one JSON file on disk."""

    vms: dict[int, Vm] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    """By `node/volid`."""
    tasks: dict[str, Task] = field(default_factory=dict)
    """By UPID, oldest first."""
    sequence: int = 0
    """Number of the last task."""
    pools: dict[str, Record] = field(default_factory=dict)
    objects: dict[str, dict[str, Record]] = field(default_factory=dict)
    """HA resources, rules and groups by collection and key."""
    firewall_rules: dict[str, list[Record]] = field(default_factory=dict)
    firewall_options: dict[str, Record] = field(default_factory=dict)
    interfaces: dict[str, dict[str, Record]] = field(default_factory=dict)
    """Network interfaces made through the API, by node and name; in force."""
    interface_changes: dict[str, dict[str, Record | None]] = field(default_factory=dict)
    """Changes of the same that wait for `PUT /nodes/N/network`; None deletes."""

"""What a Proxmox site has: many questions at once, each with its answer or with the reason why there is none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from provisioning.at_once import at_once
from provisioning.claim import owner_of
from provisioning.proxmox import Proxmox, ProxmoxError, ProxmoxUnreachable, segment

GIB = 1 << 30
ROOT_DISK = "scsi0"
_UNITS = {"": 1 / GIB, "K": 1 / (1 << 20), "M": 1 / 1024, "G": 1.0, "T": 1024.0}


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node; figures are None for a token without Sys.Audit on it."""

    name: str
    status: str
    cores: int | None
    memory_bytes: int | None
    memory_free_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A storage as one node has it."""

    name: str
    contents: frozenset[str]
    active: bool
    free_bytes: int
    shared: bool


@dataclass(frozen=True, kw_only=True)
class Vm:
    """A VM or template anywhere in the cluster."""

    vm_id: int
    name: str
    node: str
    is_template: bool


@dataclass(frozen=True, kw_only=True)
class TemplateParts:
    """What a clone takes over: size and storage of the root disk (None: there is none), the bridges."""

    disk_gib: float | None
    storage: str | None
    bridges: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A GET."""

    path: str
    query: tuple[tuple[str, str | int], ...] = ()


NODES = Question("/nodes")
VMS = Question("/cluster/resources", (("type", "vm"),))


def storages_on(node: str) -> Question:
    """The storages of a node."""
    return Question(f"/nodes/{segment(node)}/storage")


def devices_of(node: str) -> Question:
    """The bridges of a node."""
    return Question(f"/nodes/{segment(node)}/network", (("type", "any_bridge"),))


def held_on(path: str) -> Question:
    """The privileges of our token on a path."""
    return Question("/access/permissions", (("path", path),))


def config_of(node: str, vm_id: int) -> Question:
    """A VM's configuration."""
    return Question(f"/nodes/{segment(node)}/qemu/{vm_id}/config")


def is_free(vm_id: int) -> Question:
    """Whether an id is free, also of VMs that our token may not see."""
    return Question("/cluster/nextid", (("vmid", vm_id),))


class Inventory:
    """Answers, asked once. What could not be answered raises its reason where it is used."""

    def __init__(self, api: Proxmox, deadline_s: float) -> None:
        """`deadline_s` is for all questions of one `ask`."""
        self._api, self._deadline_s = api, deadline_s
        self._answers: dict[Question, Any] = {}
        self._vms: Mapping[int, Vm] | None = None

    def ask(self, questions: Iterable[Question]) -> None:
        """Ask those that have not been asked, all at once."""
        new = [question for question in dict.fromkeys(questions) if question not in self._answers]
        jobs = [partial(self._api.get, question.path, **dict(question.query)) for question in new]
        self._answers.update(zip(new, at_once(jobs, self._deadline_s), strict=True))

    def answer(self, question: Question) -> Any:
        """What came. Raises ProvisioningError with the reason when nothing did."""
        found = self._answers[question]
        if isinstance(found, TimeoutError):
            raise ProxmoxUnreachable(f"GET {question.path}: {found}")
        if isinstance(found, Exception):
            raise found
        return found

    def nodes(self) -> Mapping[str, Node]:
        """All nodes by name."""
        return {str(found["node"]): _node(found) for found in self.answer(NODES)}

    def vms(self) -> Mapping[int, Vm]:
        """The VMs that the token may see, by id."""
        if self._vms is None:
            self._vms = {int(found["vmid"]): _vm(found) for found in self.answer(VMS)}
        return self._vms

    def storages(self, node: str) -> Mapping[str, Storage]:
        """The storages of a node that the token may see, by name."""
        return {str(found["storage"]): _storage(found) for found in self.answer(storages_on(node))}

    def bridges(self, node: str) -> Collection[str]:
        """The bridges of a node that the token may see."""
        return {str(found["iface"]) for found in self.answer(devices_of(node))}

    def held(self, path: str) -> Collection[str]:
        """Privileges of the token on a path."""
        return set((self.answer(held_on(path)) or {}).get(path) or ())

    def owner(self, vm: Vm) -> str | None:
        """Who marked it as theirs; None for nobody that we know."""
        return owner_of(self.answer(config_of(vm.node, vm.vm_id)))

    def template(self, node: str, vm_id: int) -> TemplateParts:
        """What its clones take over."""
        return template_parts(self.answer(config_of(node, vm_id)))

    def is_taken_unseen(self, vm_id: int) -> bool:
        """Whether an id that no visible VM has is taken all the same."""
        try:
            self.answer(is_free(vm_id))
        except ProxmoxError as error:
            if "already exists" in str(error):
                return True
            raise
        return False


def template_parts(config: Mapping[str, Any]) -> TemplateParts:
    """Of a VM's configuration."""
    drive = str(config.get(ROOT_DISK, ""))
    size = re.search(r"\bsize=(\d+(?:\.\d+)?)([KMGT]?)", drive)
    nics = (str(text) for option, text in sorted(config.items()) if re.fullmatch(r"net\d+", option))
    return TemplateParts(
        disk_gib=float(size[1]) * _UNITS[size[2]] if size else None,
        storage=drive.partition(":")[0] or None,
        bridges=tuple(found[1] for nic in nics if (found := re.search(r"\bbridge=([^,]+)", nic))),
    )


def _vm(found: Mapping[str, Any]) -> Vm:
    return Vm(
        vm_id=int(found["vmid"]),
        name=str(found.get("name") or ""),
        node=str(found["node"]),
        is_template=bool(found.get("template")),
    )


def _node(found: Mapping[str, Any]) -> Node:
    total, used = found.get("maxmem"), found.get("mem")
    return Node(
        name=str(found["node"]),
        status=str(found.get("status", "unknown")),
        cores=found.get("maxcpu"),
        memory_bytes=total,
        memory_free_bytes=total - used if total is not None and used is not None else None,
    )


def _storage(found: Mapping[str, Any]) -> Storage:
    return Storage(
        name=str(found["storage"]),
        contents=frozenset(str(found.get("content", "")).split(",")),
        active=bool(found.get("active", 1)) and bool(found.get("enabled", 1)),
        free_bytes=int(found.get("avail") or 0),
        shared=bool(found.get("shared")),
    )

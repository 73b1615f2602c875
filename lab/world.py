"""The lab's Proxmox site as data: what sites/lab.yaml promises, joined with what lab/world.yaml adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import yaml

T = TypeVar("T")
GIB = 1024**3


class WorldError(Exception):
    """A site or world file cannot be used; the text is `file: field: what is expected`."""


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """A bridge that every node has."""

    name: str
    cidr: str
    gateway: str
    dns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Node:
    """One Proxmox node."""

    name: str
    cores: int
    memory_gib: int


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A storage that every node has; a shared one is the same on all of them."""

    name: str
    type: str
    content: tuple[str, ...]
    total_gib: int
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template VM that is present from the start."""

    name: str
    node: str
    vmid: int
    image: str
    """Name of the guest image that its clones start from."""
    disk_gib: float
    config: Mapping[str, str | int]


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A Windows server beside the site's VMs."""

    name: str
    host: int
    """Its number in the network of the site's first bridge: 21 is 10.77.0.21."""
    shares: tuple[str, ...]
    """All show the same files; one with a dollar sign is for administrators."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Privileges of a token on a path, and below it when they propagate."""

    path: str
    privileges: tuple[str, ...]
    propagate: bool = True


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything the simulated Proxmox API is built from."""

    id: str
    host: str
    port: int
    nodes: tuple[Node, ...]
    storages: tuple[Storage, ...]
    bridges: tuple[Bridge, ...]
    templates: tuple[Template, ...] = ()
    companions: tuple[Companion, ...] = ()
    disk_storage: str = "local-lvm"
    """Where the templates' disks are."""
    users: tuple[str, ...] = ("root@pam",)
    tokens: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    task_seconds: Mapping[str, float] = field(default_factory=dict)
    lock_timeout_s: float = 10.0


@dataclass(frozen=True)
class _Section:
    """A mapping of one file that knows where it stands, so that errors can say so."""

    where: str
    values: Mapping[str, object]

    def get(self, name: str, kind: type[T]) -> T:
        value = self.values.get(name)
        if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
            raise WorldError(f"{self.where}{name}: expected {kind.__name__}, found {_shown(value)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; absent means empty."""
        items = self.get(name, list) if name in self.values else []
        return tuple(str(item) for item in items)

    def section(self, name: str) -> _Section:
        return _Section(f"{self.where}{name}/", self.get(name, dict))

    def sections(self) -> Iterator[tuple[str, _Section]]:
        return ((str(name), self.section(name)) for name in self.values)


def _shown(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {value!r}"


def load_world(site_file: Path, checkout: Path) -> World:
    """Read the site file and `lab/world.yaml` of the checkout; WorldError names the file and field that is wrong."""
    site, lab = _read(site_file), _read(checkout / "lab" / "world.yaml")
    proxmox = site.section("proxmox")
    host, port = _endpoint(proxmox)
    return World(
        id=site.get("id", str),
        host=host,
        port=port,
        nodes=tuple(_node(name, lab.section("nodes")) for name in proxmox.texts("nodes")),
        storages=tuple(_storage(name, part) for name, part in lab.section("storages").sections()),
        bridges=tuple(_bridge(name, part) for name, part in proxmox.section("bridges").sections()),
        templates=tuple(_templates(proxmox, lab)),
        companions=tuple(_companions(lab)),
        disk_storage=_disk_storage(proxmox, lab),
        users=lab.texts("users"),
        tokens=dict(_tokens(lab)),
        task_seconds={name: float(str(value)) for name, value in lab.get("task_seconds", dict).items()},
        lock_timeout_s=float(lab.get("lock_timeout_s", int)),
    )


def _read(path: Path) -> _Section:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise WorldError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise WorldError(f"{path}: expected a mapping, found {_shown(content)}")
    return _Section(f"{path}: ", content)


def _endpoint(proxmox: _Section) -> tuple[str, int]:
    url = urlsplit(proxmox.get("endpoint", str))
    if url.scheme != "https" or not url.hostname:
        raise WorldError(f"{proxmox.where}endpoint: expected https://HOST:PORT, found {proxmox.values['endpoint']!r}")
    return url.hostname, url.port or 8006


def _node(name: str, nodes: _Section) -> Node:
    part = nodes.section(name)
    return Node(name=name, cores=part.get("cores", int), memory_gib=part.get("memory_gib", int))


def _storage(name: str, part: _Section) -> Storage:
    return Storage(
        name=name,
        type=part.get("type", str),
        content=part.texts("content"),
        total_gib=part.get("total_gib", int),
        shared=part.get("shared", bool),
    )


def _bridge(name: str, part: _Section) -> Bridge:
    return Bridge(name=name, cidr=part.get("cidr", str), gateway=part.get("gateway", str), dns=part.texts("dns"))


def _disk_storage(proxmox: _Section, lab: _Section) -> str:
    chosen = proxmox.section("storages")
    for purpose in chosen.values:
        lab.section("storages").section(chosen.get(purpose, str))
    return chosen.get("disks", str)


def _templates(proxmox: _Section, lab: _Section) -> Iterator[Template]:
    for name, by_node in proxmox.section("templates").sections():
        part = lab.section("templates").section(name)
        for node in by_node.values:
            _node(node, lab.section("nodes"))
            yield Template(
                name=name,
                node=node,
                vmid=by_node.get(node, int),
                image=part.get("image", str),
                disk_gib=part.get("disk_gib", int),
                config=part.get("config", dict),
            )


def _companions(lab: _Section) -> Iterator[Companion]:
    for name, part in lab.section("companions").sections():
        yield Companion(name=name, host=part.get("host", int), shares=part.texts("shares"))


def _tokens(lab: _Section) -> Iterator[tuple[str, tuple[Grant, ...]]]:
    tokens = lab.section("tokens")
    for token in tokens.values:
        grants = [_Section(f"{tokens.where}{token}/{at}/", item) for at, item in enumerate(tokens.get(token, list))]
        yield token, tuple(_grant(part) for part in grants)


def _grant(part: _Section) -> Grant:
    return Grant(
        path=part.get("path", str),
        privileges=part.texts("privileges"),
        propagate=part.get("propagate", bool) if "propagate" in part.values else True,
    )

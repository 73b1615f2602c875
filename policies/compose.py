"""Compose files inside of resources, in one form: however it was written, a rule sees the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from policies.resource import Resource, items, pairs
from provisioning.compose.model import Model
from provisioning.compose.text import load_compose

PUBLICATION = "hypercompose:git:Publication"
TYPES = (PUBLICATION, "hypercompose:portainer:Stack")
"""Resources that carry compose files: `files`, and `inline`."""
DECISIVE = frozenset("image privileged network_mode pid ipc uts userns_mode cgroup cap_add security_opt".split())
"""Keys of a service in which a variable of a published file stays: its value comes later, and from elsewhere."""
_PORT = re.compile(r"(?:(?P<ip>\[[^]]*\]|[^:\[\]]*):)?(?P<published>[^:]*):(?P<target>[^:/]+)(?:/(?P<protocol>\w+))?")
PARTS = ("networks", "volumes", "secrets", "configs")
_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|(?P<plain>\w+)|\{(?P<name>\w+)(?::?(?P<how>[-?+])(?P<rest>[^{}]*))?\})")


@dataclass(frozen=True)
class Service:
    """A service where it was found: `compose.yaml: services.web`."""

    where: str
    content: Mapping[str, Any]

    def flag(self, key: str) -> bool:
        """Whether something is on, or up to a variable that nobody has given here."""
        found = self.content.get(key)
        return str(found).lower() not in ("none", "false", "")

    @property
    def limits(self) -> Mapping[str, Any]:
        """`mem_limit` and `pids_limit`, in whichever of compose's two ways they are given."""
        deploy = self.content.get("deploy")
        resources = dict(pairs(deploy)).get("resources")
        other = dict(pairs(dict(pairs(resources)).get("limits")))
        own = {"mem_limit": other.get("memory"), "pids_limit": other.get("pids")}
        return {key: self.content.get(key) or value for key, value in own.items()}


@dataclass(frozen=True)
class File:
    """A compose file, in long form and with its variables replaced by what is known of them."""

    name: str
    model: Model

    @property
    def services(self) -> Iterator[Service]:
        """Its services, those scaled to nothing included."""
        for name, content in pairs(self.model.content.get("services")):
            yield Service(f"{self.name}: services.{name}", content if isinstance(content, Mapping) else {})


def files(resource: Resource) -> Iterator[File]:
    """The compose files of a resource. Texts that are none, and those not known yet, are left out."""
    env = tuple((name, value) for name, value in pairs(resource.get("env")) if _may_be_shown(resource, name, value))
    inline = resource.get("inline")
    texts = {"inline": inline} if isinstance(inline, str) else {}
    texts |= {name: text for name, text in pairs(resource.get("files")) if name.endswith((".yaml", ".yml"))}
    for name, text in texts.items():
        content = _content(text, env, resource.type == PUBLICATION) if isinstance(text, str) else None
        if content is not None:
            yield File(name, Model(content))


def services(resource: Resource) -> Iterator[Service]:
    """The services of all its files."""
    for file in files(resource):
        yield from file.services


def _may_be_shown(resource: Resource, name: str, value: Any) -> bool:
    return isinstance(value, str) and not resource.is_marked(f"env.{name}")


@lru_cache(maxsize=64)
def _content(text: str, env: tuple[tuple[str, str], ...], is_undecided: bool) -> Mapping[str, Any] | None:
    try:
        content = load_compose(text)
    except yaml.YAMLError:
        return None  # refused by the provider, which says why
    if not isinstance(content, dict) or not isinstance(content.get("services"), dict):
        return None
    known = _replaced(content, dict(env))
    services = {
        name: {**_long(known["services"][name]), **(_decisive(written) if is_undecided else {})}
        for name, written in content["services"].items()
    }
    return {**known, **{part: _parts(known.get(part)) for part in PARTS}, "services": services}


def _decisive(service: Any) -> Mapping[str, Any]:
    return {key: value for key, value in pairs(service) if key in DECISIVE}


def _parts(value: Any) -> Mapping[str, Any]:
    """Networks, volumes and their like by name, each a mapping of which `driver_opts` is one as well."""
    found = {name: part if isinstance(part, Mapping) else {} for name, part in pairs(value)}
    return {name: {**part, "driver_opts": dict(pairs(part.get("driver_opts")))} for name, part in found.items()}


def _replaced(value: Any, env: Mapping[str, str]) -> Any:
    """As compose interpolates it; a variable without a value here stays as it is written, so that rules can see it."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, env), value)
    if isinstance(value, dict):
        return {key: _replaced(inner, env) for key, inner in value.items()}
    return [_replaced(inner, env) for inner in value] if isinstance(value, list) else value


def _value(found: re.Match[str], env: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    name = found["plain"] or found["name"]
    if found["how"] == "+":
        return found["rest"] if env.get(name) else ""
    if env.get(name):
        return env[name]
    return found["rest"] if found["how"] == "-" else found[0]


def _long(service: Any) -> Any:
    if not isinstance(service, dict):
        service = {}
    return {
        **service,
        "deploy": dict(pairs(service.get("deploy"))),
        "scale": 1,  # what is scaled to nothing today may run tomorrow
        "ports": [_port(entry) for entry in items(service.get("ports"))],
        "volumes": [_volume(entry) for entry in items(service.get("volumes"))],
        "devices": [
            str(entry).partition(":")[0] if isinstance(entry, str) else entry for entry in items(service.get("devices"))
        ],
    }


def _port(entry: Any) -> Mapping[str, Any]:
    if isinstance(entry, dict):
        return {**entry, "published": str(entry.get("published") or "")}
    found = _PORT.fullmatch(str(entry))
    if found is None:
        return {"target": str(entry), "published": ""}
    return {
        "target": found["target"],
        "published": found["published"],
        "host_ip": (found["ip"] or "").strip("[]"),
        "protocol": found["protocol"] or "tcp",
    }


def _volume(entry: Any) -> Mapping[str, Any]:
    if isinstance(entry, dict):
        return {**entry, "source": str(entry.get("source") or "")}
    source, colon, _ = str(entry).partition(":")
    is_path = bool(colon) and source.startswith(("/", ".", "~"))
    return {"type": "bind" if is_path else "volume", "source": source if colon else ""}

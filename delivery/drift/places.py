"""Where a resource belongs: its kind, its component, its host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

STACK = "pulumi:pulumi:Stack"
PROVIDER = "pulumi:providers:"


class Places:
    """By the resources of a state: who is whose child, and which hosts there are."""

    def __init__(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Take the resources of a `pulumi stack export`."""
        self._parents: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        for found in resources:
            self._parents[str(found["urn"])] = str(found.get("parent") or "")
            if found["type"] == STACK:
                self._hosts = dict(_hosts(found.get("outputs") or {}))

    def host(self, urn: str) -> str:
        """The host of the nearest ancestor that is named for one; empty for what belongs to the site."""
        for name in self._names(urn):
            fitting = [host for host in self._hosts if name == host or name.startswith(f"{host}-")]
            if fitting:
                return max(fitting, key=len)
        return ""

    def component(self, urn: str) -> str:
        """Type of the component that it is a part of, without its module; empty for one that stands alone."""
        chain = urn.split("::")[2].split("$")
        return chain[-2].rpartition(":")[2] if len(chain) > 1 else ""

    def kind(self, urn: str) -> str:
        """Its own type, without its module."""
        return self.type(urn).rpartition(":")[2]

    @staticmethod
    def type(urn: str) -> str:
        """Its own type token."""
        return urn.split("::")[2].rpartition("$")[2]

    def is_own(self, urn: str) -> bool:
        """Whether it is a thing in the world: no provider, no stack, no component."""
        token = self.type(urn)
        return token != STACK and not token.startswith(PROVIDER) and token.count(":") > 1

    def _names(self, urn: str) -> Iterator[str]:
        while urn:
            yield urn.rpartition("::")[2]
            urn = self._parents.get(urn, "")


def _hosts(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    hosts = outputs.get("hosts")
    for name, host in hosts.items() if isinstance(hosts, Mapping) else ():
        yield str(name), str(host.get("address", "")) if isinstance(host, Mapping) else ""

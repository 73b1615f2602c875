"""Which handler answers which method and path, and what the caller needs to be allowed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web

from lab.pve.cluster import Cluster
from lab.pve.params import Params
from lab.pve.state import Vm


@dataclass(frozen=True)
class Need:
    """Privileges on a path; names in braces are replaced by the call's own."""

    path: str
    privileges: tuple[str, ...]
    any_of: bool = False


@dataclass
class Call:
    """One authenticated call."""

    cluster: Cluster
    user: str
    """User or token id."""
    names: dict[str, str]
    """Variable parts of the path, unquoted."""
    params: Params
    request: web.Request

    @property
    def node(self) -> str:
        """Node in the path."""
        return self.names["node"]

    @property
    def vmid(self) -> int:
        """VM id in the path."""
        return Params(self.names).number("vmid", minimum=100)

    @property
    def vm(self) -> Vm:
        """The VM in the path."""
        return self.cluster.vm(self.node, self.vmid)

    def require(self, path: str, *privileges: str) -> None:
        """403 unless the caller has all of them."""
        self.cluster.permissions.require(self.user, path, *privileges)

    def may(self, path: str, *privileges: str) -> bool:
        """Whether the caller has all of them."""
        return self.cluster.permissions.holds(self.user, path, *privileges)


Handler = Callable[[Call], Awaitable[object]]


@dataclass(frozen=True)
class Route:
    """A method and path pattern, `/nodes/{node}/qemu`, with its handler."""

    method: str
    pattern: str
    handler: Handler
    need: Need | None
    expression: re.Pattern[str]

    def names(self, method: str, raw_path: str) -> dict[str, str] | None:
        """The path's variables when this route answers. Splits before it unquotes: `%2F` stays inside its segment."""
        match = self.expression.fullmatch(raw_path) if method == self.method else None
        return {name: unquote(part) for name, part in match.groupdict().items()} if match else None


ROUTES: list[Route] = []


def route(method: str, pattern: str, need: Need | None = None) -> Callable[[Handler], Handler]:
    """Register a handler. Without a need any authenticated caller may call; the handler may check further."""

    def register(handler: Handler) -> Handler:
        expression = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(pattern)))
        ROUTES.append(Route(method, pattern, handler, need, expression))
        return handler

    return register


def needs(path: str, *privileges: str) -> Need:
    """All of these privileges."""
    return Need(path, privileges)


def needs_any(path: str, *privileges: str) -> Need:
    """One of these privileges."""
    return Need(path, privileges, any_of=True)


def check(call: Call, need: Need | None) -> None:
    """403 unless the caller may make this call."""
    if need is None:
        return
    path = need.path.format(**call.names)
    if need.any_of:
        call.cluster.permissions.require_any(call.user, path, need.privileges)
    else:
        call.require(path, *need.privileges)


def find(method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    """The route that answers; literal paths win over variables."""
    found = [(r, names) for r in ROUTES if (names := r.names(method, raw_path)) is not None]
    return min(found, key=lambda item: item[0].pattern.count("{")) if found else None

"""Which call answers which method and path, and who may make it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from aiohttp import web

from lab.portainer.instance import ADMINISTRATOR, Instance
from lab.portainer.replies import ApiError
from lab.portainer.store import Missing, Record


class Access(Enum):
    """Who may make a call."""

    PUBLIC = "everybody"
    USER = "whoever is logged in"
    ADMIN = "administrators"


@dataclass(frozen=True)
class Call:
    """One request on its way to its handler."""

    server: Instance
    request: web.Request
    names: dict[str, str]
    """Parts of the path by their name in the route."""
    user: Record
    """Who calls; empty where everybody may."""

    @property
    def is_admin(self) -> bool:
        """Whether an administrator calls."""
        return self.user.get("Role") == ADMINISTRATOR

    def number(self, name: str, what: str) -> int:
        """A number in the path. 400 when it is none."""
        try:
            return int(self.names[name])
        except ValueError as error:
            details = f'strconv.Atoi: parsing "{self.names[name]}": invalid syntax'
            raise ApiError(400, f"Invalid {what} identifier route variable", details) from error

    def find(self, bucket: str, key: int, message: str) -> Record:
        """A record. 404 with that message when there is none."""
        try:
            return self.server.store.read(bucket, key)
        except Missing as error:
            raise ApiError(404, message, str(error)) from error


Handler = Callable[[Call], Awaitable[object]]


@dataclass(frozen=True)
class Route:
    """A handler and where it is reached."""

    method: str
    pattern: re.Pattern[str]
    access: Access
    handler: Handler
    limited: bool
    """Counts as a login: too many a second and the caller is banned."""


_ROUTES: list[Route] = []


def route(
    method: str, path: str, access: Access = Access.USER, *, limited: bool = False
) -> Callable[[Handler], Handler]:
    """Make a function the handler of a method and path; `{name}` stands for one part, `{name*}` for the rest."""
    pattern = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.*)", path)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)

    def register(handler: Handler) -> Handler:
        _ROUTES.append(Route(method, re.compile(pattern), access, handler, limited))
        return handler

    return register


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request, None for an unknown path. 405 when only the method is wrong."""
    matches = [(known, found) for known in _ROUTES if (found := known.pattern.fullmatch(path))]
    for known, found in matches:
        if known.method in (method, "*"):
            return known, found.groupdict()
    if matches:
        raise web.HTTPMethodNotAllowed(method, [])
    return None


def load() -> None:
    """Import all calls, which register themselves; more special paths come first in their files."""
    package = importlib.import_module("lab.portainer.calls")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)

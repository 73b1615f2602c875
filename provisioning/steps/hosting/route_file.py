"""The file of one route, as the router's Nginx reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioning.claim import Problem
from provisioning.steps.portainer.server import ADDRESS
from provisioning.steps.words import Word, number_problems

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = Word(
    rf"(?=.{{3,253}}$){LABEL}(\.{LABEL})+", "a domain of small letters, digits and dashes, such as shops.example.com"
)
PATH = Word(r"(?=.{2,200}$)(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", "a path such as /websocket, without a slash at its end")
HEAD = "# Written by Hypercompose; changes made here are overwritten.\n"


def route_problems(host: object, address: object, port: object, paths: object) -> Iterator[Problem]:
    """Everything that must not get into the file."""
    yield from DOMAIN.problems("host", host)
    yield from ADDRESS.problems("address", address)
    yield from number_problems("port", port, 1, 65535)
    if not isinstance(paths, Mapping):
        yield Problem(property="paths", reason=f"{paths!r}, expected ports by path")
        return
    yield from PATH.problems("paths", *paths)
    for number in paths.values():
        yield from number_problems("paths", number, 1, 65535)


def route_text(host: str, address: str, port: int, paths: Mapping[str, int]) -> str:
    """A server with a name, whose paths lead to ports. ValueError for what is refused."""
    if found := list(route_problems(host, address, port, paths)):
        raise ValueError("; ".join(f"{problem.property}: {problem.reason}" for problem in found))
    place = f"[{address}]" if ":" in address else address
    lines = ["include listen.conf;", "include away.conf;", f"server_name {host};"]
    for path, number in sorted(paths.items()):
        # the path itself and what is below it, not what merely begins so
        lines += [_location(f"= {path}", place, number), _location(f"^~ {path}/", place, number)]
    lines.append(_location("/", place, port))
    return HEAD + "server {\n" + "".join(f"    {line}\n" for line in lines) + "}\n"


def _location(where: str, place: str, port: int) -> str:
    return f"location {where} {{ include proxy.conf; proxy_pass http://{place}:{port}; }}"

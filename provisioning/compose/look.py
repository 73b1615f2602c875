"""Ask a host what its compose makes of a project's files, and find what speaks against running them there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from provisioning.compose.model import Model, Port
from provisioning.errors import ProvisioningError
from provisioning.host import Address, Result
from provisioning.portainer.env_values import to_env_file
from provisioning.steps.step import Value, assignments

if TYPE_CHECKING:
    from provisioning.hosts import Hosts

LOOK_TIMEOUT_S = 60
PULL_TIMEOUT_S = 900
_SCRIPT = files(__package__).joinpath("look.sh").read_text()
_PUBLISHED = re.compile(r"(?:(\S+):)?(\d+)(?:-(\d+))?->\d+(?:-\d+)?/(\w+)")


class ComposeRefused(ProvisioningError):
    """The files cannot run there as they are; nothing that runs was touched."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project's files with their environment. `order` names the compose files, the first is the main one."""

    name: str
    files: Mapping[str, str]
    order: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    allowed_paths: Sequence[str] = ()
    """Folders of the host that containers may see."""


@dataclass(frozen=True)
class Seen:
    """A host's answer."""

    model: Model
    inside: str
    """Where the files lay while it looked."""
    taken: tuple[tuple[Port, str], ...]
    """Ports in use, and by which compose project; empty for other programs."""
    projects: frozenset[str]
    """Compose projects that have containers there."""


def look(hosts: Hosts, address: Address, project: Project) -> Seen:
    """Raises ComposeRefused with compose's own words for files that it does not take."""
    return seen(hosts.ask(address, program(project), LOOK_TIMEOUT_S))


def seen(result: Result) -> Seen:
    """What `program` has found. Raises ComposeRefused."""
    if result.exit_code != 0:
        raise ComposeRefused(f"compose files: {_last(result.stderr)}")
    inside, model, *rest = result.stdout.rstrip("\n").split("\n")
    middle = rest.index("containers")
    listeners = tuple((port, "") for port in map(_listener, rest[:middle]) if port)
    theirs = [line.split("|", 2) for line in rest[middle + 1 :]]
    published = tuple((port, name) for name, _, ports in theirs for port in _published(ports))
    return Seen(Model(json.loads(model)), inside, (*published, *listeners), frozenset(name for name, *_ in theirs))


def objections(project: Project, seen: Seen) -> Iterator[str]:
    """What speaks against running it, one line each."""
    allowed = [PurePosixPath(path) for path in project.allowed_paths]
    for where, path in seen.model.host_paths():
        if PurePosixPath(path).is_relative_to(seen.inside):
            inside = PurePosixPath(path).relative_to(seen.inside)
            yield (
                f"{where}: {inside}, expected a named volume or an image that holds it; "
                "files beside the compose file exist only inside Portainer's own volume"
            )
        elif ".." in PurePosixPath(path).parts or not any(PurePosixPath(path).is_relative_to(ok) for ok in allowed):
            yield f"{where}: {path}, expected no path of the host outside the project; use a named volume or a secret"
    mine = frozenset(port for port, name in seen.taken if name == project.name)
    for port in seen.model.ports():
        theirs = [(taken, name) for taken, name in seen.taken if name != project.name and taken.meets(port)]
        # what listens for a container of this project is listed as a program of its own
        holder = next((name for taken, name in theirs if name or not any(map(taken.meets, mine))), None)
        if holder is not None:
            who = f"the compose project {holder}" if holder else "another program"
            yield f"port {port}: taken by {who} on the host; choose another port, or stop that"


def pull(hosts: Hosts, address: Address, project: Project) -> None:
    """Fetch the images that the host does not have. Raises ComposeRefused."""
    result = hosts.ask(address, program(project, pull=True), PULL_TIMEOUT_S)
    if result.exit_code != 0:
        raise ComposeRefused(f"images: cannot be pulled: {_last(result.stderr)}")


def program(project: Project, *, pull: bool = False) -> str:
    """For a shell of root's on the host: looks at the files there, or fetches their images."""
    values: dict[str, Value] = {
        "project": project.name,
        "files": dict(project.files),
        "order": list(project.order),
        "environment": to_env_file(project.env),
        "pull": "yes" if pull else "no",
    }
    body = "\n".join(["set -euo pipefail", *assignments(values), _SCRIPT])
    return f"hypercompose() {{\n{body}\n}}\nhypercompose </dev/null\n"


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    lines = [line for line in lines if "level=warning" not in line] or lines
    text = " | ".join(lines[-3:]) or "compose failed without a word"
    return re.sub(r"/run/hypercompose-compose\.\w+/(project/)?", "", text)[:800]


def _listener(line: str) -> Port | None:
    protocol, _, place = line.partition(" ")
    address, _, number = place.rpartition(":")
    address = address.partition("%")[0].strip("[]")
    return Port(protocol, address, int(number)) if number.isdigit() else None


def _published(text: str) -> Iterator[Port]:
    for entry in filter(None, (part.strip() for part in text.split(","))):
        if found := _PUBLISHED.fullmatch(entry):
            for number in range(int(found[2]), int(found[3] or found[2]) + 1):
                yield Port(found[4], (found[1] or "").strip("[]"), number)

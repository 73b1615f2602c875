"""No container has a way to become root of its host."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.compose import TYPES, File, Service, files, services
from policies.resource import Resource, items, pairs, shown
from policies.rule import Level, Rule

DOC = "docs/stacks.md"
STACK = "hypercompose:portainer:Stack"
NAMESPACES = ("network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup")
SOCKET = re.compile(r"(docker|containerd|podman|crio)[^/]*\.sock")
SENSITIVE = tuple(
    "/bin /boot /dev /etc /home /lib /lib64 /proc /root /run /sbin /sys /usr /var/run "
    "/var/lib/docker /var/lib/containerd /var/lib/hypercompose".split()
)
OURS = "/etc/hypercompose/stacks/"
"""Below it lie the secret files of stacks, which are meant to be read in containers."""
CAPABILITIES = frozenset(
    "ALL AUDIT_CONTROL BPF DAC_READ_SEARCH LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE NET_ADMIN PERFMON SYS_ADMIN SYS_BOOT "
    "SYS_MODULE SYS_PTRACE SYS_RAWIO SYS_TIME SYSLOG".split()
)
LOOSE = frozenset(
    "seccomp=unconfined apparmor=unconfined label=disable systempaths=unconfined no-new-privileges=false".split()
)


def privileged(resource: Resource) -> Iterator[str]:
    """Containers that are root on their host."""
    for service in services(resource):
        if service.flag("privileged"):
            yield f"{service.where}.privileged: {shown(service.content['privileged'])}"


def shared(resource: Resource) -> Iterator[str]:
    """Containers that share what a container is there to keep apart."""
    for file in files(resource):
        for service in file.services:
            for key in NAMESPACES:
                if _is_hosts(service.content.get(key)):
                    yield f"{service.where}.{key}: {shown(service.content[key])}"
        for name, network in pairs(file.model.content.get("networks")):
            if "host" in (_known_as(name, network), network.get("driver")):
                yield f"{file.name}: networks.{name}: the host's own"


def sockets(resource: Resource) -> Iterator[str]:
    """Containers that can tell Docker what to do."""
    for where, path in _paths(resource):
        if SOCKET.search(path):
            yield f"{where}: {shown(path)}"


def sensitive(resource: Resource) -> Iterator[str]:
    """Folders of the host that are its own business."""
    for where, path in _paths(resource):
        if path.startswith("/") and _is_sensitive(path) and not SOCKET.search(path):
            yield f"{where}: {shown(path)}"


def capable(resource: Resource) -> Iterator[str]:
    """Rights by which a container can do what only the host should."""
    for service in services(resource):
        for given in items(service.content.get("cap_add")):
            name = str(given).upper().removeprefix("CAP_")
            if name in CAPABILITIES or "$" in name:
                yield f"{service.where}.cap_add: {shown(given)}"


def loosened(resource: Resource) -> Iterator[str]:
    """What Docker confines by itself, taken away."""
    for service in services(resource):
        for option in items(service.content.get("security_opt")):
            plain = str(option).replace(" ", "").lower().replace(":", "=", 1)
            if plain in LOOSE or "$" in plain:
                yield f"{service.where}.security_opt: {shown(option)}"


def unconfined(resource: Resource) -> Iterator[str]:
    """What else a container can do without."""
    for service in services(resource):
        missing = list(_missing(service))
        if missing:
            yield f"{service.where}: without {', '.join(missing)}"


def _missing(service: Service) -> Iterator[str]:
    if "ALL" not in {str(name).upper() for name in items(service.content.get("cap_drop"))}:
        yield "cap_drop: [ALL]"
    options = {str(option).replace(" ", "").replace("=", ":") for option in items(service.content.get("security_opt"))}
    if not options & {"no-new-privileges", "no-new-privileges:true"}:
        yield "no-new-privileges"
    if service.content.get("read_only") is not True:
        yield "read_only"


def _known_as(name: str, network: Mapping[str, Any]) -> object:
    """What Docker calls a network that it has already; a project's own has the project's name in front."""
    external = network.get("external")
    older = external.get("name") if isinstance(external, Mapping) else None
    return network.get("name") or older or (name if external else None)


def _is_hosts(value: object) -> bool:
    return str(value) == "host" or "$" in str(value)  # a variable may turn out to be anything


def _paths(resource: Resource) -> Iterator[tuple[str, str]]:
    """Paths of the host that containers get to see, and by which part of which file."""
    for file in files(resource):
        for where, path in _host_paths(file):
            yield f"{file.name}: {where}", path
    if resource.type == STACK:
        for path in items(resource.get("allowedPaths")):
            yield "allowed_paths", str(path)


def _host_paths(file: File) -> Iterator[tuple[str, str]]:
    yield from ((where, path) for where, path in file.model.host_paths() if not where.startswith("secrets."))
    for service in file.services:  # a socket may also be handed over as something else than a mount
        for where, path in pairs(service.content.get("environment")):
            if SOCKET.search(str(path)):
                yield f"services.environment.{where}", str(path)


def _is_sensitive(path: str) -> bool:
    plain = posixpath.normpath("/" + path.lstrip("/"))
    if plain.startswith(OURS):
        return False
    return any(f"{plain}/".startswith(f"{one}/") or f"{one}/".startswith(f"{plain.rstrip('/')}/") for one in SENSITIVE)


RULES = (
    Rule(
        name="no-privileged-container",
        level=Level.MANDATORY,
        holds="no container is privileged",
        remedy="take `privileged` out; a capability is less",
        doc=DOC,
        types=TYPES,
        find=privileged,
    ),
    Rule(
        name="no-host-namespace",
        level=Level.MANDATORY,
        holds="no container shares network, processes, memory or users with its host",
        remedy="publish ports instead; a variable cannot stand there",
        doc=DOC,
        types=TYPES,
        find=shared,
    ),
    Rule(
        name="no-docker-socket",
        level=Level.MANDATORY,
        holds="no container reaches the socket of Docker, which makes it root",
        remedy="only Portainer has it, and no stack needs it",
        doc=DOC,
        types=TYPES,
        find=sockets,
        guard="provider, before anything is touched: no path of the host but `allowed_paths`",
    ),
    Rule(
        name="no-sensitive-path",
        level=Level.MANDATORY,
        holds="containers mount no folder that belongs to the host's system",
        remedy="use a named volume, a secret, or a folder of its own such as /srv/<name>",
        doc=DOC,
        types=TYPES,
        find=sensitive,
        guard="provider, before anything is touched: no path of the host but `allowed_paths`",
    ),
    Rule(
        name="no-host-capability",
        level=Level.MANDATORY,
        holds="no container is given a right over its host",
        remedy="name the one capability that it needs; these are as good as root",
        doc=DOC,
        types=TYPES,
        find=capable,
    ),
    Rule(
        name="confinement-stays-on",
        level=Level.MANDATORY,
        holds="what Docker confines by itself stays so",
        remedy="take that option out",
        doc=DOC,
        types=TYPES,
        find=loosened,
    ),
    Rule(
        name="containers-confined",
        level=Level.ADVISORY,
        holds="every service gives up what it does not need",
        remedy="see `x-confined` of compose/guestbook/compose.yaml",
        doc=DOC,
        types=TYPES,
        find=unconfined,
        guard="the host's daemon.json, for no-new-privileges",
    ),
)

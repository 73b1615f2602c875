"""What containers are made of: images that cannot change behind our back, limits, a way to tell that they are well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.compose import TYPES, Service, services
from policies.resource import Resource, shown
from policies.rule import Level, Rule
from provider.values import UNKNOWN

DIGEST = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")
DOC = "docs/stacks.md"
SERVER, STACK = "hypercompose:host:PortainerServer", "hypercompose:portainer:Stack"
GATED = "hypercompose:portainer:GatedStack"
"""What the gate follows; its `Stack` then has the releases of the gate."""


def unpinned(resource: Resource) -> Iterator[str]:
    """Images by tag, and those that a host would build itself."""
    image = resource.get("image")
    if resource.type == SERVER and image is not UNKNOWN and not _is_pinned(image):
        yield f"image: {shown(image)}"
    for service in services(resource):
        if not _is_pinned(service.content.get("image")):
            yield f"{service.where}.image: {shown(service.content.get('image'))}"


def unlimited(resource: Resource) -> Iterator[str]:
    """Services that may take all memory, or all process ids, of their host."""
    for service in services(resource):
        limits = service.limits
        missing = [key for key in ("mem_limit", "pids_limit") if not limits.get(key)]
        if missing:
            yield f"{service.where}: without {', '.join(missing)}"


def unchecked(resource: Resource) -> Iterator[str]:
    """Services of which nobody can tell whether they are well."""
    for service in services(resource):
        if not _has_check(service):
            yield f"{service.where}.healthcheck: none"


def unseen(resource: Resource) -> Iterator[str]:
    """Stacks of which nobody here has seen the files."""
    if resource.get("gated") is True:
        return
    if resource.get("url") is not None and resource.get("commit") is None:
        yield f"url: {shown(resource.get('url'))}, ref: {shown(resource.get('ref'))}"


def volumes_lost(resource: Resource) -> Iterator[str]:
    """Stacks whose data goes with them."""
    if resource.get("keepVolumes") is False:
        yield "keepVolumes: false"


def _is_pinned(image: object) -> bool:
    return DIGEST.fullmatch(str(image)) is not None


def _has_check(service: Service) -> bool:
    check = service.content.get("healthcheck")
    return isinstance(check, dict) and not check.get("disable") and check.get("test") not in (["NONE"], "NONE", None)


RULES = (
    Rule(
        name="images-by-digest",
        level=Level.MANDATORY,
        holds="every image is named by its digest",
        remedy="use a key of the image lock, or repository@sha256:…",
        doc=DOC,
        types=(*TYPES, SERVER),
        find=unpinned,
        guard="settings, for `project` and Portainer's own image: keys of the image lock",
    ),
    Rule(
        name="containers-limited",
        level=Level.ADVISORY,
        holds="every service has a limit of memory and of processes",
        remedy="add `mem_limit` and `pids_limit`",
        doc=DOC,
        types=TYPES,
        find=unlimited,
    ),
    Rule(
        name="containers-checked",
        level=Level.ADVISORY,
        holds="every service has a health check, or its image does",
        remedy="add `healthcheck`, else a stack counts as done as soon as its containers run",
        doc=DOC,
        types=TYPES,
        find=unchecked,
    ),
    Rule(
        name="compose-files-seen",
        level=Level.ADVISORY,
        holds="the compose files are part of this program, so that these rules see them",
        remedy="use `project`, or have whoever pushes there run these rules",
        doc=DOC,
        types=(STACK, GATED),
        find=unseen,
    ),
    Rule(
        name="volumes-stay",
        level=Level.ADVISORY,
        holds="the volumes of a stack stay when it is destroyed",
        remedy="take `keep_volumes: false` out, where its data is worth something",
        doc=DOC,
        types=(STACK,),
        find=volumes_lost,
        guard="settings: they stay unless told otherwise",
    ),
)

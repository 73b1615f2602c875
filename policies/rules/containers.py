"""What containers may be: pinned, and without ways to become root of their host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.compose import TYPES, services
from policies.resource import Resource
from policies.rule import Level, Rule
from provider.values import UNKNOWN

DIGEST = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")
DOC = "docs/stacks.md"


def unpinned(resource: Resource) -> Iterator[str]:
    """Images by tag, and those that a host builds itself."""
    image = resource.get("image")
    if resource.type == "hypercompose:host:PortainerServer" and image is not UNKNOWN and not _is_pinned(image):
        yield f"image: {image!r}"
    for service in services(resource):
        if not _is_pinned(service.content.get("image")):
            yield f"{service.where}.image: {service.content.get('image')!r}"


def privileged(resource: Resource) -> Iterator[str]:
    """Containers that are root on their host."""
    for service in services(resource):
        if service.flag("privileged"):
            yield f"{service.where}.privileged: {service.content['privileged']!r}"


def _is_pinned(image: object) -> bool:
    return DIGEST.fullmatch(str(image)) is not None


RULES = (
    Rule(
        name="images-by-digest",
        level=Level.MANDATORY,
        holds="every image is named by its digest",
        remedy="use a key of the image lock, or repository@sha256:…",
        doc=DOC,
        types=(*TYPES, "hypercompose:host:PortainerServer"),
        find=unpinned,
    ),
    Rule(
        name="no-privileged-container",
        level=Level.MANDATORY,
        holds="no container is privileged",
        remedy="take `privileged` out; a capability, or a device, is less",
        doc=DOC,
        types=TYPES,
        find=privileged,
    ),
)

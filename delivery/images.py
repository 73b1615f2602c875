"""`make images`: the project's own images in the site's registry, and the lock that compose files are rendered with."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from provisioning.images.publish import Request, publish_images
from provisioning.images.registry import Registry
from settings import SettingsError, Site
from settings.site import CHECKOUT


def publish(site: Site, password: str) -> Iterator[str]:
    """Build what is stale, push it, write the lock; yields a line for each image."""
    if site.images is None or site.registry is None:
        raise SettingsError(
            f"sites/{site.id}.yaml", ["images: missing, expected `images` and `registry`; see docs/stacks.md"]
        )
    ca = site.registry.ca
    registry = Registry(
        host=site.registry.host,
        ca=str(CHECKOUT / ca.expanduser()) if ca else None,
        user=site.registry.user or "",
        password=password,
    )
    request = Request(
        folder=CHECKOUT / "images",
        registry=registry,
        lock=CHECKOUT / site.images.lock.expanduser(),
        base=site.images.base,
        prefix=site.images.prefix,
        bases=site.images.bases,
        external=site.images.external,
        tell=lambda text: print(f"images: {text}", file=sys.stderr),
    )
    lock = publish_images(request)
    yield from (f"{key}: {lock.reference(key)}" for key in sorted(lock.images))
    yield f"locked in {request.lock}"

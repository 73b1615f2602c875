"""Which image a key means on a site, by the lock that `make images` writes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from provisioning.errors import ProvisioningError
from provisioning.images.lock import Lock, load_lock
from settings.site import CHECKOUT, Site


def image_lookup(site: Site) -> Callable[[str], str]:
    """From a key to `registry/repository@digest`. The function raises ValueError for what the lock does not hold."""

    @cache
    def lock(path: Path) -> Lock:
        return load_lock(path)

    def lookup(key: str) -> str:
        if site.images is None:
            raise ValueError(f"{key!r}, expected `images` in sites/{site.id}.yaml, which says what keys mean")
        try:
            return lock(CHECKOUT / site.images.lock.expanduser()).reference(key)
        except ProvisioningError as error:
            raise ValueError(str(error)) from error

    return lookup

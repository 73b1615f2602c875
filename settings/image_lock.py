"""Which image a key means on a site, by the lock that `make images` writes."""

from __future__ import annotations

from collections.abc import Callable

from provisioning.errors import ProvisioningError
from provisioning.images.lock import load_lock
from settings.site import CHECKOUT, Site


def image_lookup(site: Site) -> Callable[[str], str]:
    """From a key to `registry/repository@digest`. The function raises ValueError for what the lock does not hold."""

    def lookup(key: str) -> str:
        if site.images is None:
            raise ValueError(f"{key!r}, expected `images` in sites/{site.id}.yaml, which says what keys mean")
        try:
            return load_lock(CHECKOUT / site.images.lock.expanduser()).reference(key)
        except ProvisioningError as error:
            raise ValueError(str(error)) from error

    return lookup

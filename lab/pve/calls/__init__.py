"""The calls of the API, one module for each part of Proxmox's own tree."""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Import all modules of this package, which registers their routes."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")

"""Where things are: the checkout, the user's cache and settings folders, and PATH without our own parts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
STANDINS = CHECKOUT / "setup" / "standins"
VENV = CHECKOUT / ".venv"
POLICIES = CHECKOUT / "policies"


def cache_home() -> Path:
    """Folder of what can be made again: builds, downloads, answers of `pulumi version`."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "hypercompose"


def config_home() -> Path:
    """Folder of what cannot be made again: the passphrases of real sites."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "hypercompose"


def _xdg(variable: str, default: str) -> Path:
    """A folder of the XDG base directory specification, which ignores relative values."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default


def path_without_ours(environ: Mapping[str, str]) -> list[str]:
    """PATH as it was before `make env`: what we built or stand in for must not pass for something official."""
    ours = (str(cache_home()) + os.sep, str(STANDINS) + os.sep)
    folders = dict.fromkeys(environ.get("PATH", "").split(os.pathsep))  # some version managers add theirs at each start
    return [folder for folder in folders if folder and not folder.startswith(ours)]

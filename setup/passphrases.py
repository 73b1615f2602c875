"""The passphrase of a site's state: a 0600 file made at first use, so that nobody is ever asked for one."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from setup.places import CHECKOUT
from setup.report import SetupError, say
from setup.sites import Site


def passphrase_file(site: Site, stack: str, checkout: Path = CHECKOUT) -> Path:
    """The file to hand to the engine. Refuses to invent a passphrase where a stack's secrets already need one."""
    if site.passphrase is not None:
        return _lab_file(site)
    file = site.folder / "passphrase"
    if file.exists():
        return _private(file)
    if _has_secrets(checkout / f"Pulumi.{stack}.yaml"):
        raise SetupError(
            f"Pulumi.{stack}.yaml is encrypted with the passphrase of site {site.id}: ask your team for it "
            f"and put it into {file} (chmod 600)."
        )
    _write_private(file, secrets.token_urlsafe(32))
    say(f"passphrase: made a new one for site {site.id} in {file}; keep a copy where your team keeps secrets")
    return file


def _lab_file(site: Site) -> Path:
    """The lab's public passphrase as a file, since that is how the engine takes it."""
    file = site.folder / "passphrase"
    if not file.exists() or file.read_text() != site.passphrase:
        _write_private(file, str(site.passphrase))
    return file


def _has_secrets(config: Path) -> bool:
    """Whether somebody has encrypted this configuration: it has a salt."""
    return config.exists() and bool(re.search(r"^encryptionsalt:", config.read_text(), re.MULTILINE))


def _private(file: Path) -> Path:
    """The file, if nobody else can read it."""
    if file.stat().st_mode & 0o077:
        raise SetupError(f"{file}: others can read it; run `chmod 600 {file}`.")
    return file


def _write_private(file: Path, text: str) -> None:
    """Write with mode 0600 from the first byte."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(text)

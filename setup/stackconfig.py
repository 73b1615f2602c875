"""The configuration of a stack on another site than its own: derived, so that the real file is never touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from setup.places import CHECKOUT
from setup.sites import Site, site_of

SITE_KEY = "hypercompose:site"
STACK_KEY = "hypercompose:stack"


def config_file(stack: str, site: Site, checkout: Path = CHECKOUT) -> Path | None:
    """The file to hand to the engine as PULUMI_OPTION_CONFIG_FILE, or None for the stack's own file."""
    if site_of(stack, checkout) == site.id:
        return None
    file = site.folder / "config" / f"Pulumi.{stack}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    # `pulumi stack init` alone takes no configuration file: it runs in this folder, which therefore is a project.
    (file.parent / "Pulumi.yaml").write_text("name: hypercompose\nruntime: python\n")
    text = derived(checkout / f"Pulumi.{stack}.yaml", site.id, _salt(site, checkout))
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    return file


def derived(real: Path, site: str, salt: str | None) -> str:
    """The real settings without what only the real site can decrypt, pointed at another site."""
    content = yaml.safe_load(real.read_text()) or {}
    settings = without_secrets(content.get("config") or {})
    # The engine takes this file for every stack of the shell it was handed to; the program then refuses the others.
    own = {SITE_KEY: site, STACK_KEY: real.name.removeprefix("Pulumi.").removesuffix(".yaml")}
    result: dict[str, Any] = {"config": {**settings, **own}}
    if salt:
        result = {"encryptionsalt": salt, **result}
    note = f"# Made by set-up from {real.name} for site {site}. Changes are lost: change that file.\n"
    return note + yaml.safe_dump(result, sort_keys=False)


def without_secrets(value: Any) -> Any:
    """Drop `{secure: …}` values at any depth: they are encrypted for another passphrase."""
    if isinstance(value, dict):
        return {k: without_secrets(v) for k, v in value.items() if not is_secure(v)}
    if isinstance(value, list):
        return [without_secrets(v) for v in value if not is_secure(v)]
    return value


def is_secure(value: Any) -> bool:
    """Pulumi's form of an encrypted value."""
    return isinstance(value, dict) and set(value) == {"secure"}


def _salt(site: Site, checkout: Path) -> str | None:
    """The salt that goes with the site's passphrase, from the stack that is called like the site."""
    file = checkout / f"Pulumi.{site.id}.yaml"
    salt = (yaml.safe_load(file.read_text()) or {}).get("encryptionsalt") if file.exists() else None
    return str(salt) if salt else None

"""One stack on one site, ready to work on: the parts that run it and the environment they need."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from setup.engines import ensure_engine
from setup.exports import read_exports
from setup.parts import Origin, Part
from setup.passphrases import passphrase_file
from setup.places import path_without_ours
from setup.plugins import ensure_command, ensure_dynamic, ensure_language, ensure_proxmoxve
from setup.sites import Site, read_site, site_of
from setup.stackconfig import config_file


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a command works with."""

    stack: str
    site: Site
    parts: tuple[Part, ...]
    variables: Mapping[str, str | None]
    """What the engine's environment must hold besides the site's credentials; None for what it must not."""

    def exports(self) -> dict[str, str | None]:
        """All variables, credentials as they are now: a lab makes its own when it first starts."""
        return {**self.variables, **(read_exports(self.site.credentials) if self.site.credentials else {})}

    def environment(self) -> dict[str, str]:
        """The whole environment of a child process."""
        exports = self.exports()
        env = {**os.environ, **{name: value for name, value in exports.items() if value is not None}}
        return {name: value for name, value in env.items() if exports.get(name, "") is not None}

    def comments(self) -> list[str]:
        """What is official here and what is not, one line each."""
        return [f"stack {self.stack} on site {self.site.id}", *map(str, self.parts)]


def open_session(stack: str, site_name: str | None, environ: Mapping[str, str] = os.environ) -> Session:
    """Make sure of everything a stack needs on a site (its own if none is named)."""
    site = read_site(site_name or site_of(stack))
    parts = ensure_parts(environ, is_lab=site.is_lab)
    variables = _variables(stack, site, parts, environ)
    return Session(stack=stack, site=site, parts=parts, variables=variables)


def ensure_parts(environ: Mapping[str, str], *, is_lab: bool) -> tuple[Part, ...]:
    """Engine, language host and plugins, each the best that can be had."""
    engine = ensure_engine(environ)
    return (
        engine,
        ensure_language(engine, environ, is_lab=is_lab),
        ensure_dynamic(engine, environ, is_lab=is_lab),
        ensure_proxmoxve(engine, environ),
        ensure_command(engine, environ, is_lab=is_lab),
    )


def search_path(parts: tuple[Part, ...], environ: Mapping[str, str]) -> str:
    """PATH with our parts in front, and without those of an earlier set-up."""
    # What was found on PATH stays where the person put it.
    ours = [str(part.folder) for part in parts if part.folder and part.origin is not Origin.OFFICIAL]
    return os.pathsep.join([*dict.fromkeys(ours), *path_without_ours(environ)])


def _variables(stack: str, site: Site, parts: tuple[Part, ...], environ: Mapping[str, str]) -> dict[str, str | None]:
    """Everything that makes plain `pulumi up --stack <stack>` work on that site."""
    if site.backend.startswith("file://"):
        Path(site.backend.removeprefix("file://")).mkdir(parents=True, exist_ok=True, mode=0o700)
    config = config_file(stack, site)
    return {
        "PATH": search_path(parts, environ),
        "HYPERCOMPOSE_SITE": site.id,
        "PULUMI_BACKEND_URL": site.backend,
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase_file(site, stack)),
        "PULUMI_CONFIG_PASSPHRASE": None,  # would win over the file
        "PULUMI_OPTION_CONFIG_FILE": str(config) if config else None,
        "PULUMI_OPTION_POLICY_PACK": None,  # what a shell got from `make env` is not for each command of make
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": None,  # changes the shape of `preview --json`
    }

"""Sites and stacks as set-up sees them: which site a stack belongs to, where its state is, who may use it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from setup.places import CHECKOUT, config_home
from setup.report import SetupError
from setup.state.retention import DEFAULT, Keep


@dataclass(frozen=True, kw_only=True)
class Site:
    """What set-up needs of `sites/<site>.yaml`; the program reads the rest."""

    id: str
    file: Path
    folder: Path
    """What set-up keeps for the site on this machine: `.lab` of the checkout, or a folder in the user's settings."""
    backend: str
    """Pulumi's state backend, with an absolute path where it is a folder."""
    passphrase: str | None
    """Only a lab has one in its file: it is public."""
    credentials: Path | None
    """File of `export NAME=value` lines, readable by its owner only."""

    keep: Keep = DEFAULT
    """Which exports of a state stay."""
    database: str | None = None
    """Where the rows of instances are, if not in a file of `folder`."""

    @property
    def is_lab(self) -> bool:
        """Whether stand-ins may be used and everything may be thrown away: sites called `lab` or `lab-…`."""
        return _is_lab(self.id)


def read_site(name: str, checkout: Path = CHECKOUT) -> Site:
    """The site of that name; raises SetupError that names what is there."""
    folder = Path(os.environ.get("HYPERCOMPOSE_SITES") or checkout / "sites")
    file = folder / f"{name}.yaml"
    if not file.is_file():
        there = ", ".join(sorted(f.stem for f in folder.glob("*.yaml"))) or "none"
        raise SetupError(f"SITE={name}: there is no {folder.name}/{name}.yaml (there are: {there}).")
    described = _mapping(file)
    state, hosting = described.get("state") or {}, described.get("hosting")
    site = Site(
        id=str(described.get("id", "")),
        file=file,
        folder=checkout / ".lab" if _is_lab(name) else config_home() / name,
        backend=_absolute(str(state.get("backend", "")), checkout),
        passphrase=state.get("passphrase"),
        credentials=checkout / Path(described["credentials"]).expanduser() if described.get("credentials") else None,
        keep=_keep(f"sites/{file.name}", state.get("keep")),
        database=hosting.get("database") if isinstance(hosting, dict) else None,
    )
    _refuse_nonsense(site)
    return site


def site_of(stack: str, checkout: Path = CHECKOUT) -> str:
    """The stack's own site: `hypercompose:site` in Pulumi.<stack>.yaml."""
    file = checkout / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        there = ", ".join(stack_names(checkout)) or "none"
        raise SetupError(f"STACK={stack}: there is no Pulumi.{stack}.yaml (there are: {there}).")
    site = (_mapping(file).get("config") or {}).get("hypercompose:site")
    if not isinstance(site, str):
        raise SetupError(f"Pulumi.{stack}.yaml: `hypercompose:site` is missing; it names a file of sites/.")
    return site


def stack_names(checkout: Path = CHECKOUT) -> list[str]:
    """Every stack that has a file in the checkout."""
    return sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in checkout.glob("Pulumi.*.yaml"))


def _keep(name: str, said: object) -> Keep:
    """`state.keep`, or what stays where a site does not say."""
    numbers = said if isinstance(said, dict) else {} if said is None else {"": said}
    known = all(type(n) is int and n >= least for key, n in numbers.items() for least in (1 if key == "last" else 0,))
    if not known or not numbers.keys() <= {"last", "days"}:
        raise SetupError(f"{name}: state.keep: expected numbers such as {{last: 20, days: 30}}, last at least 1.")
    return replace(DEFAULT, **numbers)


def _is_lab(name: str) -> bool:
    return name == "lab" or name.startswith("lab-")


def _refuse_nonsense(site: Site) -> None:
    """Name what set-up cannot work with, before anything is made."""
    name = f"sites/{site.file.name}"
    if site.id != site.file.stem:
        raise SetupError(f"{name}: id is {site.id!r}, expected {site.file.stem!r} like the file's name.")
    if "://" not in site.backend:
        raise SetupError(f"{name}: state.backend: expected an address such as s3://bucket?region=… or file://folder.")
    if site.passphrase is not None and not site.is_lab:
        raise SetupError(f"{name}: state.passphrase is for labs only; a real site's passphrase is in no file of git.")


def _absolute(backend: str, checkout: Path) -> str:
    """`file://.lab/state` from the checkout's folder, so that it means the same from any folder."""
    scheme, separator, rest = backend.partition("://")
    if scheme == "file" and rest.startswith("~/"):
        return f"file://{Path(rest).expanduser()}"
    if scheme == "file" and not rest.startswith("/"):
        return f"file://{checkout / rest}"
    return backend if separator else ""


def _mapping(file: Path) -> dict[str, Any]:
    """A YAML file whose top is a mapping."""
    try:
        content = yaml.safe_load(file.read_text())
    except yaml.YAMLError as problem:
        raise SetupError(f"{file.name}: not valid YAML: {problem}") from problem
    if not isinstance(content, dict):
        raise SetupError(f"{file.name}: expected settings by name at its top.")
    return content

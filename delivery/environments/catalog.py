"""Every stack of a checkout with its settings in effect, read without the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from settings.environment import layers_of
from settings.errors import SettingsError, from_validation
from settings.program import NAMESPACE, SECRETS
from settings.site import CHECKOUT, Site, load_site
from settings.stack import StackSettings


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A stack and what its files say. Encrypted values are left out."""

    name: str
    values: Mapping[str, Any]
    """Of its own file, without `hypercompose:`."""
    settings: StackSettings | None
    """In effect, with all layers; None where they are wrong."""
    error: str | None

    @property
    def site(self) -> str:
        """Its site's name."""
        return str(self.values.get("site", ""))

    @property
    def environment_class(self) -> str:
        """Its class's name, empty for none."""
        return str(self.values.get("class") or "")

    def hosts(self) -> tuple[str, ...]:
        """Names of its hosts: its VMs, and servers that are there already."""
        if self.settings is None:
            return ()
        vms = (name for group in self.settings.vms for name in group.names())
        return (*vms, *(host.name for host in self.settings.hosts))

    def first_ids(self) -> Iterator[int]:
        """VM ids that it takes, those of data disks among them."""
        for group in self.settings.vms if self.settings else ():
            for first in (group.first_id, group.data_first_id):
                if first is not None:
                    yield from range(first, first + group.count)
            yield from (one.id for one in group.overrides.values() if one.id is not None)


def environments(checkout: Path = CHECKOUT) -> list[Environment]:
    """All of them, by name."""
    files = sorted(checkout.glob("Pulumi.*.yaml"))
    return [environment(file.name.removeprefix("Pulumi.").removesuffix(".yaml"), checkout) for file in files]


def environment(name: str, checkout: Path = CHECKOUT) -> Environment:
    """One of them; wrong settings are told by `error`. Raises SettingsError for one that is not there."""
    file = checkout / f"Pulumi.{name}.yaml"
    if not file.is_file():
        there = ", ".join(sorted(f.name.split(".")[1] for f in checkout.glob("Pulumi.*.yaml")))
        raise SettingsError(file.name, [f"is not there; there are: {there}"])
    try:
        values = own_values(file)
    except SettingsError as error:
        return Environment(name=name, values={}, settings=None, error=str(error))
    try:
        return Environment(name=name, values=values, settings=_in_effect(file.name, values), error=None)
    except SettingsError as error:
        return Environment(name=name, values=values, settings=None, error=str(error))


def own_values(file: Path) -> dict[str, Any]:
    """What a Pulumi.<stack>.yaml says of this program, without secrets. Raises SettingsError."""
    try:
        content = yaml.load(file.read_text(), Loader=yaml.CSafeLoader) or {}
        config = dict(content.get("config") or {})
    except (OSError, ValueError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise SettingsError(file.name, [f"config: not settings by name in YAML: {error}"]) from error
    own = {str(key).partition(":")[2]: value for key, value in config.items() if str(key).startswith(f"{NAMESPACE}:")}
    return {key: value for key, value in own.items() if key not in SECRETS}


def _in_effect(source: str, values: dict[str, Any]) -> StackSettings:
    name = values.get("site")
    site = _site(name) if isinstance(name, str) else None
    layers = layers_of(source, values, site)
    try:
        return StackSettings.model_validate(layers.merged())
    except ValidationError as error:
        raise layers.explained(from_validation(source, error, StackSettings)) from error


@cache
def _site(name: str) -> Site:
    return load_site(name)

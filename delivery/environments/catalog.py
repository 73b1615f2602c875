"""Every stack of a checkout with its settings in effect, read without the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from settings.environment import layers_of
from settings.errors import SettingsError
from settings.program import checked_settings, own_keys
from settings.site import CHECKOUT, Site, load_site
from settings.stack import StackSettings
from settings.stack_file import stack_file, stack_names


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A stack and what its files say. The secrets are left out, a word stands for any other encrypted value."""

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
    return [environment(name, checkout) for name in stack_names(checkout)]


def environment(name: str, checkout: Path = CHECKOUT) -> Environment:
    """One of them; wrong settings are told by `error`. Raises SettingsError for one that is not there."""
    file, values = checkout / f"Pulumi.{name}.yaml", dict[str, Any]()
    if not file.is_file():
        raise SettingsError(file.name, [f"is not there; there are: {', '.join(stack_names(checkout))}"])
    try:
        values = own_keys(stack_file(file).values)
        return Environment(name=name, values=values, settings=_in_effect(name, file.name, values), error=None)
    except SettingsError as error:
        return Environment(name=name, values=values, settings=None, error=str(error))


def _in_effect(stack: str, source: str, values: dict[str, Any]) -> StackSettings:
    name = values.get("site")
    site = _site(name) if isinstance(name, str) else None
    layers = layers_of(source, values, site)
    try:
        return checked_settings(stack, source, layers.merged())
    except SettingsError as error:
        raise layers.explained(error) from error


@cache
def _site(name: str) -> Site:
    return load_site(name)

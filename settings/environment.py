"""Environment classes: `environments/<class>.yaml` holds what environments of a kind have in common."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from settings.errors import SettingsError
from settings.layers import Layer, Layers, refuse_own_settings
from settings.site import CHECKOUT, Site

EXTENDS = "extends"


def environments_folder() -> Path:
    """In $HYPERCOMPOSE_ENVIRONMENTS, else `environments/`."""
    return Path(os.environ.get("HYPERCOMPOSE_ENVIRONMENTS") or CHECKOUT / "environments")


def layers_of(source: str, values: dict[str, Any], site: Site | None) -> Layers:
    """The layers below a stack's own settings, and these on top. Raises SettingsError."""
    layers: list[Layer] = []
    if site is not None and site.defaults:
        layers.append(Layer(source=f"sites/{site.id}.yaml", values=site.defaults, below="defaults"))
    wanted = values.get("class")
    if isinstance(wanted, str):
        layers += _class_layers(wanted, f"{source}: class", ())
    for layer in layers:
        refuse_own_settings(layer)
    return Layers((*layers, Layer(source=source, values=values)))


def known_classes() -> list[str]:
    """Their names."""
    return sorted(file.stem for file in environments_folder().glob("*.yaml"))


def _class_layers(name: str, named_by: str, below: tuple[str, ...]) -> list[Layer]:
    """The class with those that it extends, the outermost first."""
    if name in below:
        raise SettingsError(f"environments/{name}.yaml", [f"{EXTENDS}: {' -> '.join([*below, name])} goes in a circle"])
    file = environments_folder() / f"{name}.yaml"
    if name not in known_classes():
        where, _, field = named_by.partition(": ")
        known = ", ".join(known_classes()) or "none"
        raise SettingsError(where, [f"{field}: {name!r}, expected a class of environments/: {known}"])
    values = _values(file)
    parent = values.pop(EXTENDS, None)
    if parent is not None and not isinstance(parent, str):
        raise SettingsError(f"environments/{file.name}", [f"{EXTENDS}: {parent!r}, expected the name of a class"])
    source = f"environments/{file.name}"
    lower = _class_layers(parent, f"{source}: {EXTENDS}", (*below, name)) if parent else []
    return [*lower, Layer(source=source, values=values)]


def _values(file: Path) -> dict[str, Any]:
    source = f"environments/{file.name}"
    try:
        found = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(source, [f"not YAML: {error}"]) from error
    if not isinstance(found or {}, dict):
        raise SettingsError(source, [f"(top level): {type(found).__name__}, expected settings by name"])
    return dict(found or {})

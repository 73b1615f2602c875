"""Pulumi.<stack>.yaml as the engine would hand it over, but for what is encrypted: that only the engine can read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from settings.errors import SettingsError
from settings.site import CHECKOUT

FILE_VARIABLE = "PULUMI_OPTION_CONFIG_FILE"
ENCRYPTED = "[secret]"
"""Stands for a value that is encrypted."""


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """`values`: full key -> value; `raw`: the same as text, as `pulumi.Config` has it."""

    name: str
    values: Mapping[str, Any]

    @property
    def raw(self) -> Mapping[str, str]:
        """As load_program takes it."""
        return {key: _text(value) for key, value in self.values.items()}

    def secret(self, key: str) -> str | None:
        """A secret's value; ENCRYPTED for one that only the engine can read, None for one that is not there."""
        found = self.values.get(key)
        return None if found is None else str(found)


def read_stack_file(stack: str) -> StackFile:
    """The file that the environment names, else the checkout's. Raises SettingsError."""
    named = os.environ.get(FILE_VARIABLE)
    path = Path(named) if named else CHECKOUT / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        there = ", ".join(stack_names()) or "none"
        raise SettingsError(path.name, [f"is not there; there are settings of: {there}"])
    return stack_file(path)


def stack_names(checkout: Path = CHECKOUT) -> list[str]:
    """Every stack that has a file in a checkout."""
    return sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in checkout.glob("Pulumi.*.yaml"))


def stack_file(path: Path) -> StackFile:
    """What a file holds. Raises SettingsError."""
    try:
        content = yaml.load(path.read_text(), Loader=yaml.CSafeLoader) or {}
        config = content.get("config") or {}
        values = {str(key): readable(value) for key, value in config.items()}
    except (OSError, ValueError, yaml.YAMLError, AttributeError) as error:
        raise SettingsError(path.name, [f"config: not settings by name in YAML: {error}"]) from error
    return StackFile(name=path.name, values=values)


def readable(value: Any) -> Any:
    """With a word in the place of each encrypted value, at any depth."""
    if isinstance(value, dict):
        return ENCRYPTED if set(value) == {"secure"} else {str(key): readable(inner) for key, inner in value.items()}
    return [readable(inner) for inner in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, default=str)

"""Settings in layers: those of the site, of the environment class and of the stack, each over the one before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from settings.errors import SettingsError, path_text

VM_DEFAULTS = "vm_defaults"
OF_A_STACK = ("site", "stack", "class")
"""Settings that only a stack's own file may hold."""
_PATH = re.compile(r"([A-Za-z_][\w-]*(?:\.[\w/-]+|\[\d+\])*): ")
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")

Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Settings by name, as one file says them."""

    source: str
    """The file, as errors name it: `environments/client.yaml`."""
    values: Mapping[str, Any]
    below: str = ""
    """Where in the file they stand, such as `defaults`."""


@dataclass(frozen=True)
class Layers:
    """Lowest first."""

    layers: tuple[Layer, ...]

    def merged(self) -> dict[str, Any]:
        """Mappings are merged by name at any depth, all else is replaced; `null` takes back what a lower layer says."""
        values: dict[str, Any] = {}
        for layer in self.layers:
            values = over(values, layer.values)
        groups = values.get("vms")
        if isinstance(values.get(VM_DEFAULTS), Mapping) and isinstance(groups, list):
            values["vms"] = [_group(values[VM_DEFAULTS], group) for group in groups]
        return values

    def explained(self, error: SettingsError) -> SettingsError:
        """The same problems, each under the file and the path where its value stands."""
        return SettingsError.of(self._placed(error.source, line) for line in error.problems)

    def origin(self, path: Path) -> tuple[Layer, Path]:
        """The layer that a value comes from, and its path there; the topmost layer for what none of them says."""
        best, left, found = self.layers[-1], len(path), path
        for candidate in (path, (VM_DEFAULTS, *path[2:])) if path[:1] == ("vms",) else (path,):
            for layer in reversed(self.layers):
                known = _depth(layer.values, candidate)
                if known and len(candidate) - known < left:
                    best, left, found = layer, len(candidate) - known, candidate
        return best, found

    def place(self, setting: str) -> tuple[str, str]:
        """The file in which a setting stands, and where in it."""
        layer, path = self.origin(_parsed(setting))
        return layer.source, ".".join(filter(None, [layer.below, path_text(path)]))

    def _placed(self, source: str, line: str) -> tuple[str, str]:
        match = _PATH.match(line)
        if match is None or source != self.layers[-1].source:
            return source, line
        file, where = self.place(match[1])
        return file, f"{where}: {line[match.end() :]}"


def over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """One layer over another."""
    result = dict(lower)
    for name, value in upper.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(result.get(name), Mapping):
            result[name] = over(result[name], value)
        else:
            result[name] = value
    return result


def _group(defaults: Mapping[str, Any], group: Any) -> Any:
    """A VM group over the defaults; its own `null` stays: it says that there is no baseline, no Docker."""
    if not isinstance(group, Mapping):
        return group
    return {**over(defaults, group), **{name: None for name, value in group.items() if value is None}}


def refuse_own_settings(layer: Layer) -> None:
    """Raises SettingsError for what says which stack this is: no other file may decide that."""
    wrong = [name for name in OF_A_STACK if name in layer.values]
    if wrong:
        at = f"{layer.below}." if layer.below else ""
        raise SettingsError(
            layer.source, [f"{at}{name}: belongs into Pulumi.<stack>.yaml; move it there" for name in wrong]
        )


def _depth(values: Any, path: Sequence[str | int]) -> int:
    """How many parts of a path a layer knows."""
    for depth, part in enumerate(path):
        known = (isinstance(values, Mapping) and part in values) or (
            isinstance(values, list) and isinstance(part, int) and part < len(values)
        )
        if not known:
            return depth
        values = values[part]
    return len(path)


def _parsed(text: str) -> Path:
    return tuple(_parts(text))


def _parts(text: str) -> Iterator[str | int]:
    for index, name in _PART.findall(text):
        yield int(index) if index else name

"""Detailed differences between two sets of inputs, as property paths that the engine can show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2 as pb


def detailed(olds: Mapping[str, Any], news: Mapping[str, Any], replace_on: Collection[str]) -> pb.DiffResponse:
    """The engine's answer for old and new inputs; a change below a name in `replace_on` means replacement."""
    changes = {
        path: pb.PropertyDiff(kind=_kind(kind, path, replace_on), inputDiff=True)
        for path, kind in _differences(olds, news, "")
    }
    replaces = sorted({root(path) for path in changes if root(path) in replace_on})
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if changes else pb.DiffResponse.DIFF_NONE,
        replaces=replaces,
        diffs=sorted({root(path) for path in changes}),
        detailedDiff=changes,
        hasDetailedDiff=True,
    )


def root(path: str) -> str:
    """The property that a path starts with: `files` of `files["/etc/x"]`."""
    return path.replace("[", ".").split(".")[0]


def _kind(kind: str, path: str, replace_on: Collection[str]) -> Any:
    return pb.PropertyDiff.Kind.Value(f"{kind}_REPLACE" if root(path) in replace_on else kind)


def _differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            yield from _below(name, old, new, _joined(path, name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _differences(a, b, f"{path}[{index}]")
    elif old != new:
        yield path, "UPDATE"


def _below(name: str, old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if old.get(name) is None and new.get(name) is None:
        return
    if old.get(name) is None:
        yield path, "ADD"
    elif new.get(name) is None:
        yield path, "DELETE"
    else:
        yield from _differences(old[name], new[name], path)


def _joined(path: str, name: str) -> str:
    if not name.isidentifier():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{name}" if path else name

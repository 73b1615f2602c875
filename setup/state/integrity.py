"""Whether a deployment fits together: what the engine asks of it, asked without starting the engine."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Resource = Mapping[str, Any]


def faults(deployment: Mapping[str, Any]) -> Iterator[str]:
    """What does not fit, worst first; nothing where all does. Values are quoted: they may come from anywhere."""
    manifest = deployment.get("manifest")
    if not isinstance(manifest, dict) or manifest.get("magic") != _magic(manifest.get("version")):
        yield "its manifest is not one that the engine wrote"
    resources = deployment.get("resources") or []
    broken = [number for number, found in enumerate(_listed(resources)) if not _is_resource(found)]
    if not isinstance(resources, list) or broken:
        yield f"resources{broken[:1] or ''}: no resource as the engine writes them"
        return
    yield from _references(resources)
    yield from _doubles(resources)
    if not isinstance(deployment.get("pending_operations") or [], list):
        yield "pending_operations: expected a list"


def _magic(version: object) -> str:
    """What the engine writes beside its version, to tell its own files."""
    return hashlib.sha256(str(version).encode()).hexdigest()


def _is_resource(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(found.get(key), str) and found[key] for key in ("urn", "type"))


def _references(resources: Sequence[Resource]) -> Iterator[str]:
    """Whatever a resource names must stand before it."""
    seen: set[str] = set()
    providers: set[str] = set()
    for resource in resources:
        urn = str(resource["urn"])
        for what, other in _named(resource):
            if other not in seen:
                yield f"{urn!r}: its {what} {other!r} is missing before it"
        provider = str(resource.get("provider") or "")
        if provider and provider not in providers and not resource.get("pendingReplacement"):
            yield f"{urn!r}: its provider {provider!r} is missing before it"
        seen.add(urn)
        if str(resource["type"]).startswith("pulumi:providers:"):
            providers.add(f"{urn}::{resource.get('id')}")


def _named(resource: Resource) -> Iterator[tuple[str, str]]:
    """What a resource refers to: the kind of reference, and the URN."""
    for key, what in (("parent", "parent"), ("deletedWith", "deletedWith")):
        if resource.get(key):
            yield what, str(resource[key])
    for key, what in (("dependencies", "dependency"), ("replaceWith", "replaceWith")):
        yield from ((what, str(urn)) for urn in _listed(resource.get(key)))
    by_property = resource.get("propertyDependencies")
    for name, urns in by_property.items() if isinstance(by_property, dict) else ():
        yield from ((f"dependency (by {name!r})", str(urn)) for urn in _listed(urns))


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _doubles(resources: Sequence[Resource]) -> Iterator[str]:
    """A URN may be there twice only while all but one of its resources wait to be deleted."""
    living = Counter(str(resource["urn"]) for resource in resources if not resource.get("delete"))
    yield from (f"{urn!r} is there {count} times" for urn, count in living.items() if count > 1)

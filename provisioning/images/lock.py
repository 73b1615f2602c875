"""The image lock of one registry: which digest each key of a compose file means."""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from provisioning.errors import ProvisioningError

HEADER = "# Written by `make images`; do not edit.\n"
KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REPOSITORY = re.compile(r"[a-z0-9]+([._/-]+[a-z0-9]+)*")
FIELDS = frozenset({"repository", "digest", "tag", "source"})


class LockError(ProvisioningError):
    """The lock cannot be read, or does not hold what is asked for."""


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One image. `source`: hash of what it was built from, for our own; `tag`: what was asked for, of others."""

    repository: str
    digest: str
    source: str = ""
    tag: str = ""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """All images of one registry, by key."""

    registry: str
    images: Mapping[str, Locked] = field(default_factory=dict)
    path: str = ""

    def reference(self, key: str) -> str:
        """`registry/repository@sha256:…`. LockError with the nearest key for one that is not there."""
        found = self.images.get(key)
        if found is None:
            near = difflib.get_close_matches(key, self.images, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(self.images)) or 'none'};"
            raise LockError(f"{self.path}: images.{key}: not there; {hint} `make images` locks what images/ holds")
        return f"{self.registry}/{found.repository}@{found.digest}"


def load_lock(path: Path) -> Lock:
    """Read a lock. LockError names file, key, expectation and remedy."""
    try:
        content: Any = yaml.safe_load(path.read_text())
    except FileNotFoundError as error:
        raise LockError(f"{path}: is not there; `make images` writes it") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise LockError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())}); `make images`") from error
    problems = list(_problems(content))
    if problems:
        raise LockError("; ".join(f"{path}: {line}" for line in problems) + "; write it anew by `make images`")
    images = {key: Locked(**entry) for key, entry in (content.get("images") or {}).items()}
    return Lock(registry=content["registry"], images=images, path=str(path))


def write_lock(path: Path, lock: Lock) -> None:
    """Put it in place, whole or not at all."""
    images = {
        key: {name: getattr(found, name) for name in ("repository", "tag", "digest", "source") if getattr(found, name)}
        for key, found in sorted(lock.images.items())
    }
    text = HEADER + yaml.safe_dump({"registry": lock.registry, "images": images}, sort_keys=False, width=200)
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as opened:
        opened.write(text)
    Path(name).chmod(0o644)
    Path(name).replace(path)


def _problems(content: Any) -> Iterator[str]:
    if not isinstance(content, dict) or not isinstance(content.get("registry"), str):
        yield "registry: missing, expected the registry's host as images carry it"
        return
    for key in sorted(map(str, set(content) - {"registry", "images"})):
        yield f"{key}: unknown, expected registry and images alone"
    images = content.get("images") or {}
    if not isinstance(images, dict):
        yield "images: expected images by key"
        return
    for key, entry in images.items():
        yield from (f"images.{key}{line}" for line in _entry_problems(key, entry))


def _entry_problems(key: Any, entry: Any) -> Iterator[str]:
    if not KEY.fullmatch(str(key)) or not isinstance(entry, dict):
        yield ": expected a key of small letters, digits, dots and dashes with repository and digest"
        return
    for name in sorted(map(str, set(entry) - FIELDS)):
        yield f".{name}: unknown, expected {', '.join(sorted(FIELDS))}"
    for name, pattern in (("repository", REPOSITORY), ("digest", DIGEST)):
        if not pattern.fullmatch(str(entry.get(name, ""))):
            yield f".{name}: {entry.get(name)!r}, expected {pattern.pattern}"
    for name in ("tag", "source"):
        if not isinstance(entry.get(name, ""), str):
            yield f".{name}: {entry[name]!r}, expected text in quotes"

"""A commit made ready to run: looked at as compose sees it, its images here and pinned, its containers marked.

The release is what compose makes of the files, whole: no variable is left in it, so a change of the environment travels
like any other, and nothing but the release decides what runs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from provisioning.compose.look import LOOK_TIMEOUT_S, ComposeRefused, Project, objections, program, seen
from provisioning.compose.model import Model, scale
from provisioning.errors import ProvisioningError
from provisioning.gate.config import Gated
from provisioning.gate.engine import Engine, EngineError, pull, run
from provisioning.gate.state import Version
from provisioning.git import Snapshot

MARK = "hypercompose.release"
ROLLING = "x-rolling"
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


class Refusal(ProvisioningError):
    """The commit is not deployed; what runs was not touched. `again`: what is in its way may go by itself."""

    def __init__(self, text: str, *, again: bool) -> None:
        """Take the reason."""
        super().__init__(text)
        self.again = again


@dataclass(frozen=True)
class Candidate:
    """A version, with the text of its release."""

    version: Version
    text: str


def key_of(stack: Gated, commit: str, salt: bytes) -> str:
    """What makes a release another one, before it is known what its tags mean."""
    parts = [commit, stack.path, stack.additional, dict(sorted(stack.env.items())), stack.allowed_paths]
    return _hash(parts, salt)


def prepare(stack: Gated, source: Snapshot, engine: Engine, *, salt: bytes, by: str) -> Candidate:
    """Raises Refusal."""
    project = _project(stack, source)
    try:
        found = seen(run(["bash", "-s"], LOOK_TIMEOUT_S, program(project)))
    except ComposeRefused as error:
        raise Refusal(str(error), again=False) from error
    except EngineError as error:
        raise Refusal(str(error), again=True) from error
    if against := [*objections(project, found), *_objections(found.model)]:
        ports_only = all(text.startswith("port ") for text in against)
        raise Refusal("; ".join(against), again=ports_only)
    images = {name: _pinned(service, engine) for name, service in found.model.services.items()}
    content, marks = _release(found.model, images, salt)
    version = Version(
        commit=source.commit,
        author=source.author,
        subject=source.subject,
        key=key_of(stack, source.commit, salt),
        release="",
        images=images,
        marks=marks,
        scales={name: scale(service) for name, service in found.model.services.items()},
        tags=found.model.images,
        by=by,
    )
    header = f"# Release of {source.commit} for the stack {stack.name}: compose's own form of it, images pinned.\n"
    return Candidate(version, header + json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def released(candidate: Candidate, release: str) -> Candidate:
    """The same under its release commit."""
    return replace(candidate, version=replace(candidate.version, release=release))


def _project(stack: Gated, source: Snapshot) -> Project:
    order = [stack.path, *stack.additional]
    if missing := [path for path in order if path not in source.files]:
        has = ", ".join(sorted(source.files)[:8]) or "nothing"
        raise Refusal(
            f"path {missing[0]}: not in {stack.ref}, which has {has}; move it back, or change `path`", again=False
        )
    texts = {path: _text(content) for path, content in source.files.items()}
    if binary := [path for path in order if texts[path] is None]:
        raise Refusal(f"path {binary[0]}: is no UTF-8 text, which a compose file must be", again=False)
    files = {path: text for path, text in texts.items() if text is not None}
    env, allowed = dict(stack.env), stack.allowed_paths
    return Project(name=stack.name, files=files, order=order, env=env, allowed_paths=allowed)


def folder_of(stack: Gated) -> str:
    """Where in the repository its files are."""
    found = str(PurePosixPath(stack.path).parent)
    return "" if found == "." else found


def _objections(model: Model) -> Iterator[str]:
    """What no release could hold."""
    rolling = model.content.get(ROLLING)
    if rolling is not None and not (isinstance(rolling, list) and set(map(str, rolling)) <= set(model.services)):
        yield f"{ROLLING}: {rolling!r}, expected a list of services of the file ({', '.join(model.services)})"
    if not model.services:
        yield "services: none is left to run; expected one at least"
    for name, service in model.services.items():
        if not service.get("image"):
            yield f"services.{name}.image: none, expected an image of a registry; nothing is built on the host"
    for kind in ("secrets", "configs"):
        for name, entry in (model.content.get(kind) or {}).items():
            if entry.get("environment"):
                yield f"{kind}.{name}.environment: {entry['environment']}, expected `file` or `external`"


def _pinned(service: Mapping[str, Any], engine: Engine) -> str:
    """The image by digest, on this host. One that is here only, and never pulled, stays as it is named."""
    image = str(service["image"])
    if _DIGEST.search(image) and engine.has(image):
        return image
    if service.get("pull_policy") == "never":
        if engine.has(image):
            return image
        raise Refusal(f"image {image}: not on this host, and `pull_policy: never`; put it there", again=True)
    try:
        digest = pull(image)
    except EngineError as error:
        raise Refusal(f"{error}; push it, or correct its name", again=True) from error
    return image if _DIGEST.search(image) else f"{image}@{digest}"


def _release(model: Model, images: Mapping[str, str], salt: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """The file's content, and by service the mark that its containers get: another one only where something differs."""
    content = json.loads(json.dumps(model.content))
    marks = {}
    for name, service in content["services"].items():
        service.pop("build", None)
        if name not in images:
            continue
        service |= {"image": images[name], "pull_policy": "never"}
        used = {
            kind: {entry["source"]: (content.get(kind) or {}).get(entry["source"]) for entry in service.get(kind) or ()}
            for kind in ("configs", "secrets")
        }
        marks[name] = _hash([service, used], salt)[:16]
        service["labels"] = {**(service.get("labels") or {}), MARK: marks[name]}
    return content, marks


def _hash(content: Any, salt: bytes) -> str:
    """Of values that may be secret: salted with what only this host has."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), key=salt, digest_size=16).hexdigest()


def _text(content: bytes) -> str | None:
    try:
        return None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None

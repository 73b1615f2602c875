"""A gated host in memory: a repository, a registry, Portainer, and containers that fare as their images say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from provisioning.compose.containers import Container
from provisioning.compose.look import Project
from provisioning.gate import candidate, deployment, rollout, watch
from provisioning.gate.candidate import MARK
from provisioning.gate.config import Folders, Gated
from provisioning.gate.engine import EngineError
from provisioning.gate.mirror import Mirror
from provisioning.gate.rollout import Rollout
from provisioning.gate.state import State, Store, Version
from provisioning.git import GitError, Snapshot
from provisioning.host import Result

REF, LONG_AGO, SALT = "refs/heads/main", "2020-01-01T00:00:00Z", b"salt of this host"
SECRETS = {"password": "Canary-git", "hook": "Canary-hook", "webhook": "Canary-webhook", "hide": ["Canary-hidden"]}
SETTINGS: dict[str, Any] = {
    "name": "shop", "url": "https://git.lab/shop.git", "ref": REF, "path": "compose.yaml", "additional": [],
    "user": "lab", "authorities": "", "env": {"LEVEL": "info"}, "allowed_paths": [], "interval_s": 60, "timeout_s": 1,
    "commit": "", "repushed": "report", "running": True, "portainer": "https://10.0.0.9:9443", "certificate": "PEM",
    **SECRETS,
}  # fmt: skip
WEB = "services: {{web: {{image: 'r/web:{tag}'}}}}\n"


def compose(tag: str) -> str:
    """A compose file whose one service runs that tag."""
    return WEB.format(tag=tag)


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def gated(**changes: Any) -> Gated:
    found = {**SETTINGS, **changes}
    lists = {key: tuple(found[key]) for key in ("additional", "allowed_paths", "hide")}
    return Gated(**{**found, **lists})


def version(commit: str = "c1", **changes: Any) -> Version:
    """One that has run, with one service."""
    image = f"r/web:{commit}@{digest(commit)}"
    found: dict[str, Any] = {
        "commit": commit, "author": "A <a@b>", "subject": "s", "key": f"key-{commit}", "release": f"release-{commit}",
        "images": {"web": image}, "marks": {"web": f"mark-{commit}"}, "scales": {"web": 1},
        "tags": {"web": f"r/web:{commit}"}, "by": "poll", **changes,
    }  # fmt: skip
    return Version(**found)


def container(mark: str = "mark-c1", **changes: Any) -> Container:
    found: dict[str, Any] = {
        "id": "id-web", "service": "web", "image": f"r/web:c1@{digest('c1')}", "image_id": "i", "state": "running",
        "exit_code": 0, "health": "none", "restarts": 0, "restart_policy": "always", "error": "", "said_at_check": "",
        "labels": {MARK: mark}, "started": LONG_AGO, **changes,
    }  # fmt: skip
    return Container(**found)


class FakeEngine:
    """Containers that somebody lists; their last words by id."""

    def __init__(self, *found: Container, words: dict[str, list[str]] | None = None) -> None:
        self.found, self.words, self.images = list(found), words or {}, set[str]()
        self.down = False

    def containers(self, project: str) -> list[Container]:
        if self.down:
            raise EngineError("Docker does not answer on this host (refused)")
        return list(self.found)

    def logs(self, identity: str) -> list[str]:
        return self.words.get(identity, [])

    def has(self, image: str) -> bool:
        return image in self.images

    def volume(self, name: str) -> Path | None:
        return None


@dataclass
class Source:
    """A repository whose ref is at the last commit that was pushed."""

    at: str | None = None
    commits: dict[str, Snapshot] = field(default_factory=dict)
    error: str = ""
    on_fetch: Callable[[], None] = lambda: None

    def push(self, *text: str, **files: bytes) -> str:
        found = {"compose.yaml": text[0].encode()} if text else {}
        commit = hashlib.sha1(repr((len(self.commits), text, files)).encode()).hexdigest()  # noqa: S324
        self.commits[commit] = Snapshot(commit=commit, files={**found, **files}, author="A <a@b>", subject="why")
        self.at = commit
        return commit

    def head(self, ref: str) -> str | None:
        if self.error:
            raise GitError(self.error)
        return self.at

    def fetch(self, ref: str, below: str = "") -> Snapshot:
        self.on_fetch()
        if self.at is None:
            raise GitError(f"has no {ref}")
        return self.commits[self.at]


class World:
    """What a rollout meets. Images whose tag begins with `bad` crash, with `slow` never become healthy."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.source, self.engine = folder, Source(), FakeEngine()
        self.pushed: dict[str, str] = {}
        """Tags that were pushed again: another digest."""
        self.missing: set[str] = set()
        """Images that no registry has."""
        self.deaf = ""
        """What Portainer says in place of deploying."""
        self.knocks = 0
        self.by_itself: list[str] = []
        self.stack = gated()
        self.told: list[str] = []
        self.on_knock: Callable[[], None] = lambda: None
        for module in (rollout, candidate):
            patch.setattr(module, "pull", self.pull)
        patch.setattr(candidate, "program", lambda project: project)
        patch.setattr(candidate, "run", self.look)
        patch.setattr(deployment, "knock", self.knock)
        patch.setattr(deployment, "up", self.up)
        patch.setattr(deployment, "remove", self.remove)
        patch.setattr(deployment, "LOOK_S", 0.001)
        for name in ("KNOCK_AGAIN_S", "KNOCK_BACK_S", "ALONE_S"):
            patch.setattr(deployment, name, 0.02)
        patch.setattr(watch, "GONE_S", 0.02)

    @property
    def store(self) -> Store:
        return Store(self.folder)

    @property
    def state(self) -> State:
        return self.store.load()

    @property
    def mirror(self) -> Mirror:
        return Mirror(self.folder / "release.git")

    @property
    def running(self) -> set[str]:
        """Tags of what runs."""
        return {each.image.partition("@")[0] for each in self.engine.found if each.is_well}

    def results(self) -> list[str]:
        return [event["result"] for event in self.store.history()]

    def works(self, **changes: Any) -> Rollout:
        """A process that starts anew over what is on disk."""
        self.stack = replace(self.stack, **changes)
        self.folder.mkdir(parents=True, exist_ok=True)
        source, engine = self.source, self.engine
        return Rollout(self.stack, self.store, self.mirror, engine, source, SALT, self.told.append)  # type: ignore[arg-type]

    def turn(self, by: str = "poll", **how: bool) -> State:
        return self.works().turn(by, **how)

    def release(self, tag: str) -> str:
        """Push a commit, and let it be released."""
        commit = self.source.push(compose(tag))
        self.turn()
        return commit

    def pull(self, image: str) -> str:
        tag = image.partition("@")[0]
        if tag in self.missing:
            raise EngineError(f"image {image}: manifest unknown")
        return self.pushed.get(tag, digest(tag))

    def look(self, command: list[str], timeout_s: float, project: Project) -> Result:
        """As compose does: variables filled in, a dollar that is meant doubled."""
        try:
            found = yaml.safe_load(project.files[project.order[0]])
            filled = json.loads(json.dumps(found), object_hook=lambda each: _filled(each, project.env))
        except (yaml.YAMLError, ValueError) as error:
            return Result(15, "", f"yaml: {error}")
        return Result(0, f"/inside\n{json.dumps(filled)}\ncontainers\n", "")

    def knock(self, stack: Gated) -> str:
        self.knocks += 1
        self.on_knock()
        if not self.deaf:
            self.deploy(self.mirror.text(self.mirror.head()))
        return self.deaf

    def deploy(self, text: str) -> None:
        kept = {each.labels[MARK]: each for each in self.engine.found}
        services = json.loads(text.partition("\n")[2])["services"]
        new = [kept.get(found["labels"][MARK]) or _started(name, found) for name, found in services.items()]
        self.engine.found = new + [each for each in self.engine.found if each.service not in services]

    def up(self, project: str, text: str, timeout_s: float) -> None:
        self.by_itself.append(project)
        self.deploy(text)

    def remove(self, containers: list[str]) -> None:
        self.engine.found = [each for each in self.engine.found if each.id not in containers]


def _started(service: str, found: dict[str, Any]) -> Container:
    tag = found["image"].partition("@")[0].rpartition(":")[2]
    is_bad, is_slow = tag.startswith("bad"), tag.startswith("slow")
    mark = found["labels"][MARK]
    return container(
        mark, id=f"{service}-{mark}", service=service, image=found["image"],
        state="exited" if is_bad else "running", exit_code=int(is_bad), health="starting" if is_slow else "none",
    )  # fmt: skip


def _filled(found: dict[str, Any], env: Any) -> dict[str, Any]:
    def value(each: Any) -> Any:
        if isinstance(each, str):
            return Template(each).substitute(env).replace("$", "$$")
        return [value(one) for one in each] if isinstance(each, list) else each

    return {key: value(each) for key, each in found.items()}


def write(folders: Folders, **changes: Any) -> str:
    """Settings of one stack on the host; its name."""
    found = {**SETTINGS, **changes}
    file = folders.file_of(found["name"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found))
    return str(found["name"])

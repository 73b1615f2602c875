"""A stack, its containers, its host and its repository, as plain objects that a test moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from provisioning.compose.containers import Container
from provisioning.host import Address, Result
from provisioning.portainer.env_values import from_pairs, to_pairs
from provisioning.portainer.stacks import AutoUpdate, GitSource
from provisioning.portainer.wanted import OWNER, Scene, Wanted

ADDRESS = Address(host="10.0.0.9", user="ops", host_key="ssh-ed25519 AAAA")
OURS = "lab/dev/shop"
REF = "refs/heads/dev/shop"
OLD, NEW = "a" * 40, "b" * 40
BESIDE = "c" * 40
SOURCE = GitSource(url="https://git.lab/a.git", ref=REF, path="compose.yaml", user="ops", password="git-pw")
INSIDE = "/run/hypercompose-compose.x/project"


def container(service: str = "web", **changes: Any) -> Container:
    usual: dict[str, Any] = {
        "id": f"{service}-1", "service": service, "image": f"{service}:1", "image_id": "sha256:1", "state": "running",
        "exit_code": 0, "health": "none", "restarts": 0, "restart_policy": "always", "error": "", "said_at_check": "",
    }  # fmt: skip
    return Container(**{**usual, **changes})


def stack(*, owner: str | None = OURS, commit: str = OLD, env: dict[str, str] | None = None) -> dict[str, Any]:
    """A stack as the server tells of it; without a commit, one of text."""
    marked = {**(env or {}), **({OWNER: owner} if owner else {})}
    git = {"ReferenceName": REF, "ConfigHash": commit} if commit else None
    found = {"Id": 7, "Name": "shop", "EndpointId": 3, "Status": 1, "Env": to_pairs(marked), "GitConfig": git}
    return {**found, "AutoUpdate": {"Interval": "5m", "Webhook": "w-1"}}


@dataclass
class FakeStacks:
    """Keeps one stack; `on_deploy` is what a deployment does to the world."""

    found: dict[str, Any] | None = None
    content: str = "services: {}"
    calls: list[tuple[str, Any]] = field(default_factory=list)
    on_deploy: Callable[[], None] = lambda: None

    def find(self, name: str) -> dict[str, Any] | None:
        return self.found if self.found and self.found["Name"] == name else None

    def get(self, identity: int) -> dict[str, Any] | None:
        return self.found

    def text(self, identity: int) -> str:
        return self.content

    def create_git(self, name: str, source: GitSource, env: dict[str, str], update: AutoUpdate) -> dict[str, Any]:
        self.calls.append(("create_git", (source.ref, env, update)))
        return self._deploy({**stack(), "Env": to_pairs(env)})

    def create_inline(self, name: str, text: str, env: dict[str, str]) -> dict[str, Any]:
        self.calls.append(("create_inline", (text, env)))
        self.content = text
        return self._deploy({**stack(commit=""), "Env": to_pairs(env)})

    def put_inline(self, identity: int, text: str, env: dict[str, str]) -> dict[str, Any]:
        self.calls.append(("put_inline", (text, env)))
        self.content = text
        return self._deploy({**(self.found or {}), "Env": to_pairs(env)})

    def set_git(self, identity: int, source: GitSource, env: dict[str, str], update: AutoUpdate) -> dict[str, Any]:
        self.calls.append(("set_git", (source.ref, env, update)))
        self.found = {**(self.found or {}), "Env": to_pairs(env)}
        return self.found

    def redeploy(self, identity: int, source: GitSource, env: dict[str, str]) -> dict[str, Any]:
        self.calls.append(("redeploy", (source.ref, env)))
        return self._deploy(self.found or {})

    def knock(self, webhook: str) -> None:
        self.calls.append(("knock", webhook))
        self.on_deploy()

    def stop(self, identity: int) -> None:
        self.calls.append(("stop", identity))
        self.found = {**(self.found or {}), "Status": 2}

    def start(self, identity: int) -> None:
        self.calls.append(("start", identity))
        self.on_deploy()
        self.found = {**(self.found or {}), "Status": 1}

    def delete(self, identity: int) -> None:
        self.calls.append(("delete", identity))
        self.found = None

    def _deploy(self, after: dict[str, Any]) -> dict[str, Any]:
        self.found = after
        self.on_deploy()
        return self.found

    @property
    def done(self) -> list[str]:
        """Names of the calls."""
        return [name for name, _ in self.calls]

    def env(self) -> dict[str, str]:
        """Of the stack as it is."""
        return from_pairs((self.found or {}).get("Env"))


@dataclass
class FakeDocker:
    """Looks from first to last, the last one for ever; what containers said, by id."""

    looks: list[list[Container]] = field(default_factory=lambda: [[container()]])
    said: dict[str, list[str]] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    marks: list[dict[str, str]] = field(default_factory=lambda: [{"com.docker.compose.project": "shop"}])
    looked: int = 0
    comes_back: list[bool] = field(default_factory=list)
    """Whether containers are there after the stack was deleted, look by look."""

    def labels(self, project: str) -> list[dict[str, str]]:
        return self.marks

    def containers(self, project: str) -> list[Container]:
        self.looked += 1
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def logs(self, identity: str) -> list[str]:
        return list(self.said.get(identity, []))

    def volumes(self, project: str) -> list[str]:
        return self.kept

    def remove_volume(self, name: str) -> None:
        self.removed.append(name)

    def remove_rest(self, project: str) -> bool:
        return self.comes_back.pop(0) if self.comes_back else False


@dataclass
class FakeRepository:
    """One ref."""

    commit: str = NEW
    files: dict[str, bytes] = field(default_factory=lambda: {"compose.yaml": b"services: {}"})
    asked: list[tuple[str, str]] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    beside: str = ""

    def snapshot(self, ref: str, below: str = "") -> tuple[str, dict[str, bytes]]:
        self.asked.append((ref, below))
        return self.commit, self.files

    def move(self, ref: str, commit: str) -> None:
        self.moved.append((ref, commit))
        self.commit = commit

    def head(self, ref: str) -> str:
        self.asked.append((ref, ""))
        return self.commit

    def follow_up(self, ref: str, commit: str, message: str) -> str:
        self.beside = ref
        return BESIDE

    def remove(self, ref: str) -> None:
        self.removed.append(ref)

    def advance(self, ref: str, commit: str) -> bool:
        if not self.moved:
            return False
        self.commit = commit
        return True


@dataclass
class FakeHosts:
    """Answers the look and the pull as compose and docker of a host would."""

    model: dict[str, Any] = field(default_factory=lambda: {"services": {"web": {"image": "web:1"}}})
    listeners: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)
    look_fails: str = ""
    pull_fails: str = ""
    programs: list[str] = field(default_factory=list)

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        self.programs.append(program)
        failed = self.pull_fails if "\npull=yes\n" in program else self.look_fails
        if failed:
            return Result(1, "", failed)
        lines = [INSIDE, json.dumps(self.model, ensure_ascii=False), *self.listeners, "containers", *self.theirs]
        return Result(0, "" if "\npull=yes\n" in program else "\n".join(lines) + "\n", "")


@dataclass
class World:
    """All of it."""

    stacks: FakeStacks = field(default_factory=FakeStacks)
    docker: FakeDocker = field(default_factory=FakeDocker)
    hosts: FakeHosts = field(default_factory=FakeHosts)
    told: list[str] = field(default_factory=list)

    def scene(self) -> Scene:
        return Scene(
            hosts=self.hosts,  # type: ignore[arg-type]
            address=ADDRESS,
            stacks=self.stacks,  # type: ignore[arg-type]
            docker=self.docker,  # type: ignore[arg-type]
            tell=self.told.append,
        )


def wanted(**changes: Any) -> Wanted:
    """A stack of text unless `source` and `repository` are given."""
    usual: dict[str, Any] = {
        "name": "shop", "owner": OURS, "update": AutoUpdate(interval="", webhook=""), "env": {"LEVEL": "new"},
        "timeout_s": 0.2,
    }  # fmt: skip
    if "source" not in changes:
        usual["inline"] = "services: {web: {image: 'web:1'}}"
    return Wanted(**{**usual, **changes})

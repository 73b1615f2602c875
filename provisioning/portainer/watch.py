"""Watch a stack come up: done when the commit asked for runs, healthy, from the images that its files name."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from provisioning.compose.containers import Container
from provisioning.errors import ProvisioningError
from provisioning.portainer.api import PortainerError, PortainerUnreachable
from provisioning.portainer.containers import Docker
from provisioning.portainer.stacks import Found, Stacks, commit_of

LOOK_S = 0.5
WELL_TWICE = 2
NEEDED_LINES = 6


class RolloutFailed(ProvisioningError):
    """The stack did not become well; the text names service, reason and last lines."""


_WARNING = re.compile(r'time="[^"]*" level=warning msg="(?:[^"\\]|\\.)*"')
_PROGRESS = re.compile(
    r"(?:Network|Volume|Container) \S+ +(?:Creat(?:ing|ed)|Start(?:ing|ed)|Waiting|Healthy|Recreated?|Running)"
)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What has to run: image by service, and the commit (empty: whatever is deployed)."""

    name: str
    images: Mapping[str, str]
    commit: str = ""
    timeout_s: float = 180
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that no error may show."""


@dataclass
class Watch:
    """Looks again and again, and keeps the last words of containers: a failed deployment removes them."""

    stacks: Stacks
    docker: Docker
    goal: Goal
    tell: Callable[[str], None] = lambda text: None
    words: dict[str, list[str]] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    old: frozenset[str] = frozenset()
    """Containers of the version before: they may stop while it is replaced."""
    _told: str = ""
    _containers: list[Container] = field(default_factory=list)
    _deployed: bool = True

    def remember(self) -> None:
        """What runs now is the version before."""
        self.old = frozenset(container.id for container in self.docker.containers(self.goal.name))

    def during(self, deploy: Callable[[], Found | None]) -> int | None:
        """Call the API, which answers when compose has ended, and look meanwhile; the stack's id."""
        with ThreadPoolExecutor(1) as pool:
            call: Future[Found | None] = pool.submit(deploy)
            while not call.done():
                with suppress(PortainerError, PortainerUnreachable):
                    self._look()
                with suppress(TimeoutError):
                    call.exception(timeout=LOOK_S)
        try:
            found = call.result()
        except PortainerError as error:
            reasons = [*self._reasons(), f"compose said: {essence(error.message)}"]
            raise RolloutFailed(self._hidden("; ".join(reasons))) from error
        return int(found["Id"]) if found else None

    def until_well(self, identity: int) -> None:
        """Wait for the goal. Raises RolloutFailed as soon as it cannot be reached any more."""
        began, well = time.monotonic(), 0
        had = bool(self.last)
        while well < WELL_TWICE:
            missing, failed = list(self._missing(identity)), list(self._failed())
            well = 0 if missing else well + 1
            had = had or bool(self.last)
            if failed:
                raise RolloutFailed(self._hidden("; ".join(failed)))
            if had and not self.last and time.monotonic() - began > 2 * LOOK_S:
                raise RolloutFailed(self._hidden("; ".join(["its containers were removed again", *self._reasons()])))
            if missing and time.monotonic() - began > self.goal.timeout_s:
                reasons = [*missing, *self._reasons()]
                raise RolloutFailed(self._hidden(f"not done within {self.goal.timeout_s:.0f} s: {'; '.join(reasons)}"))
            time.sleep(LOOK_S)

    def _look(self) -> list[Container]:
        found = self.docker.containers(self.goal.name)
        self.last = {container.service: container.told() for container in found}
        for container in found:
            if not container.is_well and container.state != "created":
                self.words[container.service] = self.docker.logs(container.id) or self.words.get(container.service, [])
                if container.said_at_check:
                    self.words[container.service] += [f"health check: {container.said_at_check}"]
        text = ", ".join(f"{service} {how}" for service, how in self.last.items())
        if text != self._told:
            self._told = text
            self.tell(text)
        return found

    def _missing(self, identity: int) -> Iterator[str]:
        """What the goal still lacks."""
        self._containers = found = self._look()
        for service, image in self.goal.images.items():
            mine = [container for container in found if container.service == service]
            if not mine:
                yield f"service {service} has no container"
            for container in mine:
                if not container.is_well:
                    yield f"service {service} is {container.told()}"
                elif container.image != image:
                    yield f"service {service} runs {container.image}, expected {image}"
        if self.goal.commit:
            stack = self.stacks.get(identity)
            running = commit_of(stack or {}) or "nothing"
            self._deployed = running == self.goal.commit
            if not self._deployed:
                yield f"commit {running[:10]} runs, expected {self.goal.commit[:10]}"

    def _failed(self) -> Iterator[str]:
        for container in self._containers:
            if container.id in self.old and not self._deployed:
                continue
            if container.cannot_start:
                yield self._reason(container.service, container.told())

    def _reasons(self) -> Iterator[str]:
        for service in sorted(self.words):
            yield self._reason(service, self.last.get(service, "gone"))

    def _reason(self, service: str, how: str) -> str:
        lines = self.words.get(service, [])[-NEEDED_LINES:]
        return f"service {service}: {how}; its last lines: {' | '.join(lines) or 'none'}"

    def _hidden(self, text: str) -> str:
        for secret in sorted(filter(None, self.goal.secrets), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text[:2000]


def essence(said: str) -> str:
    """What compose said without its warnings, and without each step that it took."""
    text = _WARNING.sub("", said)
    text = _PROGRESS.sub("", text)
    return " ".join(text.split())[-500:] or "nothing more"

"""How a release fares: its containers by their marks, until they are well or will not become so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from provisioning.compose.containers import Container
from provisioning.gate.candidate import MARK
from provisioning.gate.engine import Engine
from provisioning.gate.state import Version

LOOK_S = 0.4
STEADY_S = 2.0
"""How long a container without a health check has to run before it is believed."""
GONE_S = 4.0
"""All containers away for so long: Portainer has taken them down, as it does when compose fails."""
NEEDED_LINES = 6


@dataclass
class Watch:
    """Looks at one stack again and again; keeps the last words of containers that a failed deployment removes."""

    engine: Engine
    project: str
    hidden: Sequence[str] = field(default=(), repr=False)
    words: dict[str, list[str]] = field(default_factory=dict)
    found: list[Container] = field(default_factory=list)
    _gone_since: float = 0.0

    def look(self) -> None:
        """Take in what is there now."""
        self.found = self.engine.containers(self.project)
        for container in self.found:
            if not container.is_well and container.state != "created":
                words = self.engine.logs(container.id)
                if container.said_at_check:
                    words = [*words, f"health check: {container.said_at_check}"]
                self.words[container.service] = words or self.words.get(container.service, [])
        self._gone_since = 0.0 if self.found else (self._gone_since or time.monotonic())

    @property
    def is_gone(self) -> bool:
        """Nothing is there, and has not been for a while."""
        return not self.found and time.monotonic() - self._gone_since > GONE_S

    def missing(self, version: Version) -> Iterator[str]:
        """What the version still lacks."""
        for service, mark in version.marks.items():
            mine = [each for each in self.found if each.service == service and each.labels.get(MARK) == mark]
            if len(mine) < version.scales.get(service, 1):
                yield f"service {service} has {len(mine) or 'no'} container of this version"
            for container in mine:
                if not container.is_well:
                    yield f"service {service} is {container.told()}"
                elif container.image != version.images[service]:
                    yield f"service {service} runs {container.image}, expected {version.images[service]}"
                elif not _is_steady(container):
                    yield f"service {service} has just started"

    def lacks(self, version: Version) -> bool:
        """Whether some service of the version has no container at all."""
        marked = {(each.service, each.labels.get(MARK, "")) for each in self.found}
        return not version.marks.items() <= marked

    def failed(self, version: Version, *, ran: bool = False) -> list[str]:
        """Containers of the version that will not become well, with their last words.

        `ran`: it was well already; one that does not run any more may have been stopped by somebody.
        """
        mine = [each for each in self.found if each.labels.get(MARK, "") == version.marks.get(each.service)]
        failed = [each for each in mine if each.cannot_start and not (ran and each.was_stopped)]
        return [self._reason(each.service, each.told()) for each in failed]

    def orphans(self, version: Version) -> list[str]:
        """Containers of services that the version does not have."""
        return [container.id for container in self.found if container.service not in version.marks]

    def reasons(self) -> list[str]:
        """Last words of everything that was not well."""
        last = {container.service: container.told() for container in self.found}
        return [self._reason(service, last.get(service, "gone")) for service in sorted(self.words)]

    def _reason(self, service: str, how: str) -> str:
        lines = self.words.get(service, [])[-NEEDED_LINES:]
        text = f"service {service}: {how}; its last lines: {' | '.join(lines) or 'none'}"
        for secret in sorted(filter(None, self.hidden), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


def until(true: Callable[[], bool], seconds: float, pause_s: float = LOOK_S) -> bool:
    """Whether it became true in time."""
    limit = time.monotonic() + seconds
    while not true():
        if time.monotonic() > limit:
            return False
        time.sleep(pause_s)
    return True


def _is_steady(container: Container) -> bool:
    if container.health != "none" or container.is_done:
        return True
    started = datetime.fromisoformat(container.started[:19] + "+00:00")
    return abs((datetime.now(UTC) - started).total_seconds()) >= STEADY_S

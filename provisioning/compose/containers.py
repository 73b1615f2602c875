"""A compose project's containers as Docker tells of them: which run, how they fare, what they said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ONE_OFF = "com.docker.compose.oneoff"
LAST_LINES = 12
LOOPS = 3
"""Restarts after which a container is taken for one that cannot start."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container."""

    id: str
    service: str
    image: str
    """The reference it was made from."""
    image_id: str
    state: str
    """`running`, `exited`, `restarting`, `created`, `dead`, `paused`."""
    exit_code: int
    health: str
    """`healthy`, `unhealthy`, `starting`; `none` where no check is declared."""
    restarts: int
    restart_policy: str
    error: str
    said_at_check: str
    """Output of the last failed health check."""
    labels: Mapping[str, str] = field(default_factory=dict)
    started: str = ""
    """When it last started, as Docker writes times: `2026-11-25T20:15:00.5Z`."""

    @property
    def is_well(self) -> bool:
        """Running and not unfit, or a task that has ended with 0."""
        if self.state == "running":
            return self.health in ("healthy", "none")
        return self.is_done

    @property
    def is_done(self) -> bool:
        """A task that ran to its end."""
        return self.state == "exited" and self.exit_code == 0 and self.restart_policy in ("", "no", "on-failure")

    @property
    def has_failed(self) -> bool:
        """It will not become well by waiting."""
        return self.health == "unhealthy" or self.state == "dead" or (self.state == "exited" and not self.is_done)

    @property
    def was_stopped(self) -> bool:
        """Somebody has stopped it: Docker itself starts one again that has ended under such a policy."""
        return self.state == "exited" and self.restart_policy in ("always", "unless-stopped") and not self.restarts

    @property
    def cannot_start(self) -> bool:
        """It failed, could not be started at all, or starts again and again."""
        return self.has_failed or self.restarts >= LOOPS or (self.state == "created" and bool(self.error))

    def told(self) -> str:
        """How it fares, for people."""
        if self.error:
            return f"{self.state}: {self.error}"
        if self.state == "running":
            return "running" if self.health == "none" else self.health
        return f"{self.state} ({self.exit_code})" if self.state in ("exited", "restarting", "dead") else self.state


def of_project(project: str) -> str:
    """The filter by which Docker lists its containers; runs by hand (`compose run`) left out."""
    return json.dumps({"label": [f"{PROJECT}={project}", f"{ONE_OFF}=False"]})


def in_order(containers: Sequence[Container | None]) -> list[Container]:
    """By service; those replaced in between left out."""
    return sorted(filter(None, containers), key=lambda container: (container.service, container.id))


def container_of(found: Mapping[str, Any]) -> Container:
    """What `docker inspect` tells."""
    state, labels = found["State"], found["Config"].get("Labels") or {}
    health = state.get("Health") or {}
    return Container(
        id=str(found["Id"]),
        service=str(labels.get(SERVICE, "")),
        image=str(found["Config"]["Image"]),
        image_id=str(found["Image"]),
        state=str(state["Status"]),
        exit_code=int(state.get("ExitCode") or 0),
        health=str(health.get("Status") or "none"),
        restarts=int(found.get("RestartCount") or 0),
        restart_policy=str((found.get("HostConfig", {}).get("RestartPolicy") or {}).get("Name") or ""),
        error=str(state.get("Error") or ""),
        said_at_check=_said(health.get("Log") or ()),
        labels=labels,
        started=str(state.get("StartedAt") or ""),
    )


def plain(stream: bytes) -> list[str]:
    """Lines of a log: Docker puts a header of eight bytes before each piece where there is no terminal."""
    text, framed = bytearray(), False
    while len(stream) >= 8 and stream[0] in (0, 1, 2) and stream[1:4] == b"\0\0\0":
        size = int.from_bytes(stream[4:8], "big")
        text += stream[8 : 8 + size]
        stream, framed = stream[8 + size :], True
    rest = b"" if framed else stream  # a header that was cut off is none of what was said
    return [line.rstrip() for line in (bytes(text) + rest).decode(errors="replace").splitlines() if line.strip()]


def _said(checks: Sequence[Mapping[str, Any]]) -> str:
    failed = [str(check.get("Output", "")).strip() for check in checks if check.get("ExitCode")]
    return " ".join(failed[-1].split())[:300] if failed else ""

"""The containers of a compose project, through Portainer's Docker proxy: which run, how they fare, what they said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioning.portainer.api import Portainer, PortainerError

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ONE_OFF = "com.docker.compose.oneoff"
LAST_LINES = 12


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container as Docker tells of it."""

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

    def told(self) -> str:
        """How it fares, for people."""
        if self.error:
            return f"{self.state}: {self.error}"
        if self.state == "running":
            return "running" if self.health == "none" else self.health
        return f"{self.state} ({self.exit_code})" if self.state in ("exited", "restarting", "dead") else self.state


class Docker:
    """Docker's API of one environment."""

    def __init__(self, server: Portainer, environment: int) -> None:
        """Take the session and the id of the environment."""
        self._server, self._root = server, f"/endpoints/{environment}/docker"

    def containers(self, project: str) -> list[Container]:
        """All of a project, by service; runs by hand (`compose run`) left out."""
        filters = json.dumps({"label": [f"{PROJECT}={project}", f"{ONE_OFF}=False"]})
        found = self._server.get(f"{self._root}/containers/json", all=1, filters=filters)
        ids = [str(entry["Id"]) for entry in found]
        inspected = [self._inspect(identity) for identity in ids]
        return sorted(filter(None, inspected), key=lambda container: (container.service, container.id))

    def labels(self, project: str) -> list[Mapping[str, str]]:
        """Labels of each of a project's containers."""
        filters = json.dumps({"label": [f"{PROJECT}={project}"]})
        found = self._server.get(f"{self._root}/containers/json", all=1, filters=filters)
        return [entry.get("Labels") or {} for entry in found]

    def logs(self, container: str, lines: int = LAST_LINES) -> list[str]:
        """The last lines it wrote."""
        path = f"{self._root}/containers/{container}/logs"
        try:
            text = self._server.call("GET", path, params={"stdout": 1, "stderr": 1, "tail": lines}, raw=True)
        except PortainerError:
            return []  # gone in between
        return plain(text)[-lines:]

    def image(self, reference: str) -> Mapping[str, Any] | None:
        """An image that is there."""
        try:
            found: Mapping[str, Any] = self._server.get(f"{self._root}/images/{reference}/json")
        except PortainerError as error:
            if error.status == 404:
                return None
            raise
        return found

    def volumes(self, project: str) -> list[str]:
        """Names of a project's volumes."""
        found = self._server.get(f"{self._root}/volumes", filters=json.dumps({"label": [f"{PROJECT}={project}"]}))
        return [str(volume["Name"]) for volume in found.get("Volumes") or ()]

    def remove_volume(self, name: str) -> None:
        """Remove one with its data."""
        self._server.delete(f"{self._root}/volumes/{name}")

    def _inspect(self, identity: str) -> Container | None:
        try:
            return _container(self._server.get(f"{self._root}/containers/{identity}/json"))
        except PortainerError as error:
            if error.status == 404:
                return None  # replaced in between
            raise


def plain(stream: bytes) -> list[str]:
    """Lines of a log: Docker puts a header of eight bytes before each piece where there is no terminal."""
    text, framed = bytearray(), False
    while len(stream) >= 8 and stream[0] in (0, 1, 2) and stream[1:4] == b"\0\0\0":
        size = int.from_bytes(stream[4:8], "big")
        text += stream[8 : 8 + size]
        stream, framed = stream[8 + size :], True
    rest = b"" if framed else stream  # a header that was cut off is none of what was said
    return [line.rstrip() for line in (bytes(text) + rest).decode(errors="replace").splitlines() if line.strip()]


def _container(found: Mapping[str, Any]) -> Container:
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
    )


def _said(checks: Sequence[Mapping[str, Any]]) -> str:
    failed = [str(check.get("Output", "")).strip() for check in checks if check.get("ExitCode")]
    return " ".join(failed[-1].split())[:300] if failed else ""

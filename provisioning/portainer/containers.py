"""Docker of one environment, through Portainer's proxy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from provisioning.compose.containers import LAST_LINES, PROJECT, Container, container_of, in_order, of_project, plain
from provisioning.portainer.api import Portainer, PortainerError


class Docker:
    """Docker's API of one environment."""

    def __init__(self, server: Portainer, environment: int) -> None:
        """Take the session and the id of the environment."""
        self._server, self._root = server, f"/endpoints/{environment}/docker"

    def containers(self, project: str) -> list[Container]:
        """All of a project, by service; runs by hand (`compose run`) left out."""
        found = self._server.get(f"{self._root}/containers/json", all=1, filters=of_project(project))
        return in_order([self._inspect(str(entry["Id"])) for entry in found])

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

    def remove_rest(self, project: str) -> bool:
        """Remove a project's containers and networks; whether there were containers."""
        label = f"{PROJECT}={project}"
        found = self._server.get(f"{self._root}/containers/json", all=1, filters=json.dumps({"label": [label]}))
        for entry in found:
            self._remove(str(entry["Id"]))
        if found:
            prune = {"filters": json.dumps({"label": [label]})}
            self._server.call("POST", f"{self._root}/networks/prune", params=prune)
        return bool(found)

    def _remove(self, container: str) -> None:
        try:
            self._server.call("DELETE", f"{self._root}/containers/{container}", params={"force": "true"})
        except PortainerError as error:
            if error.status not in (404, 409):
                raise  # else somebody removes it already

    def _inspect(self, identity: str) -> Container | None:
        try:
            return container_of(self._server.get(f"{self._root}/containers/{identity}/json"))
        except PortainerError as error:
            if error.status == 404:
                return None  # replaced in between
            raise

"""The host's Docker: its API over the socket for looking, its own program for pulling and for compose."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from provisioning.compose.containers import LAST_LINES, Container, container_of, in_order, of_project, plain
from provisioning.errors import ProvisioningError
from provisioning.host import Result

SOCKET = "/var/run/docker.sock"
TIMEOUT_S = 30
PULL_TIMEOUT_S = 900
_DIGEST = re.compile(r"^Digest: (sha256:[0-9a-f]{64})$", re.M)


class EngineError(ProvisioningError):
    """Docker did not answer, or said no."""


class Engine:
    """Docker's API. Reads only."""

    def __init__(self, path: str = SOCKET) -> None:
        """Take the path of its socket."""
        self._path = path

    def containers(self, project: str) -> list[Container]:
        """All of a project, by service."""
        found = self._json("/containers/json", all=1, filters=of_project(project))
        inspected = [self._json(f"/containers/{entry['Id']}/json", missing=None) for entry in found]
        return in_order([container_of(entry) for entry in inspected if entry])

    def logs(self, container: str) -> list[str]:
        """The last lines it wrote."""
        status, body = self._call(f"/containers/{container}/logs", stdout=1, stderr=1, tail=LAST_LINES)
        return plain(body)[-LAST_LINES:] if status == 200 else []

    def has(self, image: str) -> bool:
        """Whether an image is there."""
        return self._json(f"/images/{quote(image)}/json", missing=None) is not None

    def volume(self, name: str) -> Path | None:
        """Where on the host a volume's data lies; None where there is none of that name."""
        found = self._json(f"/volumes/{quote(name)}", missing=None)
        return Path(found["Mountpoint"]) if found else None

    def _json(self, path: str, missing: Any = ..., **query: str | int) -> Any:
        status, body = self._call(path, **query)
        if status == 404 and missing is not ...:
            return missing
        found = json.loads(body or b"null")
        if status >= 300:
            raise EngineError(f"Docker: {path}: {(found or {}).get('message')} ({status})")
        return found

    def _call(self, path: str, **query: str | int) -> tuple[int, bytes]:
        connection = _Connection(self._path)
        try:
            connection.request("GET", f"{path}?{urlencode(query)}", headers={"Host": "docker"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise EngineError(f"Docker does not answer on this host ({error})") from error
        finally:
            connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self._path)


def pull(image: str) -> str:
    """Fetch an image with the host's login; its digest. EngineError says why not."""
    done = run(["docker", "pull", image], PULL_TIMEOUT_S)
    digest = _DIGEST.search(done.stdout)
    if done.exit_code or not digest:
        said = done.stderr.strip().splitlines()[-1:] or ["docker pull told no digest"]
        raise EngineError(f"image {image}: {said[0].removeprefix('Error response from daemon: ')}")
    return digest[1]


def up(project: str, text: str, timeout_s: float) -> None:
    """Bring a release up without Portainer. EngineError with compose's last words."""
    command = ["docker", "compose", "--ansi", "never", "--project-name", project, "--file", "-"]
    done = run([*command, "up", "--detach", "--remove-orphans", "--pull", "never"], timeout_s, text)
    if done.exit_code:
        raise EngineError(f"compose: {' '.join(done.stderr.split())[-500:]}")


def remove(containers: list[str]) -> None:
    """Remove containers of services that a release has no more."""
    if containers:
        run(["docker", "rm", "--force", *containers], TIMEOUT_S)


def run(command: list[str], timeout_s: float, stdin: str = "") -> Result:
    """A program's end. EngineError where it does not end in time."""
    environment: Mapping[str, str] = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
    }
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False,
            env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"{' '.join(command[:2])}: did not end within {timeout_s:.0f} s") from error
    except OSError as error:
        raise EngineError(f"{command[0]}: {error}") from error
    return Result(done.returncode, done.stdout, done.stderr)

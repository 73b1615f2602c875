"""Programs set-up needs: found, else installed from the distribution, else named in one sentence."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from setup.cached import locked
from setup.places import cache_home
from setup.process import run_quietly
from setup.report import SetupError, work


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program, the Debian package it comes in, and what to do where that package is no help."""

    name: str
    package: str
    remedy: str
    folders: tuple[str, ...] = ()
    """Where it may be without being on PATH, such as the place its own installer uses."""
    minimum: tuple[int, int] | None = None


GIT = Tool(name="git", package="git", remedy="install git")
DOCKER = Tool(
    name="dockerd",
    package="docker.io",
    remedy="install Docker Engine (https://docs.docker.com/engine/install/)",
    folders=("/usr/sbin", "/usr/local/sbin"),
)
SSH = Tool(name="ssh", package="openssh-client", remedy="install the OpenSSH client")
# From 1.21 on, go fetches the toolchain that a go.mod asks for by itself, so an older one than go.mod's is enough.
GO = Tool(
    name="go",
    package="golang-go",
    remedy="install Go 1.26 or newer (https://go.dev/dl/), or the Pulumi CLI (https://www.pulumi.com/docs/install/)",
    folders=("/usr/local/go/bin", "/usr/lib/go/bin"),
    minimum=(1, 21),
)


def ensure(tool: Tool) -> Path:
    """Path of the program; installs its package on Debian or Ubuntu as root, else raises SetupError."""
    found = find(tool)
    if found is None and _can_install(tool):
        cache_home().mkdir(parents=True, exist_ok=True)
        with locked(cache_home() / "packages.lock", f"{tool.name}: waiting for another installation"):
            _install(tool)
        found = find(tool)
    if found is None:
        raise SetupError(f"{tool.name}: not found or too old on this machine; {tool.remedy}.")
    return found


def _install(tool: Tool) -> None:
    """Unless somebody else has done it meanwhile."""
    if find(tool) is None:
        with work(f"{tool.name}: installing {tool.package} from the distribution"):
            _apt_install(tool.package)


def find(tool: Tool) -> Path | None:
    """The program on PATH or in its usual folders, if it is there and new enough."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *tool.folders])
    found = shutil.which(tool.name, path=places)
    if found is None or (tool.minimum and version_of_go(found) < tool.minimum):
        return None
    return Path(found)


def version_of_go(program: str) -> tuple[int, int]:
    """`go version go1.26.8 linux/amd64` as (1, 26); (0, 0) when it does not say."""
    # GOTOOLCHAIN=local: ask this very program, not one it would fetch for the folder we happen to stand in.
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    said = subprocess.run([program, "version"], env=env, capture_output=True, text=True, check=False).stdout
    match = re.search(r"go(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _can_install(tool: Tool) -> bool:
    """Whether apt is here, we may use it, and its version is new enough to be worth it."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    return tool.minimum is None or _candidate(tool.package) >= tool.minimum


def _candidate(package: str) -> tuple[int, int]:
    """Version apt would install: `Candidate: 2:1.19~1` is (1, 19)."""
    said = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False).stdout
    match = re.search(r"Candidate: (?:\d+:)?(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _apt_install(package: str) -> None:
    """Install without questions; the package lists are fetched first, since a fresh machine has none."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    run_quietly(["apt-get", "update", "-q"], env=env, remedy="Check the distribution's package sources.")
    run_quietly(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], env=env)

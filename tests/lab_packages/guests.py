"""Guests that install packages: commands as root, and what differs between dnf and apt."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from docker.models.containers import Container


class Said(NamedTuple):
    """How a command in a guest ended, and what it said."""

    code: int
    text: str


@dataclass(frozen=True)
class Family:
    """One of the two package programs, as commands."""

    image: str
    format: str
    add_docker: str
    """Adds Docker's repository, its key included."""
    install: str
    join: str
    """Between a package's name and its version."""
    version: str
    """Prints the installed version of a package."""
    security_update: str


DNF = Family(
    image="rocky-9",
    format="rpm",
    add_docker=r"""cat > /etc/yum.repos.d/docker-ce.repo <<'END'
[docker-ce-stable]
name=Docker CE Stable
baseurl=http://packages:8081/rpm/$releasever/docker
gpgcheck=1
repo_gpgcheck=1
gpgkey=http://packages:8081/docker.asc
END""",
    install="dnf -q -y install",
    join="-",
    version="rpm -q --queryformat '%{VERSION}-%{RELEASE}'",
    security_update="dnf -q -y upgrade --security",
)
APT = Family(
    image="debian-13",
    format="deb",
    add_docker="""curl -sSf -o /etc/apt/keyrings/docker.asc http://packages:8081/docker.asc
cat > /etc/apt/sources.list.d/docker.sources <<'END'
Types: deb
URIs: http://packages:8081/apt/docker
Suites: trixie
Components: stable
Signed-By: /etc/apt/keyrings/docker.asc
END
apt-get -q update""",
    install="DEBIAN_FRONTEND=noninteractive apt-get -q -y --allow-downgrades install",
    join="=",
    version="dpkg-query --show --showformat '${Version}'",
    security_update="unattended-upgrade",
)


@dataclass(frozen=True)
class Guest:
    """A guest and its family."""

    family: Family
    container: Container

    def try_run(self, script: str) -> Said:
        """Run a script as root."""
        done = self.container.exec_run(["sh", "-ec", script])
        assert isinstance(done.exit_code, int) and isinstance(done.output, bytes)
        return Said(done.exit_code, done.output.decode(errors="replace").strip())

    def run(self, script: str) -> str:
        """What a script printed that must work."""
        said = self.try_run(script)
        assert said.code == 0, f"{script}: {said.text}"
        return said.text

    def install(self, versions: Mapping[str, str]) -> None:
        """Bring packages to exactly these versions, up or down."""
        named = (f"{name}{self.family.join}{version}" for name, version in versions.items())
        self.run(f"{self.family.install} {' '.join(named)}")

    def put(self, folder: Path, at: str) -> None:
        """Copy a folder into the guest, as `at` of /srv."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.add(folder, at)
        assert self.container.put_archive("/srv", buffer.getvalue())

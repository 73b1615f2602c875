"""Docker on a guest as DockerHost chains it: the kinds in their order with arguments for the lab."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab.packages.build import docker_versions, ensure_packages
from provisioning.steps.kind import AS_WANTED
from provisioning.steps.kinds import BY_NAME
from tests.steps.guests import PACKAGES, REGISTRY, StepGuests

OLD = {
    "docker-ce": "26.1.5",
    "docker-ce-cli": "26.1.5",
    "containerd.io": "1.7.24",
    "docker-buildx-plugin": "0.13.1",
    "docker-compose-plugin": "2.26.1",
}
DAEMON = {
    "default-address-pools": [{"base": "172.20.0.0/14", "size": 24}],
    "icc": False,
    "live-restore": True,
    "log-opts": {"max-size": "10m"},
    "no-new-privileges": True,
    "userland-proxy": False,
}


@dataclass(frozen=True)
class DockerChain:
    """Converges, reads and takes back the whole of it on one guest."""

    guests: StepGuests
    family: str

    def arguments(self, **changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Arguments by kind, in the order of DockerHost."""
        key = self.guests.text("packages/docker.asc")
        web = {"ports": ["8080/tcp"], "sources": [f"{self.gateway}/32"]}
        found: dict[str, dict[str, Any]] = {
            "DockerRepository": {
                "dnf": {"url": f"{PACKAGES}/rpm/9/docker", "key": key},
                "apt": {"url": f"{PACKAGES}/apt/docker", "suite": "trixie", "components": ["stable"], "key": key},
            },
            "DockerDaemon": {"config": DAEMON},
            "DockerFirewall": {"published": {"web": web}, "undeclared": "closed", "pools": ["172.20.0.0/14"]},
            "DockerPackages": {"versions": OLD, "replace": False},
            "DockerService": {"running": True, "enabled": True},
            "DockerUsers": {"users": ["ops"]},
            "RegistryTrust": {"registry": REGISTRY, "ca": self.guests.text("tls/ca.crt")},
            "RegistryLogin": {"registry": REGISTRY, "user": "lab", "password": self.guests.registry_password},
            "DockerProof": {"image": f"{REGISTRY}/lab/probe:1", "port": 8080},
        }
        for kind, change in changes.items():
            found[kind] = {**found[kind], **change}
        return found

    def converge(self, **changes: Mapping[str, Any]) -> list[str]:
        """Bring everything about; the kinds that changed something."""
        changed = []
        for kind, args in self.arguments(**changes).items():
            step = BY_NAME[kind].step(f"walk-{kind}", args)
            if self.guests.hosts.converge(self.guests.addresses[self.family], step).changed:
                changed.append(kind)
        return changed

    def drift(self) -> dict[str, dict[str, Any]]:
        """What differs from the arguments, by kind."""
        found = {}
        for kind, args in self.arguments().items():
            step = BY_NAME[kind].step(f"walk-{kind}", args)
            seen = self.guests.hosts.look(self.guests.addresses[self.family], step)
            now = BY_NAME[kind].read(args, seen)
            if now != {**args, "state": AS_WANTED}:
                found[kind] = {name: value for name, value in now.items() if value != args.get(name, AS_WANTED)}
        return found

    def revert(self, *kinds: str) -> None:
        """Take it back, last first."""
        for kind, args in reversed(self.arguments().items()):
            if not kinds or kind in kinds:
                step = BY_NAME[kind].step(f"walk-{kind}", args)
                self.guests.hosts.revert(self.guests.addresses[self.family], step)

    def must(self, script: str) -> str:
        """As root on the guest."""
        return self.guests.must(self.family, script).strip()

    @property
    def address(self) -> str:
        """Of the guest."""
        return self.guests.addresses[self.family].host

    @property
    def gateway(self) -> str:
        """This machine, as the guests see it."""
        return self.address.rpartition(".")[0] + ".1"

    def newer(self) -> dict[str, str]:
        """The second set of versions, with the containerd that both share."""
        sets = docker_versions(ensure_packages())["b"]["rpm"]
        plain = {name: evr.partition(":")[2] or evr for name, evr in sets.items()}
        return {name: version.partition("-")[0] for name, version in plain.items()} | {"containerd.io": "1.7.24"}

    def open_from_here(self, port: int) -> bool:
        """Whether the container behind a port answers this machine."""
        try:
            with socket.create_connection((self.address, port), timeout=1) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return connection.recv(1) != b""
        except OSError:
            return False

    def open_from_neighbour(self, port: int) -> bool:
        """Whether the container behind a port answers the other guest."""
        other = next(name for name in self.guests.addresses if name != self.family)
        ask = f"exec 3<>/dev/tcp/{self.address}/{port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; read -r -t 1 <&3"
        return self.guests.shell(other, f"timeout 2 bash -c {shlex.quote(ask)}").exit_code == 0

    def scan(self) -> dict[str, list[int]]:
        """Open ports by who asks, all asked at once."""
        ports = (8080, 8081, 8082)
        with ThreadPoolExecutor(len(ports) * 2) as pool:
            here, neighbour = pool.map(self.open_from_here, ports), pool.map(self.open_from_neighbour, ports)
            return {
                "here": [port for port, is_open in zip(ports, here, strict=True) if is_open],
                "neighbour": [port for port, is_open in zip(ports, neighbour, strict=True) if is_open],
            }

"""The power of companions: a container each, with a network cable to the site's first bridge."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from lab.companion.build import ensure_image
from lab.companion.place import Place, places
from lab.companion.samba import ADMINISTRATOR, USER
from lab.guests.power import kill, pid_of
from lab.guests.wires import Wires
from lab.hypervisor import HypervisorError, Nic
from lab.identity import lab_of_labels
from lab.machine import CommandFailed, run
from lab.network import Network
from lab.site import Site
from setup.report import SetupError

LABEL = "hypercompose.lab.companion"
SMB, SSH = 445, 22
START_S = 20.0


class Power:
    """Turns the companions of one lab on and off."""

    def __init__(self, site: Site, client: docker.DockerClient) -> None:
        """Touches nothing yet."""
        self._client = client
        self._wires = Wires(site.lab, Network(site.lab, site.world.bridges))

    def on(self, place: Place) -> None:
        """It runs and answers, with the files that it had; SetupError with what it said when it does not."""
        with _named(place):
            place.prepare()
            for user in (USER, ADMINISTRATOR):
                place.password(user)
            container = self._current(place)
            if pid_of(container) is None:
                container.start()
            self._plug(place, container)
            _wait(place, container)

    def off(self, place: Place) -> None:
        """Pull the plug; its files stay."""
        with _named(place):
            if container := self._find(place):
                kill(container)
            self._wires.unplug(place.companion.host)

    def runs(self, place: Place) -> bool:
        """Whether its power is on."""
        with _named(place):
            container = self._find(place)
            return container is not None and pid_of(container) is not None

    def _current(self, place: Place) -> Container:
        """Its container, made anew where it is of an older image."""
        found, tag = self._find(place), ensure_image(self._client)
        if found and found.attrs["Config"]["Image"] != tag:
            found.remove(force=True, v=True)
            found = None
        return found or self._create(place, tag)

    def _find(self, place: Place) -> Container | None:
        try:
            found = self._client.containers.get(_container(place))
        except NotFound:
            return None
        if lab_of_labels(found.labels) != place.site.lab:
            raise SetupError(f"companion {place.name}: container {found.name} exists and is not of this lab.")
        return found

    def _create(self, place: Place, tag: str) -> Container:
        return self._client.containers.create(
            tag,
            name=_container(place),
            hostname=place.name.upper(),
            labels={**place.site.lab.labels, LABEL: place.name},
            network_mode="none",
            volumes={str(place.folder): {"bind": "/companion", "mode": "rw"}},
        )

    def _plug(self, place: Place, container: Container) -> None:
        pid, number = pid_of(container), place.companion.host
        if pid is None:
            raise SetupError(f"companion {place.name}: ended at once: {_said(container)}")
        bridge = place.site.world.bridges[0]
        self._wires.plug(number, pid, [Nic(slot=0, mac=f"52:54:00:C0:00:{number:02X}", bridge=bridge.name)])
        lines = (
            f"address replace {place.interface} dev eth0",
            "link set eth0 up",
            f"route replace default via {bridge.gateway}",
        )
        run("nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-batch", "-", stdin="\n".join(lines) + "\n")


def prepare(site: Site, client: docker.DockerClient) -> None:
    """What takes long when it is new."""
    if site.world.companions:
        ensure_image(client)


def turn_on(site: Site, client: docker.DockerClient) -> None:
    """All companions of a site run."""
    power = Power(site, client)
    for place in places(site):
        power.on(place)


def turn_off(site: Site, client: docker.DockerClient) -> None:
    """None of them runs."""
    power = Power(site, client)
    for place in places(site):
        power.off(place)


def rows(site: Site, client: docker.DockerClient | None) -> Iterator[tuple[str, ...]]:
    """Lines of `lab status`."""
    for place in places(site):
        on = client is not None and Power(site, client).runs(place)
        shares = " ".join(f"//{place.name}.{site.domain}/{share}" for share in place.companion.shares)
        yield f"companion {place.name}", "runs" if on else "off", f"{place.address} {shares}"


def _wait(place: Place, container: Container) -> None:
    """Until both of its servers listen."""
    deadline = time.monotonic() + START_S
    while not all(_listens(place.address, port) for port in (SMB, SSH)):
        if pid_of(container) is None or time.monotonic() > deadline:
            raise SetupError(f"companion {place.name}: did not start: {_said(container)}")
        time.sleep(0.05)


def _listens(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def _said(container: Container) -> str:
    lines = container.logs(tail=3).decode(errors="replace").strip().splitlines()
    return " ".join(lines) or "it said nothing"


def _container(place: Place) -> str:
    return f"hc-{place.site.lab.site}-companion-{place.name}"


@contextmanager
def _named(place: Place) -> Iterator[None]:
    """What the machine or the engine refuses becomes a SetupError that names the companion."""
    try:
        yield
    except (CommandFailed, DockerException, HypervisorError, OSError) as error:
        raise SetupError(f"companion {place.name}: {error}") from error

"""Watches guests: starts those again that rebooted, publishes the names of those that came up."""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from lab import dockerd
from lab.guests.hypervisor import Guests
from lab.hypervisor import HypervisorError
from lab.identity import VM_LABEL, Lab
from lab.resolver import Resolver
from setup.report import SetupError

logger = logging.getLogger(__name__)

LOOK_S = 0.5
AGAIN_S = 1.0


class Watch:
    """Follows the engine's events about the guests of one lab, in threads of its own."""

    def __init__(self, lab: Lab, client: docker.DockerClient, guests: Guests, resolver: Resolver) -> None:
        """Notices nothing before `start`."""
        self._lab = lab
        self._client = client
        self._guests = guests
        self._resolver = resolver
        self._unnamed: set[int] = set()
        """Guests whose addresses are not known yet."""
        self._engine_is_ours = dockerd.own_pid() is not None
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="guest-ended")

    def start(self) -> None:
        """Begin to watch; the guests that run now are looked at once."""
        self._unnamed |= {
            vmid for vmid, container in self._guests.containers.all().items() if container.status == "running"
        }
        for work in (self._follow, self._name):
            threading.Thread(target=work, name=work.__name__.strip("_"), daemon=True).start()

    def stop(self) -> None:
        """Take no further notice; what is being done is finished."""
        self._over.set()
        self._pool.shutdown(wait=True)

    def _follow(self) -> None:
        """React to events until the end; where the engine goes away, wait for it and look at everything anew."""
        while not self._over.is_set():
            try:
                for event in self._client.events(decode=True, filters=self._filters()):
                    if self._over.is_set():
                        return
                    self._react(event)
            except (DockerException, RequestException) as error:
                logger.warning("the Docker Engine went away: %s", error)
            if not self._over.wait(AGAIN_S):
                self._attempt("restore", self._revive)

    def _revive(self) -> None:
        """An engine of our own is started again if it died; then every guest that was on is on again."""
        if self._engine_is_ours:
            dockerd.connect()
        self._guests.restore()

    def _filters(self) -> dict[str, Any]:
        labels = [*self._lab.label_filter["label"], VM_LABEL]
        return {"label": labels, "type": ["container"], "event": ["start", "die", "destroy"]}

    def _react(self, event: Mapping[str, Any]) -> None:
        vmid = int(event["Actor"]["Attributes"].get(VM_LABEL, 0))
        if event["Action"] == "start":
            self._unnamed.add(vmid)
        elif event["Action"] == "die":
            self._unnamed.discard(vmid)
            self._pool.submit(self._attempt, f"VM {vmid} ended", lambda: self._guests.ended(vmid))
        else:
            self._resolver.forget(vmid)

    def _name(self) -> None:
        """Tell the resolver the addresses of guests whose agent has come up."""
        while not self._over.wait(LOOK_S):
            for vmid in tuple(self._unnamed):
                self._attempt(f"VM {vmid} name", lambda vmid=vmid: self._publish(vmid))  # type: ignore[misc]

    def _publish(self, vmid: int) -> None:
        record, found = self._guests.records.get(vmid), self._guests.interfaces(vmid)
        if record is None or found is None:
            return
        addresses = [address for interface in found for address in interface.addresses if _is_reachable(address)]
        self._resolver.publish(record.machine.name, vmid, addresses)
        self._unnamed.discard(vmid)

    @staticmethod
    def _attempt(what: str, act: Callable[[], object]) -> None:
        """A guest that cannot be helped must not keep the others waiting."""
        try:
            act()
        except (HypervisorError, SetupError, DockerException, OSError) as error:
            logger.error("%s: %s", what, error)


def _is_reachable(address: str) -> bool:
    """Whether others on the bridge can use it: IPv4, not loopback."""
    found = ipaddress.ip_interface(address)
    return found.version == 4 and not found.is_loopback

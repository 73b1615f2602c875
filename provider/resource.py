"""What a resource type of this provider is: plain values in, plain values out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from provider.values import is_known
from provisioning.claim import Problem
from provisioning.errors import ProvisioningError
from provisioning.proxmox import Proxmox

if TYPE_CHECKING:
    from provisioning.hosts import Hosts
    from provisioning.ssh import Ssh

Properties = Mapping[str, Any]
UNREAD = "not read, so nothing is known of it: "
"""How each warning of a read without an answer begins. The drift report knows by it what is unknown."""


@dataclass
class Context:
    """What every resource shares in one run: the site's API, the SSH pool, the engine's log."""

    proxmox: Proxmox
    load_ssh: Callable[[], Ssh]
    """Called when the first host is to be reached: many runs reach none, and the library takes a third of a second."""
    warn: Callable[[str, str], None] = lambda urn, text: None
    """Shows a warning at a resource in Pulumi's output."""
    say: Callable[[str, str], None] = lambda urn, text: None
    """Shows how far something is, beside a resource, until the next word."""
    held: set[str] = field(default_factory=set)
    """URNs that the state holds. A replacement is checked without its old inputs, as if it were new (measured)."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    _here: threading.local = field(default_factory=threading.local)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ssh: Ssh | None = None
    _hosts: Hosts | None = None

    @contextmanager
    def at(self, urn: str) -> Iterator[None]:
        """Work at one resource: `tell` speaks beside it."""
        self._here.urn = urn
        try:
            yield
        finally:
            self._here.urn = ""

    def unread(self, urn: str, reason: object) -> None:
        """Say that a read had no answer, so that what is returned is only what was recorded."""
        self.warn(urn, f"{UNREAD}{reason}")

    def tell(self, text: str) -> None:
        """How far the work at the resource of this thread is."""
        self.say(getattr(self._here, "urn", ""), text)

    @property
    def hosts(self) -> Hosts:
        """Steps on hosts, over the pool."""
        from provisioning.hosts import Hosts

        ssh = self.ssh
        with self._lock:
            self._hosts = self._hosts or Hosts(ssh)
            return self._hosts

    @property
    def ssh(self) -> Ssh:
        """The pool of connections."""
        with self._lock:
            self._ssh = self._ssh or self.load_ssh()
            return self._ssh

    def cancel(self) -> None:
        """End what waits."""
        self.cancelled.set()
        if self._ssh is not None:
            self._ssh.close()


class HalfMade(ProvisioningError):
    """Creation failed on its way: the resource is kept in the state, and the next run goes on with it or undoes it."""

    def __init__(self, identity: str, reason: str) -> None:
        """Take the id it would have had, and why it failed."""
        super().__init__(reason)
        self.identity = identity


class Resource:
    """Base of the types. A method that is not overridden does nothing that the engine would notice."""

    type: ClassVar[str]
    replace_on: ClassVar[frozenset[str]] = frozenset()
    """Inputs whose change, or whose becoming unknown, needs a new resource."""
    secrets: ClassVar[frozenset[str]] = frozenset()
    """Outputs that are always secret."""
    stable: ClassVar[frozenset[str]] = frozenset()
    """Outputs that an update leaves as they are, so that a preview can tell what follows from them."""
    delete_before_replace: ClassVar[bool] = False
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Inputs that nobody gives and that a read can find otherwise."""

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterable[Problem]:
        """Reasons to refuse the inputs, at preview and before every operation. `olds` is empty for a new resource."""
        return ()

    def complete(self, context: Context, urn: str, olds: Properties, news: Properties) -> Mapping[str, Any]:
        """Inputs in place of those given, after a check that found nothing."""
        return {}

    def replaces(self, olds: Properties, news: Properties) -> frozenset[str]:
        """`replace_on`, for these inputs."""
        return self.replace_on

    def due(self, state: Properties) -> bool:
        """Whether it needs an update although no input has changed: it wears out with time."""
        return False

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Make it; return its id and its outputs beside the inputs. Safe to repeat after a crash."""
        raise NotImplementedError

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """The state as it is now; None when it is gone. The inputs among it show as drift."""
        return state

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Bring it to the new inputs; return the outputs beside them."""
        return {name: value for name, value in olds.items() if name not in news}

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Remove it; no error if it is gone."""


def known(properties: Properties, *names: str) -> bool:
    """Whether all of these inputs are known already."""
    return all(is_known(properties.get(name)) for name in names)

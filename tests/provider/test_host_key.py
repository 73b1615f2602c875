"""The pinned key and a data disk as they are read: what does not answer is unknown, another key is an error."""

from __future__ import annotations

from typing import Any

import pytest

from provider.resource import UNREAD, Context, Resource
from provider.resources.filesystem import Filesystem
from provider.resources.host_key import HostKey
from provisioning.host import HostKeyMismatch, HostUnreachable

URN = "urn:pulumi:lab::hypercompose::hypercompose:host:HostKey::h-host-key"
STATE: dict[str, Any] = {
    "host": "10.0.0.1",
    "user": "ops",
    "hostKey": "ssh-ed25519 AAAA",
    "serial": "data",
    "mount": "/srv",
    "fstype": "ext4",
    "vm": "1",
}


class Hosts:
    """Cannot reach anybody."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def reach(self, address: Any) -> None:
        raise self.error


def context(error: Exception, warned: list[str]) -> Context:
    found = Context(proxmox=None, load_ssh=lambda: None, warn=lambda urn, text: warned.append(text))  # type: ignore[arg-type,return-value]
    found._hosts, found._ssh = Hosts(error), object()  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("read", [HostKey(), Filesystem()])
def test_a_host_that_does_not_answer_is_unknown(read: Resource) -> None:
    warned: list[str] = []
    assert read.read(context(HostUnreachable("10.0.0.1: no route"), warned), URN, "id", STATE) == STATE
    assert warned == [f"{UNREAD}10.0.0.1: no route"]


@pytest.mark.parametrize("read", [HostKey(), Filesystem()])
def test_another_key_is_an_error(read: Resource) -> None:
    with pytest.raises(HostKeyMismatch):
        read.read(context(HostKeyMismatch("another key"), []), URN, "id", STATE)

"""How preview tells an interrupted run from a new VM and from a replacement."""

from typing import Any

import pytest

from provider.resource import Context
from provider.resources.ready import Ready
from provider.values import UNKNOWN
from provisioning.errors import ProvisioningError
from provisioning.mark import mark
from provisioning.proxmox import ProxmoxError, ProxmoxUnreachable

URN = "urn:pulumi:dev::hypercompose::hypercompose:host:Ready::vm-1-ready"
NEWS: dict[str, Any] = {"vm": UNKNOWN, "vmId": 1100, "name": "vm-1", "owner": "lab/dev/vm-1", "node": "pve1"}


class Api:
    def __init__(self, answer: str | Exception, drive: str = "local:iso/seed.iso,media=cdrom") -> None:
        self.answer, self.drive = answer, drive

    def get(self, path: str) -> dict[str, str]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"description": self.answer, "ide3": self.drive}


def found(answer: str | Exception, news: dict[str, Any] = NEWS, held: tuple[str, ...] = ()) -> list[str]:
    context = Context(proxmox=Api(answer), load_ssh=lambda: None, held=set(held))  # type: ignore[arg-type, return-value]
    return [p.reason for p in Ready().check(context, URN, {}, news)]


HELD = {**NEWS, "vm": "1100", "seed": "local:iso/seed.iso"}
OURS = mark("lab/dev/vm-1", "ab12")


def test_our_vm_that_the_state_lacks_is_refused_with_the_command_to_type() -> None:
    assert found(OURS)[0].endswith("Type: make recover STACK=dev")


@pytest.mark.parametrize(
    ("answer", "news", "held"),
    [
        (OURS, {**NEWS, "vm": "1100"}, ()),  # the state holds the VM
        (OURS, NEWS, (URN,)),  # a replacement: the VM that is there goes first
        (mark("lab/prod/vm-1", "ab12"), NEWS, ()),  # the claim speaks of it
        (ProxmoxError(500, "does not exist"), NEWS, ()),
        (ProxmoxUnreachable("no answer"), NEWS, ()),
    ],
)
def test_everything_else_goes_on(answer: str | Exception, news: dict[str, Any], held: tuple[str, ...]) -> None:
    assert found(answer, news, held) == []


@pytest.mark.parametrize(("drive", "refused"), [("none,media=cdrom", True), ("local:iso/seed.iso,media=cdrom", False)])
def test_a_vm_in_the_state_without_its_seed_is_half_made(drive: str, refused: bool) -> None:
    context = Context(proxmox=Api(OURS, drive), load_ssh=lambda: None)  # type: ignore[arg-type, return-value]
    assert bool(list(Ready().check(context, URN, {}, HELD))) == refused
    if refused:
        with pytest.raises(ProvisioningError, match="make recover STACK=dev"):
            Ready().create(context, HELD)


def test_after_first_contact_an_empty_drive_is_as_it_should_be() -> None:
    context = Context(proxmox=Api(OURS, "none,media=cdrom"), load_ssh=lambda: None, held={URN})  # type: ignore[arg-type, return-value]
    assert list(Ready().check(context, URN, HELD, HELD)) == []

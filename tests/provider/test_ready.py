"""How preview tells an interrupted run from a new VM and from a replacement."""

from typing import Any

import pytest

from provider.resource import Context
from provider.resources.ready import Ready
from provider.values import UNKNOWN
from provisioning.claim import mark
from provisioning.proxmox import ProxmoxError, ProxmoxUnreachable

URN = "urn:pulumi:dev::hypercompose::hypercompose:host:Ready::vm-1-ready"
NEWS: dict[str, Any] = {"vm": UNKNOWN, "vmId": 1100, "name": "vm-1", "owner": "lab/dev/vm-1", "node": "pve1"}


class Api:
    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer

    def get(self, path: str) -> dict[str, str]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"description": self.answer}


def found(answer: str | Exception, news: dict[str, Any] = NEWS, held: tuple[str, ...] = ()) -> list[str]:
    context = Context(proxmox=Api(answer), ssh=None, held=set(held))  # type: ignore[arg-type]
    return [p.reason for p in Ready().check(context, URN, {}, news)]


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

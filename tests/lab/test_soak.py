"""Killed at every moment, and every recorded fault: longer than a test may take (make soak)."""

from typing import Any

import pytest

from tests.lab.checkout import Checkout

pytestmark = pytest.mark.soak
STEP_S, LONGEST_S = 0.75, 12.0
VM = "vm-integration-app-1"


@pytest.fixture(autouse=True)
def _nothing_before(checkout: Checkout) -> None:
    assert checkout.pulumi("destroy", "--yes", "--skip-preview", stack="integration").code == 0


@pytest.mark.parametrize("k", [round(STEP_S * n, 2) for n in range(1, int(LONGEST_S / STEP_S) + 1)])
def test_killed_after_k_seconds_make_up_reaches_the_same_end(checkout: Checkout, k: float) -> None:
    checkout.kill_up_when(lambda _: True, stack="integration", after_s=k)
    mended = checkout.make("up", stack="integration")
    assert mended.code == 0, mended.text
    assert list(checkout.vms().values()).count(VM) == 1
    assert checkout.ssh(checkout.hosts("integration")[VM], "true").code == 0
    assert checkout.preview(stack="integration") == {}


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "clone-locked-500": (
        {"path": "/clone$", "status": 500, "reason": "can't lock file '/var/lock/qemu-server/lock-9000.conf'"},
        "can't lock file",
    ),
    "task-fails-after-200": ({"task": "qmclone", "exit": "clone failed: insufficient free space"}, "free space"),
    "node-595-on-clone": ({"path": "/clone$", "status": 595, "reason": "No route to host", "times": 9}, "595"),
    "node-595-task-status": ({"path": "/tasks/.*/status$", "status": 595, "reason": "Connection refused"}, "595"),
    "config-put-locked": (
        {"path": "/qemu/2001/config$", "method": "PUT", "status": 500, "reason": "VM is locked (backup)"},
        "VM is locked",
    ),
    "put-connection-drop": ({"path": "/qemu/2001/config$", "method": "PUT", "drop": True}, "EOF"),
    "start-fails": ({"task": "qmstart", "exit": "start failed: no bootable device"}, "start failed"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_the_next_run_heals(checkout: Checkout, name: str) -> None:
    fault, said = FAULTS[name]
    with checkout.fault(**fault):
        failed = checkout.make("up", stack="integration")
    assert failed.code != 0
    assert said in failed.text
    mended = checkout.make("up", stack="integration")
    assert mended.code == 0, mended.text
    assert list(checkout.vms().values()).count(VM) == 1
    assert checkout.preview(stack="integration") == {}

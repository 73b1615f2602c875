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
    assert mended.code == 0, mended.why
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
    assert mended.code == 0, mended.why
    assert list(checkout.vms().values()).count(VM) == 1
    assert checkout.preview(stack="integration") == {}


def test_killed_then_down_leaves_nothing_and_no_dead_end(checkout: Checkout) -> None:
    checkout.kill_up_when(lambda _: 2001 in checkout.vms(), stack="integration")
    down = checkout.make("down", stack="integration")
    assert down.code == 0, down.why
    assert checkout.make("lab-up").code == 0
    assert 2001 not in checkout.vms()
    assert checkout.make("up", stack="integration").code == 0


def test_killed_while_a_vm_is_replaced_the_next_run_ends_the_replacement(checkout: Checkout) -> None:
    assert checkout.make("up", stack="integration").code == 0
    with checkout.settings("integration") as config:
        network = config["hypercompose:vms"][0]["networks"][0]
        network["address"] = network["address"].replace(".11/", ".12/")
    checkout.kill_up_when(
        lambda text: "VmLegacy vm-integration-app-1-vm creating" in text, stack="integration", after_s=1
    )
    mended = checkout.make("up", stack="integration")
    assert mended.code == 0, mended.why
    assert checkout.hosts("integration")[VM]["address"].endswith(".12")
    assert list(checkout.vms().values()).count(VM) == 1
    assert checkout.preview(stack="integration") == {}


def test_a_vm_deleted_by_hand_is_made_again_with_a_new_seed(checkout: Checkout) -> None:
    assert checkout.make("up", stack="integration").code == 0
    api, path = checkout.api(), "/nodes/pve1/qemu/2001"
    api.wait("pve1", str(api.post(f"{path}/status/stop")))
    api.wait("pve1", str(api.delete(path)))
    refreshed = checkout.make("refresh", stack="integration")
    assert refreshed.code == 0, refreshed.why
    again = checkout.make("up", stack="integration")
    assert again.code == 0, again.why
    assert checkout.ssh(checkout.hosts("integration")[VM], "true").code == 0

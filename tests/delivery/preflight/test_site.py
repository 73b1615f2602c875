"""What the site says against what the stack wants, asked of the lab's stand-in for the API."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from delivery.preflight import addresses
from delivery.preflight.addresses import check_addresses
from delivery.preflight.check import Check, Status
from delivery.preflight.scope import Scope
from delivery.preflight.site import check_inventory, take_inventory
from lab.pve.state import Vm
from lab.world import Node
from provisioning.mark import mark
from tests.delivery.preflight.conftest import Serve
from tests.delivery.preflight.scopes import VM, scope_of
from tests.lab_pve.pve_site import PveSite
from tests.lab_pve.worlds import world

DATA = {"data_first_id": 1150, "data_disks": [{"name": "data", "slot": 1, "size_gib": 4, "mount": "/srv/data"}]}


@dataclasses.dataclass
class Asking:
    """Asks for a stack with these settings, on a site with these changes."""

    folder: Path
    patch: pytest.MonkeyPatch
    serve: Serve
    site: PveSite | None = None

    def scope(self, **settings: Any) -> Scope:
        return scope_of(self.folder, self.patch, **{"vms": [VM], **settings})

    def found(self, scope: Scope, *there: Vm, **changes: Any) -> dict[tuple[str, str], Check]:
        """By name and subject."""
        api, self.site = self.serve(world(**changes))
        self.site.cluster.state.vms.update({vm.vmid: vm for vm in there})
        return {(check.name, check.subject): check for check in check_inventory(scope, take_inventory(scope, api))}


@pytest.fixture
def asking(lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve) -> Asking:
    return Asking(tmp_path, monkeypatch, serve)


def vm(vm_id: int, node: str = "pve1", **config: Any) -> Vm:
    return Vm(vmid=vm_id, node=node, config={"name": f"vm-{vm_id}", **config})


def failures(checks: dict[tuple[str, str], Check]) -> dict[tuple[str, str], str]:
    return {key: check.detail for key, check in checks.items() if check.status is not Status.PASSED}


def test_everything_passes_on_a_site_that_has_it(asking: Asking) -> None:
    checks = asking.found(asking.scope(vms=[{**VM, **DATA}]))
    assert failures(checks) == {}
    assert checks["storage", "local-lvm on pve1"].detail == "54.0 GiB wanted for images, 800.0 GiB free"
    assert checks["storage", "local on pve1"].detail == "1 MiB wanted for iso, 100.0 GiB free"
    assert checks["template", "9000 on pve1"].detail == "rocky-9, 10 GiB"
    assert checks["vm id", "1150 vm-a-data"].detail == "free"


def test_vms_of_this_stack_are_no_strangers_and_want_no_room(asking: Asking) -> None:
    ours = vm(1100, description=mark("lab/dev/vm-a", "ab12"))
    checks = asking.found(asking.scope(), ours)
    assert failures(checks) == {}
    assert checks["vm id", "1100 vm-a"].detail == "this stack's own already, on pve1"
    assert checks["storage", "local-lvm on pve1"].detail.startswith("0 MiB wanted")
    assert checks["memory", "pve1"].detail.startswith("0 MiB for new VMs")


@pytest.mark.parametrize(
    ("description", "whose"),
    [
        ("", "somebody else's VM"),
        ("$(reboot) hypercompose", "somebody else's VM"),
        (mark("lab/prod/vm-a", "ab12"), "VM of lab/prod/vm-a"),
        (mark("other/dev/vm-a", "ab12"), "VM of other/dev/vm-a"),
    ],
)
def test_a_strangers_id_is_named_with_its_owner_wherever_it_is(asking: Asking, description: str, whose: str) -> None:
    check = asking.found(asking.scope(), vm(1100, "pve2", description=description))["vm id", "1100 vm-a"]
    assert check.status is Status.FAILED
    assert check.detail == f"taken: {whose} (vm-1100) on node pve2"
    assert "first_id" in check.remedy
    assert check.field == "Pulumi.dev.yaml: vms[0].first_id"


def test_an_id_that_the_token_may_not_see_is_taken_all_the_same(asking: Asking) -> None:
    from lab.world import Grant

    checks = asking.found(
        asking.scope(), vm(1100), tokens={"blind@pve!x": (Grant(path="/vms/9000", privileges=("VM.Audit",)),)}
    )
    assert checks["vm id", "1100 vm-a"].detail == "taken by a VM that this token may not see"


@pytest.mark.parametrize(
    ("settings", "changes", "key", "part"),
    [
        ({"disk_gib": 65536}, {}, ("storage", "local-lvm on pve1"), "65536.0 GiB wanted for images, 800.0 GiB free"),
        ({"storage": "local"}, {}, ("storage", "local on pve1"), "not images"),
        ({"storage": "nope"}, {}, ("storage", "nope on pve1"), "does not exist there"),
        ({"disk_gib": 5}, {}, ("template", "9000 on pve1"), "its disk has 10 GiB, vm-a asks for 5"),
        ({}, {"templates": ()}, ("template", "9000 on pve1"), "does not exist"),
        ({}, {"bridges": ()}, ("network", "vmbr0 on pve1"), "there is none"),
        ({"cores": 9}, {}, ("cores", "pve1"), "vm-a wants 9, the node has 8"),
        ({}, {"nodes": (Node(name="pve1", cores=8, memory_gib=64),)}, ("node", "pve2"), "the cluster has pve1"),
    ],
)
def test_what_the_site_lacks_is_named_with_a_remedy(
    asking: Asking, settings: dict[str, Any], changes: dict[str, Any], key: tuple[str, str], part: str
) -> None:
    check = asking.found(asking.scope(vms=[{**VM, **settings}]), **changes)[key]
    assert check.status is Status.FAILED
    assert part in check.detail
    assert check.remedy


def test_too_little_memory_is_advice(asking: Asking) -> None:
    check = asking.found(asking.scope(vms=[{**VM, "memory_mib": 100000}]))["memory", "pve1"]
    assert check.status is Status.PASSED
    assert check.detail == "short: 100000 MiB for new VMs, 65536 MiB are free"
    assert check.remedy.startswith("advice")


def test_figures_that_the_token_may_not_see_are_not_checked(asking: Asking) -> None:
    from lab.world import Grant

    grants = (Grant(path="/", privileges=("VM.Audit", "Datastore.Audit")),)
    checks = asking.found(asking.scope(), tokens={"x@pve!x": grants})
    assert checks["memory", "pve1"].status is Status.NOT_CHECKED
    assert "Sys.Audit on /nodes/pve1" in checks["memory", "pve1"].detail


def test_an_answer_that_does_not_come_takes_only_its_own_lines(asking: Asking) -> None:
    scope = asking.scope()
    api, site = asking.serve(world())
    site.cluster.faults.arm({"path": "/nodes/pve1/storage$", "status": 595, "reason": "no route to host"})
    checks = {check.name: check for check in check_inventory(scope, take_inventory(scope, api))}
    assert checks["storage"].status is Status.NOT_CHECKED
    assert "no route to host" in checks["storage"].detail
    assert {checks[name].status for name in ("node", "template", "network", "vm id")} == {Status.PASSED}


def test_a_node_that_is_off_is_named(asking: Asking) -> None:
    scope = asking.scope()
    api, site = asking.serve(world())
    site.cluster.faults.arm({"offline_node": "pve1"})
    checks = {(check.name, check.subject): check for check in check_inventory(scope, take_inventory(scope, api))}
    assert checks["node", "pve1"].detail == "is offline"
    assert checks["node", "pve2"].status is Status.PASSED


@pytest.mark.parametrize(
    ("there", "status", "part"),
    [
        ((), Status.FAILED, "taken: a machine answers there"),
        ((vm(1100),), Status.FAILED, "taken: a machine answers there"),
        ((vm(1100, description=mark("lab/dev/vm-a", "ab12")),), Status.PASSED, "this stack's own already"),
    ],
)
def test_an_address_that_answers_is_taken_unless_it_is_our_own_vms(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, there: tuple[Vm, ...], status: Status, part: str
) -> None:
    monkeypatch.setattr(addresses, "somebody_answers", lambda address, port: (address, port) == ("10.77.0.11", 3389))
    scope = asking.scope()
    api, site = asking.serve(world())
    site.cluster.state.vms.update({one.vmid: one for one in there})
    (check,) = check_addresses(scope, take_inventory(scope, api), "")
    assert check.status is status
    assert part in check.detail


def test_without_the_api_a_silent_address_is_free_and_an_answer_means_nothing(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = asking.scope()
    monkeypatch.setattr(addresses, "somebody_answers", lambda address, port: False)
    assert [check.status for check in check_addresses(scope, None, "no API")] == [Status.PASSED]
    monkeypatch.setattr(addresses, "somebody_answers", lambda address, port: True)
    (check,) = check_addresses(scope, None, "no API")
    assert check.status is Status.NOT_CHECKED
    assert check.detail.endswith("not known: no API")

"""What a VM claims, compared with what the site has."""

import dataclasses
import socket
from collections.abc import Callable
from typing import Any

import pytest

from provisioning import claim, privileges
from provisioning.claim import Wanted, problems
from provisioning.mark import mark, read_mark
from provisioning.proxmox import ProxmoxError

WANTED = Wanted(
    vm_id=1100,
    name="vm-1",
    owner="lab/dev/vm-1",
    node="pve1",
    template_id=9000,
    disk_storages=["local-lvm"],
    iso_storage="local",
    bridges=["vmbr0"],
    new_addresses=[],
)
DATASTORE = ("Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit")
EVERYTHING = dict.fromkeys((*privileges.VM, *privileges.DATA_VM, *DATASTORE, "VM.Clone", "SDN.Use"), 1)


class FakeApi:
    """Answers the calls of a healthy site; fails on a call that nobody expected."""

    def __init__(self) -> None:
        self.vms: list[dict[str, Any]] = [{"vmid": 9000, "node": "pve1", "name": "rocky-9", "template": 1}]
        self.nodes = [{"node": "pve1", "status": "online"}, {"node": "pve2", "status": "offline"}]
        self.storages = [
            {"storage": "local", "content": "iso,backup", "active": 1},
            {"storage": "local-lvm", "content": "images,rootdir", "active": 1},
        ]
        self.descriptions: dict[int, str] = {}
        self.denied: dict[str, set[str]] = {}

    def get(self, path: str, /, **query: Any) -> Any:
        answers: dict[str, Callable[[], Any]] = {
            "/nodes": lambda: self.nodes,
            "/cluster/resources": lambda: self.vms,
            "/nodes/pve1/storage": lambda: self.storages,
            "/nodes/pve1/network": lambda: [{"iface": "vmbr0"}, {"iface": "vmbr1"}],
            "/access/permissions": lambda: {
                query["path"]: {k: 1 for k in EVERYTHING if k not in self.denied.get(query["path"], ())}
            },
        }
        if path.endswith("/config"):
            vm_id = int(path.split("/")[4])
            if vm_id not in self.descriptions:
                raise ProxmoxError(403, "Permission check failed")
            return {"description": self.descriptions[vm_id]}
        return answers[path]()


def found(api: FakeApi, *, claimed: bool = False, **change: Any) -> dict[str, str]:
    wanted = dataclasses.replace(WANTED, **change)
    return {p.property: p.reason for p in problems(api, wanted, claimed_before=claimed)}  # type: ignore[arg-type]


def test_a_free_id_on_a_healthy_site_has_no_problem() -> None:
    assert found(FakeApi()) == {}


def test_a_mark_is_read_back_as_written_and_nobody_elses_is() -> None:
    assert read_mark(mark("lab/dev/vm-1", "0123abcd")) == ("lab/dev/vm-1", "0123abcd")
    assert read_mark("hypercompose: the good tool") is None
    assert read_mark("") is None


@pytest.mark.parametrize("description", [None, "", "hypercompose", "hypercompose: lab/prod/vm-1 claim=ab12"])
def test_a_strangers_vm_is_left_alone_whatever_it_is_called(description: str | None) -> None:
    api = FakeApi()
    api.vms.append({"vmid": 1100, "node": "pve2", "name": "vm-1"})
    if description is not None:
        api.descriptions[1100] = description
    reason = found(api)["vmId"]
    assert reason.startswith("1100 is taken")
    assert "left alone" in reason
    assert "first_id" in reason


def test_our_vm_that_lost_its_mark_is_not_called_a_strangers() -> None:
    api = FakeApi()
    api.vms.append({"vmid": 1100, "node": "pve1", "name": "vm-1"})
    api.descriptions[1100] = "somebody wrote over it"
    assert "has lost its mark" in found(api, claimed=True)["vmId"]


def test_a_rename_is_drift_and_no_reason_to_refuse() -> None:
    api = FakeApi()
    api.vms.append({"vmid": 1100, "node": "pve1", "name": "renamed"})
    api.descriptions[1100] = mark("lab/dev/vm-1", "ab12")
    assert found(api, claimed=True) == {}


def test_data_disks_stay_on_their_node() -> None:
    api = FakeApi()
    api.vms.append({"vmid": 1100, "node": "pve2", "name": "vm-1"})
    api.descriptions[1100] = mark("lab/dev/vm-1", "ab12")
    assert "do not move by themselves" in found(api, claimed=True, template_id=None)["node"]
    assert found(api, claimed=True) == {}


def test_our_vm_is_fine_when_the_state_knows_the_claim_and_named_when_not() -> None:
    api = FakeApi()
    api.vms.append({"vmid": 1100, "node": "pve1", "name": "vm-1"})
    api.descriptions[1100] = mark("lab/dev/vm-1", "ab12")
    assert found(api, claimed=True) == {}
    assert found(api)["vmId"].endswith("Type: make recover STACK=dev")


@pytest.mark.parametrize(
    ("change", "property_", "part"),
    [
        ({"node": "pve9"}, "node", "does not exist; the cluster has pve1, pve2"),
        ({"node": "pve2"}, "node", "offline"),
        ({"template_id": 9009}, "templateId", "`make template` imports one"),
        ({"disk_storages": ["ceph"]}, "diskStorages", "does not exist on node pve1; for images there is local-lvm"),
        ({"disk_storages": ["local"]}, "diskStorages", "holds iso,backup, not images"),
        ({"iso_storage": "local-lvm"}, "isoStorage", "for iso there is local"),
        ({"bridges": ["vmbr7"]}, "bridges", "vmbr7 does not exist on node pve1; there is vmbr0, vmbr1"),
    ],
)
def test_what_the_site_lacks_is_named_with_what_it_has(change: dict[str, Any], property_: str, part: str) -> None:
    assert part in found(FakeApi(), **change)[property_]


@pytest.mark.parametrize(
    ("path", "privilege"),
    [
        ("/vms/1100", "VM.Config.Memory"),
        ("/vms/1100", "VM.Config.HWType"),
        ("/vms/9000", "VM.Clone"),
        ("/storage/local", "Datastore.AllocateTemplate"),
        ("/sdn/zones/localnetwork/vmbr0", "SDN.Use"),
        ("/storage/local-lvm", "Datastore.AllocateSpace"),
    ],
)
def test_a_missing_permission_is_named_with_its_path(path: str, privilege: str) -> None:
    api = FakeApi()
    api.denied[path] = {privilege}
    assert f"lacks {privilege} on {path}" in found(api)["vmId"]


def test_an_address_is_taken_where_a_machine_accepts_or_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    assert claim.somebody_answers("127.0.0.1", port)
    listener.close()
    assert claim.somebody_answers("127.0.0.1", port)  # refused: a machine is there
    monkeypatch.setattr(claim, "somebody_answers", lambda address: address == "10.0.0.9")
    assert "10.0.0.9 is taken" in found(FakeApi(), new_addresses=["10.0.0.8", "10.0.0.9"])["addresses"]

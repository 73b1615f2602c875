"""RockyAppVm and what it registers."""

import json
from typing import Any

import pytest

from components import RockyAppVm, RockyAppVmArgs, SiteAccess, VmClaims, Wanted
from components.secrets import Secrets
from settings import load_program
from tests.components import recording

GROUP: dict[str, Any] = {
    "name": "vm-1",
    "first_id": 1100,
    "networks": [{"bridge": "vmbr0", "address": "10.77.0.11/24"}, {"bridge": "bridge-dev", "vlan": 7}],
}
OTHER = {"name": "vm-2", "first_id": 1200, "networks": [{"bridge": "vmbr0"}]}
DISKS = {"data_first_id": 1600, "data_disks": [{"name": "data", "slot": 1, "size_gib": 5, "mount": "/srv/data"}]}


def register(**change: Any) -> tuple[Any, Any]:
    raw = {"hypercompose:site": "lab", "hypercompose:vms": json.dumps([{**GROUP, **change}, OTHER])}
    program = load_program("dev", raw)

    def run() -> Any:
        site = SiteAccess("site", program.site, Secrets(api_token=None, ssh_private_key=None, registry_password=None))
        wanted = Wanted(spec=program.vms[0], owner="lab/dev/vm-1", iso_storage="local", bridges=("vmbr0",))
        other = Wanted(spec=program.vms[1], owner="lab/dev/vm-2", iso_storage="local", bridges=("vmbr0",))
        args = RockyAppVmArgs(
            wanted=wanted,
            claims=VmClaims("claims", site, [wanted, other]),
            site=site,
            user="ops",
            authorized_keys=("ssh-ed25519 AAAA me",),
            snippet_storage="snips",
        )
        vm = RockyAppVm("vm-1", args)
        return {"address": vm.address, "host_key": vm.host_key, "vm_id": vm.vm_id}

    found: tuple[Any, Any] = recording.record(run)
    return found


def test_outputs_are_address_final_key_and_id() -> None:
    _, outputs = register()
    assert outputs == {"address": "10.77.0.11", "host_key": "ssh-ed25519 FINAL", "vm_id": 1100}


def test_the_chain_is_claim_seed_vm_first_contact_host_key() -> None:
    seen, _ = register()
    served = ("hypercompose:proxmox", "hypercompose:host", "proxmoxve")
    chain = [n for n, t in seen.types.items() if t.startswith(served) and n.startswith("vm-1-")]
    assert chain == ["vm-1-claim", "vm-1-seed", "vm-1-vm", "vm-1-ready", "vm-1-host-key"]


def test_no_vm_is_made_before_every_claim_of_the_stack_holds() -> None:
    requests = register(**DISKS)[0].requests
    for name in ("vm-1-vm", "vm-1-data-vm", "vm-1-seed"):
        waits_for = {urn.rpartition("::")[2] for urn in requests[name].dependencies}
        assert {"vm-1-claim", "vm-1-data-claim", "vm-2-claim"} <= waits_for


def test_the_vm_is_cloned_once_marked_as_ours_and_started() -> None:
    vm = register()[0].inputs["vm-1-vm"]
    assert vm["clone"] == {"vmId": 9000, "full": True, "retries": 1, "datastoreId": "local-lvm"}
    assert vm["description"] == "hypercompose: lab/dev/vm-1 claim=0123abcd"
    assert vm["tags"] == ["hypercompose", "hypercompose-dev"]
    assert (vm["vmId"], vm["started"], vm["memory"], vm["cpu"]) == (
        1100,
        True,
        {"dedicated": 4096},
        {"cores": 3, "type": "x86-64-v3"},
    )


def test_every_nic_has_its_bridge_vlan_and_the_mac_that_the_seed_names() -> None:
    seen, _ = register()
    devices, nics = seen.inputs["vm-1-vm"]["networkDevices"], seen.inputs["vm-1-seed"]["nics"]
    assert [(d["bridge"], d.get("vlanId")) for d in devices] == [("vmbr0", None), ("bridge-dev", 7)]
    assert [d["macAddress"] for d in devices] == [n["mac"] for n in nics]
    assert [n.get("address") for n in nics] == ["10.77.0.11/24", None]


def test_first_contact_is_pinned_to_the_key_of_the_seed_and_the_host_key_to_its_own() -> None:
    seen, _ = register()
    assert seen.inputs["vm-1-ready"]["oneTimeKey"] == "ecdsa-sha2-nistp256 ONE"
    key = seen.inputs["vm-1-host-key"]
    assert (key["hostKey"], key["retire"], key["seed"]) == ("ssh-ed25519 FINAL", True, "local:iso/seed.iso")


def test_data_disks_belong_to_a_vm_of_their_own_and_are_attached_by_their_volume() -> None:
    seen, _ = register(**DISKS)
    data = seen.inputs["vm-1-data-vm"]
    assert (data["vmId"], data["started"], "clone" in data) == (1600, False, False)
    attached = seen.inputs["vm-1-vm"]["disks"][1]
    assert (attached["interface"], attached["pathInDatastore"], attached["size"]) == ("scsi1", "vm-1600-scsi1", 5)
    assert seen.inputs["vm-1-data"]["mount"] == "/srv/data"
    assert seen.inputs["vm-1-data-claim"]["vmId"] == 1600


def test_no_disk_is_attached_before_its_holder_is_proven_to_be_ours() -> None:
    seen, _ = register(**DISKS)
    assert seen.inputs["vm-1-data-proof"]["nonce"] == "0123abcd"
    assert "vm-1-data-proof" in {urn.rpartition("::")[2] for urn in seen.requests["vm-1-vm"].dependencies}


def test_a_replaced_seed_replaces_the_vm_and_the_id_is_freed_first() -> None:
    request = register()[0].requests["vm-1-vm"]
    assert request.deleteBeforeReplace
    assert [urn.rpartition("::")[2] for urn in request.replace_with] == ["vm-1-seed"]
    assert set(request.ignoreChanges) == {"cdrom", "disks[0].speed"}


def test_an_attached_disk_grows_with_its_owner_and_not_through_the_vm_that_uses_it() -> None:
    requests = register(**DISKS)[0].requests
    assert set(requests["vm-1-vm"].ignoreChanges) == {"cdrom", "disks[0].speed", "disks[1].speed", "disks[1].size"}
    assert list(requests["vm-1-data-vm"].ignoreChanges) == ["disks[0].speed"]


def test_what_lives_on_the_vm_goes_with_it() -> None:
    requests = register(**DISKS)[0].requests
    for name in ("vm-1-ready", "vm-1-host-key", "vm-1-data"):
        assert requests[name].deletedWith.endswith("::vm-1-vm")


def test_protection_holds_in_proxmox_and_in_the_engine() -> None:
    seen, _ = register(protection=True, **DISKS)
    for name in ("vm-1-vm", "vm-1-data-vm"):
        assert seen.inputs[name]["protection"] is True
        assert seen.requests[name].protect


def test_a_snippet_carries_the_key_as_a_secret_and_needs_no_disc() -> None:
    seen, _ = register(host_key="snippet")
    assert seen.inputs["vm-1-snippet"]["datastoreId"] == "snips"
    vm = seen.inputs["vm-1-vm"]
    assert vm["cdrom"]["fileId"] == "none"
    assert vm["initialization"]["userDataFileId"] == "vm-1-snippet-id"


def test_the_agent_gives_the_key_of_the_template_and_nothing_is_retired() -> None:
    seen, _ = register(host_key="agent")
    assert seen.inputs["vm-1-ready"]["oneTimeKey"] == "ssh-ed25519 AGENT"
    assert seen.inputs["vm-1-host-key"]["retire"] is False
    assert seen.inputs["vm-1-vm"]["initialization"]["userAccount"]["username"] == "ops"


def test_every_resource_of_the_component_is_its_child() -> None:
    seen, _ = register(**DISKS)
    for name, request in seen.requests.items():
        if name.startswith("vm-1-") and not name.endswith("-claim"):
            assert request.parent.endswith("$hypercompose:compute:RockyAppVm::vm-1"), name


@pytest.mark.parametrize("change", [{}, DISKS, {"host_key": "snippet"}, {"host_key": "agent"}])
def test_urns_are_frozen(change: dict[str, Any]) -> None:
    """A renamed resource is a new one: delete and create. Rename only with an alias."""
    seen, _ = register(**change)
    frozen = {
        "site", "site-native", "site-claim", "site-proxmox", "claims", "vm-1", "vm-1-claim", "vm-2-claim",
        "vm-1-data-claim", "vm-1-data-vm", "vm-1-data-proof",
        "vm-1-seed", "vm-1-snippet", "vm-1-vm", "vm-1-agent-key", "vm-1-ready", "vm-1-host-key", "vm-1-data",
    }  # fmt: skip
    assert set(seen.types) <= frozen

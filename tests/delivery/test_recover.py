"""What recovery removes, and what it never touches."""

from typing import Any

import pytest

from delivery import recover as module
from delivery.recover import claims_without_vm, recover
from provisioning.errors import ProvisioningError
from provisioning.mark import mark
from provisioning.proxmox import ProxmoxError

OWNER = "lab/dev/vm-1"


def claim(vm_id: int = 1100, nonce: str = "ab12") -> dict[str, Any]:
    outputs = {"vmId": vm_id, "name": "vm-1", "node": "pve1", "owner": OWNER, "nonce": nonce}
    return {"type": "hypercompose:proxmox:VmClaim", "outputs": outputs}


def vm(vm_id: int = 1100, **other: Any) -> dict[str, Any]:
    return {"type": "proxmoxve:index/vmLegacy:VmLegacy", "outputs": {"vmId": vm_id}, **other}


def host_key(**other: Any) -> dict[str, Any]:
    own = {"type": "hypercompose:host:HostKey", "urn": "urn:x::vm-1-host-key", "outputs": {"vmId": 1100}}
    return {**own, **other}


def export(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"deployment": {"resources": list(resources)}}


class FakeApi:
    """One VM on one node; every write is remembered."""

    def __init__(self, *configs: dict[str, Any] | None, status: str = "stopped") -> None:
        self.configs, self.status = list(configs), status
        self.writes: list[str] = []

    def get(self, path: str, /, **query: Any) -> Any:
        if path.endswith("/status/current"):
            return {"status": self.status}
        config = self.configs.pop(0) if len(self.configs) > 1 else self.configs[0]
        if config is None:
            raise ProxmoxError(500, "Configuration file 'nodes/pve1/qemu-server/1100.conf' does not exist")
        return config

    def post(self, path: str) -> str:
        self.writes.append(f"POST {path}")
        return "UPID"

    def delete(self, path: str, /, **query: Any) -> str:
        self.writes.append(f"DELETE {path}")
        return "UPID"

    def wait(self, node: str, upid: str) -> None:
        pass


OURS = {"description": mark(OWNER, "ab12")}


def test_only_claims_whose_vm_the_state_lacks_are_looked_at() -> None:
    assert claims_without_vm(export(claim(), vm())) == []
    assert [c.vm_id for c in claims_without_vm(export(claim(), claim(1101), vm(1101)))] == [1100]
    assert claims_without_vm({"deployment": {"resources": None}}) == []


@pytest.mark.parametrize(
    "other", [{"delete": True}, {"initErrors": ["VM is locked (backup)"]}, {"pendingReplacement": True}]
)
def test_a_vm_that_waits_to_be_deleted_or_whose_create_failed_does_not_count_as_held(other: dict[str, Any]) -> None:
    assert [c.vm_id for c in claims_without_vm(export(claim(), vm(**other)))] == [1100]


@pytest.mark.parametrize(("status", "stops"), [("stopped", 0), ("running", 1)])
def test_our_half_made_vm_is_stopped_and_removed(status: str, stops: int) -> None:
    api = FakeApi(OURS, status=status)
    lines = list(recover(api, export(claim())))  # type: ignore[arg-type]
    assert "half made" in lines[0]
    assert api.writes[-1] == "DELETE /nodes/pve1/qemu/1100"
    assert len(api.writes) == 1 + stops


@pytest.mark.parametrize(
    "description", ["", mark(OWNER, "ffff"), mark("lab/prod/vm-1", "ab12"), "hypercompose: x claim="]
)
def test_any_other_vm_under_the_id_is_left_alone(description: str) -> None:
    api = FakeApi({"description": description})
    lines = list(recover(api, export(claim())))  # type: ignore[arg-type]
    assert "left alone" in lines[0]
    assert api.writes == []


@pytest.mark.parametrize("name", ["vm-1", "vm-1-data"])
@pytest.mark.parametrize("vms", [[], [vm(initErrors=["VM is locked (backup)"])]])
def test_a_vm_past_first_contact_is_never_removed_whatever_its_update_met(name: str, vms: list[dict[str, Any]]) -> None:
    one = claim()
    one["outputs"]["name"] = name
    assert claims_without_vm(export(one, host_key(), *vms)) == []
    replaced = host_key(pendingReplacement=True)
    assert len(claims_without_vm(export(one, replaced, *vms))) == 1


def test_a_finished_vm_that_is_called_like_a_holder_is_not_removed_either() -> None:
    one = claim()
    one["outputs"]["name"] = "shop-data"
    key = host_key(urn="urn:x::shop-data-host-key")
    assert claims_without_vm(export(one, key, vm(initErrors=["VM is locked (backup)"]))) == []


def test_nothing_there_needs_nothing() -> None:
    assert list(recover(FakeApi(None), export(claim()))) == []  # type: ignore[arg-type]


def test_a_clone_that_goes_on_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    api = FakeApi({"lock": "clone"}, {"lock": "clone"}, OURS)
    assert "removed" in next(iter(recover(api, export(claim()))))  # type: ignore[arg-type]


def test_a_lock_that_stays_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    monkeypatch.setattr(module, "LOCK_DEADLINE_S", 0.05)
    with pytest.raises(ProvisioningError, match=r"still locked \(backup\)"):
        list(recover(FakeApi({"lock": "backup"}), export(claim())))  # type: ignore[arg-type]

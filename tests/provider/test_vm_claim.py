"""Which addresses a claim probes."""

from typing import Any

import pytest

from provider.resource import Context
from provider.resources import vm_claim
from provider.resources.vm_claim import VmClaim
from provider.values import UNKNOWN
from provisioning.claim import Problem, Wanted
from provisioning.errors import ProvisioningError
from provisioning.mark import mark
from provisioning.proxmox import ProxmoxUnreachable

NEWS: dict[str, Any] = {
    "vmId": 1100, "name": "vm-1", "owner": "lab/dev/vm-1", "node": "pve1", "templateId": 9000,
    "diskStorages": ["local-lvm"], "isoStorage": "local", "bridges": [], "addresses": ["10.0.0.8", "10.0.0.9"],
}  # fmt: skip


def checked(olds: dict[str, Any], news: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    asked: list[Wanted] = []

    def problems(api: object, wanted: Wanted, *, claimed_before: bool) -> list[Problem]:
        asked.append(wanted)
        return []

    monkeypatch.setattr(vm_claim, "problems", problems)
    list(VmClaim().check(Context(proxmox=None, load_ssh=lambda: None), "urn", olds, news))  # type: ignore[arg-type, return-value]
    return asked


def test_a_new_vm_probes_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked({}, NEWS, monkeypatch)[0].new_addresses == ["10.0.0.8", "10.0.0.9"]


def test_an_existing_vm_probes_only_those_it_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    olds = {**NEWS, "addresses": ["10.0.0.8"]}
    assert checked(olds, NEWS, monkeypatch)[0].new_addresses == ["10.0.0.9"]


def test_a_vm_that_only_changes_its_id_keeps_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked({**NEWS, "vmId": 1101}, NEWS, monkeypatch)[0].new_addresses == []


def test_another_owner_does_not_lend_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(checked({**NEWS, "owner": "lab/dev/vm-2"}, NEWS, monkeypatch)[0].new_addresses) == 2


class OneVm:
    def __init__(self, description: str) -> None:
        self.description = description

    def get(self, path: str) -> dict[str, str]:
        return {"description": self.description}


@pytest.mark.parametrize(("nonce", "kept"), [("ab12", True), ("ffff", False)])
def test_a_claim_is_not_given_up_while_its_vm_is_there(nonce: str, kept: bool) -> None:
    context = Context(proxmox=OneVm(mark("lab/dev/vm-1", nonce)), load_ssh=lambda: None)  # type: ignore[arg-type, return-value]
    state = {**NEWS, "nonce": "ab12"}
    if kept:
        with pytest.raises(ProvisioningError, match="make recover STACK=dev"):
            VmClaim().delete(context, "1100", state)
    else:
        VmClaim().delete(context, "1100", state)


def test_data_disks_do_not_move_to_another_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vm_claim, "problems", lambda *_, **__: [])
    context = Context(proxmox=None, load_ssh=lambda: None)  # type: ignore[arg-type, return-value]
    news = {**NEWS, "templateId": None}
    found = list(VmClaim().check(context, "urn", {**news, "vmId": 1101}, news))
    assert "data disks do not move" in found[0].reason


def test_nothing_is_asked_while_an_input_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked({}, {**NEWS, "node": UNKNOWN}, monkeypatch) == []


def test_an_unreachable_site_is_a_warning_at_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    def problems(api: object, wanted: Wanted, *, claimed_before: bool) -> list[Problem]:
        raise ProxmoxUnreachable("https://x: no answer")

    warnings: list[str] = []
    monkeypatch.setattr(vm_claim, "problems", problems)
    context = Context(proxmox=None, load_ssh=lambda: None, warn=lambda urn, text: warnings.append(text))  # type: ignore[arg-type, return-value]
    assert list(VmClaim().check(context, "urn", {}, NEWS)) == []
    assert warnings == ["VM id 1100 could not be checked: https://x: no answer"]

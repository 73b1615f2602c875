"""A token that lacks something: each missing privilege by name and path, and never another."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from delivery.preflight.check import Check, Status
from delivery.preflight.permissions import check_permissions
from delivery.preflight.scope import Scope
from delivery.preflight.site import take_inventory
from lab.world import Bridge, Grant
from provisioning.privileges import Need
from tests.delivery.preflight.conftest import Serve
from tests.delivery.preflight.scopes import VM, scope_of
from tests.lab_pve.worlds import world

OPERATOR = "ops@pve!lab"
RICH: dict[str, Any] = {
    "vms": [
        {
            **VM,
            "data_first_id": 1150,
            "networks": [*VM["networks"], {"bridge": "bridge-dev", "vlan": 20}],
            "data_disks": [{"name": "data", "slot": 1, "size_gib": 4, "mount": "/srv/data", "storage": "ceph"}],
        }
    ],
    "bridges": [{"name": "br_own"}],
}
NEEDED = {
    "/vms/1100": (
        "VM.Allocate VM.Audit VM.Config.CDROM VM.Config.CPU VM.Config.Disk VM.Config.HWType VM.Config.Memory"
        " VM.Config.Network VM.Config.Options VM.PowerMgmt"
    ),
    "/vms/1150": (
        "VM.Allocate VM.Audit VM.Config.CDROM VM.Config.CPU VM.Config.Disk VM.Config.HWType VM.Config.Memory"
        " VM.Config.Options"
    ),
    "/vms/9000": "VM.Audit VM.Clone",
    "/storage/local-lvm": "Datastore.AllocateSpace",
    "/storage/ceph": "Datastore.AllocateSpace Datastore.Audit",
    "/storage/local": "Datastore.AllocateTemplate Datastore.Audit",
    "/sdn/zones/localnetwork/vmbr0": "SDN.Use",
    "/sdn/zones/localnetwork/vmbr1": "SDN.Use",
    "/sdn/zones/localnetwork/bridge-dev/20": "SDN.Use",
    "/nodes/pve1": "Sys.Audit Sys.Modify",
}
PAIRS = [(path, privilege) for path, privileges in NEEDED.items() for privilege in privileges.split()]


def grants(pairs: Iterable[tuple[str, str]]) -> tuple[Grant, ...]:
    by_path: dict[str, list[str]] = {}
    for path, privilege in pairs:
        by_path.setdefault(path, []).append(privilege)
    return tuple(Grant(path=path, privileges=tuple(held), propagate=False) for path, held in by_path.items())


def found(scope: Scope, serve: Serve, pairs: Iterable[tuple[str, str]]) -> list[Check]:
    """With a template that has a second network device."""
    bridges = tuple(Bridge(name=n, cidr="192.0.2.0/24", gateway="192.0.2.1") for n in ("vmbr0", "vmbr1", "bridge-dev"))
    template = world().templates[0]
    config = {**template.config, "net1": "virtio,bridge=vmbr1"}
    changed = type(template)(**{**vars(template), "config": config})
    api, _ = serve(world(tokens={OPERATOR: grants(pairs)}, bridges=bridges, templates=(changed,)))
    return list(check_permissions(scope, take_inventory(scope, api)))


@pytest.fixture
def scope(lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scope:
    return scope_of(tmp_path, monkeypatch, **RICH)


def test_a_token_with_exactly_what_is_needed_passes(scope: Scope, serve: Serve) -> None:
    (check,) = found(scope, serve, PAIRS)
    assert check.status is Status.PASSED, check
    assert check.detail == f"all {len(PAIRS)} that this stack needs, on {len(NEEDED)} paths"


@pytest.mark.parametrize(("path", "privilege"), PAIRS, ids=lambda text: str(text))
def test_each_missing_privilege_is_named_with_its_path(path: str, privilege: str, scope: Scope, serve: Serve) -> None:
    missing = found(scope, serve, [pair for pair in PAIRS if pair != (path, privilege)])
    if (path, privilege) == ("/vms/9000", "VM.Audit"):  # what the template needs besides cannot be seen then
        missing = [check for check in missing if check.subject == privilege]
    assert [(check.status, check.subject, check.detail) for check in missing] == [
        (Status.FAILED, privilege, f"missing on {path}")
    ]
    assert f"--privs {privilege}" in missing[0].remedy


def test_a_token_with_nothing_gets_a_line_for_each_privilege(scope: Scope, serve: Serve) -> None:
    checks = found(scope, serve, [("/nowhere", "VM.Audit")])
    assert {check.subject for check in checks} == {privilege for _, privilege in PAIRS}
    audit = next(check for check in checks if check.subject == "VM.Audit")
    assert audit.detail == "missing on /vms/1100, /vms/1150, /vms/9000"


def test_an_address_by_dhcp_is_asked_of_the_agent(
    lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    scope = scope_of(tmp_path, monkeypatch, vms=[{**VM, "networks": [{"bridge": "vmbr0"}]}])
    named = {check.subject: check for check in found(scope, serve, [("/vms/1100", "VM.Monitor")])}
    assert "VM.GuestAgent.Audit" not in named  # Proxmox before 9
    assert "VM.Allocate" in named


@pytest.mark.parametrize(
    ("method", "extra", "not_needed"),
    [
        ("snippet", "VM.Config.Cloudinit", "Datastore.AllocateTemplate"),
        ("agent", "VM.GuestAgent.FileRead", "Datastore.AllocateTemplate"),
    ],
)
def test_other_ways_to_the_host_key_need_other_privileges(
    method: str,
    extra: str,
    not_needed: str,
    lab_site: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    serve: Serve,
) -> None:
    scope = scope_of(tmp_path, monkeypatch, vms=[{**VM, "host_key": method}])
    named = {check.subject for check in found(scope, serve, [("/nowhere", "VM.Audit")])}
    assert extra in named
    assert not_needed not in named


def test_the_agents_older_privilege_counts_as_well() -> None:
    need = Need(path="/vms/1", privilege="VM.GuestAgent.Audit", instead=("VM.Monitor",))
    assert need.is_met({"VM.Monitor"})
    assert not need.is_met({"VM.Audit"})

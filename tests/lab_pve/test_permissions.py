"""Who may call what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.pve.calls import load
from lab.pve.permissions import PRIVILEGES, Permissions
from lab.pve.routing import ROUTES, Route
from lab.world import Grant
from tests.lab_pve import official
from tests.lab_pve.pve_site import PveSite, covers
from tests.lab_pve.worlds import ROOT_TOKEN, world

load()
OPERATOR = "ops@pve!lab"
ROOT_GRANT = (Grant(path="/", privileges=("Administrator",)),)
VM_PRIVILEGES = [name for name in PRIVILEGES if name.startswith("VM.")]


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[PveSite]:
    """A site where the operator may clone the template to id 100 and change the copy's CPU."""
    grants = (
        Grant(path="/vms/9000", privileges=("VM.Clone", "VM.Audit")),
        Grant(path="/vms/100", privileges=("VM.Allocate", "VM.Audit", "VM.Config.CPU", "VM.Config.Disk")),
        Grant(path="/storage/local-lvm", privileges=("Datastore.AllocateSpace",)),
        Grant(path="/sdn/zones/localnetwork/vmbr0", privileges=("SDN.Use",)),
    )
    site = PveSite(world(tokens={OPERATOR: grants, ROOT_TOKEN: ROOT_GRANT}), tmp_path / "pve")
    await site.start()
    site.headers = site.token(OPERATOR)
    yield site
    await site.stop()


async def test_a_missing_privilege_is_named_with_its_path(limited: PveSite) -> None:
    vm = await limited.clone(100)
    clone = await limited.call("POST", "/nodes/pve1/qemu/9000/clone", {"newid": 101})
    assert (clone.status, clone.reason) == (403, "Permission check failed (/vms/101, VM.Allocate)")
    refused = {
        "memory": (1024, "/vms/100, VM.Config.Memory"),
        "ide3": ("none,media=cdrom", "/vms/100, VM.Config.CDROM"),
        "net0": ("virtio,bridge=vmbr0", "/vms/100, VM.Config.Network"),
        "scsi1": ("ceph:1", "/storage/ceph, Datastore.AllocateSpace"),
    }
    for option, (value, missing) in refused.items():
        answer = await limited.call("PUT", f"{vm}/config", {option: value})
        assert (answer.status, answer.reason) == (403, f"Permission check failed ({missing})")
    await limited.do("PUT", f"{vm}/config", cores=2, scsi1="local-lvm:1")
    assert (await limited.call("POST", f"{vm}/status/start")).reason.endswith("(/vms/100, VM.PowerMgmt)")


async def test_lists_show_only_what_may_be_seen(limited: PveSite) -> None:
    assert [vm["vmid"] for vm in await limited.get("/nodes/pve1/qemu")] == [9000]
    assert [s["storage"] for s in await limited.get("/nodes/pve1/storage")] == ["local-lvm"]
    assert [i["iface"] for i in await limited.get("/nodes/pve1/network")] == ["vmbr0"]
    assert "maxmem" not in (await limited.get("/nodes"))[0]
    assert (await limited.call("GET", "/cluster/status")).reason == "Permission check failed (/, Sys.Audit)"


async def test_a_disk_of_another_vm_needs_a_privilege_on_that_vm(limited: PveSite) -> None:
    vm = await limited.clone(100)
    limited.cluster.volumes.add("pve1", "local-lvm:vm-1999-disk-0", 1 << 30, owner=1999)
    answer = await limited.call("PUT", f"{vm}/config", {"scsi1": "local-lvm:vm-1999-disk-0"})
    assert answer.reason == "Permission check failed (/storage/local-lvm, Datastore.Audit)"


async def test_the_nodes_own_cd_drive_needs_more_than_a_token_has(limited: PveSite, tmp_path: Path) -> None:
    grants = (Grant(path="/vms", privileges=tuple(VM_PRIVILEGES)),)
    site = PveSite(world(tokens={OPERATOR: grants}), tmp_path / "cdrom", headers={})
    site.headers = site.token(OPERATOR)
    await site.start()
    answer = await site.call("POST", "/nodes/pve1/qemu", {"vmid": 100, "ide3": "cdrom,media=cdrom"})
    await site.stop()
    assert answer.reason == "Permission check failed (/, Sys.Console)"


async def test_options_for_root_only(pve: PveSite) -> None:
    vm = await pve.clone(100)
    assert (await pve.call("PUT", f"{vm}/config", {"args": "-x"})).reason == "only root can set 'args' config"
    skip = await pve.call("DELETE", vm, {"skiplock": 1})
    assert skip.body["errors"] == {"skiplock": "Only root may use this option."}


@covers("GET /access/permissions")
async def test_a_caller_can_ask_for_its_privileges(pve: PveSite) -> None:
    assert set(await pve.get("/access/permissions")) >= {"/", "/vms", "/storage"}
    assert (await pve.call("GET", "/access/permissions", {"path": "/vms/100"})).data["/vms/100"]["VM.Allocate"] == 1
    assert await pve.get("/access/permissions", userid="nobody@pve!x") == {}


def test_a_longer_path_replaces_what_was_inherited() -> None:
    grants = (
        Grant(path="/vms", privileges=("VM.Audit", "VM.Clone")),
        Grant(path="/vms/100", privileges=("VM.Audit",)),
        Grant(path="/storage", privileges=("Datastore.Audit",), propagate=False),
    )
    permissions = Permissions(world(tokens={OPERATOR: grants}))
    assert permissions.holds(OPERATOR, "/vms/101", "VM.Clone")
    assert not permissions.holds(OPERATOR, "/vms/100", "VM.Clone")
    assert permissions.holds(OPERATOR, "/storage", "Datastore.Audit")
    assert not permissions.holds(OPERATOR, "/storage/local", "Datastore.Audit")


CHECKED_BY_THE_HANDLER = {
    "POST /nodes/{node}/qemu/{vmid}/clone": "either on the new VM or on its pool",
    "POST /nodes/{node}/storage/{storage}/download-url": "either of two paths",
    "GET /nodes/{node}/query-url-metadata": "either of two paths",
    "POST /pools": "the pool is a parameter",
    "PUT /pools": "the pool is a parameter",
    "DELETE /pools": "the pool is a parameter",
}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.pattern}")
def test_a_route_needs_what_the_official_schema_says(route: Route) -> None:
    schema = official.method(route.method, route.pattern)
    assert schema is not None
    check = schema.get("permissions", {}).get("check")
    if f"{route.method} {route.pattern}" in CHECKED_BY_THE_HANDLER:
        assert check is not None
    elif check is None:
        assert route.need is None and schema["permissions"]["user"] in ("all", "world")
    else:
        assert route.need is not None and check[0] == "perm"
        assert official.plain(route.need.path) == official.plain(check[1])
        assert set(route.need.privileges) == set(check[2])
        assert route.need.any_of == ("any" in check)

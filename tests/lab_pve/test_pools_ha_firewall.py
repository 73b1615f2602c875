"""Pools, high availability and firewall: what is put in comes out again."""

from __future__ import annotations

import pytest

from tests.lab_pve.pve_site import PveSite, covers


@covers("GET /pools", "POST /pools", "PUT /pools", "DELETE /pools", "GET /pools/{poolid}")
async def test_a_pool_holds_vms_and_goes_when_empty(pve: PveSite) -> None:
    await pve.do("POST", "/pools", poolid="p", comment="one")
    await pve.clone(100, pool="p")
    (pool,) = await pve.get("/pools", poolid="p")
    assert [member["vmid"] for member in pool["members"]] == [100]
    assert await pve.get("/pools") == [{"poolid": "p", "comment": "one"}]
    assert (await pve.call("DELETE", "/pools", {"poolid": "p"})).reason == "delete pool failed: pool 'p' is not empty"
    assert "already exists" in (await pve.call("POST", "/pools", {"poolid": "p"})).reason
    await pve.do("PUT", "/pools", poolid="p", vms="100", delete=1)
    assert (await pve.get("/pools/p"))["members"] == []
    await pve.do("DELETE", "/pools", poolid="p")
    assert (await pve.call("GET", "/pools/p")).reason == "pool 'p' does not exist"


@covers("PUT /pools/{poolid}", "DELETE /pools/{poolid}")
async def test_pools_by_path(pve: PveSite) -> None:
    await pve.do("POST", "/pools", poolid="p")
    await pve.do("PUT", "/pools/p", comment="two", vms="9000")
    assert (await pve.get("/pools/p"))["comment"] == "two"
    await pve.do("PUT", "/pools/p", vms="9000", delete=1)
    await pve.do("DELETE", "/pools/p")


HA = [
    ("resources", "sid", "vm:9000", {"state": "stopped"}),
    ("rules", "rule", "keep", {"type": "node-affinity", "resources": "vm:9000", "nodes": "pve1"}),
    ("groups", "group", "both", {"nodes": "pve1,pve2"}),
]


@pytest.mark.parametrize(("kind", "key", "name", "given"), HA)
async def test_ha_objects(pve: PveSite, kind: str, key: str, name: str, given: dict[str, str]) -> None:
    base = f"/cluster/ha/{kind}"
    await pve.do("POST", base, **{key: name}, **given)
    assert [item[key] for item in await pve.get(base)] == [name]
    assert "already defined" in (await pve.call("POST", base, {key: name} | given)).reason
    kept = {"type": given["type"]} if "type" in given else {}
    await pve.do("PUT", f"{base}/{name}", comment="new", **kept)
    assert (await pve.get(f"{base}/{name}"))["comment"] == "new"
    await pve.do("DELETE", f"{base}/{name}")
    assert (await pve.call("GET", f"{base}/{name}")).reason.startswith("no such")
    verbs = {f"{verb} {base}" for verb in ("GET", "POST")}
    assert verbs | {f"{verb} {base}/{{{key}}}" for verb in ("GET", "PUT", "DELETE")} <= pve.called


async def test_a_vm_in_ha_is_only_deleted_with_purge(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.do("POST", "/cluster/ha/resources", sid="vm:100")
    assert (await pve.get(f"{vm}/status/current"))["ha"] == {"managed": 1}
    assert "used in HA resources" in (await pve.call("DELETE", vm)).reason
    await pve.done("DELETE", vm, purge=1)
    assert await pve.get("/cluster/ha/resources") == []


@pytest.mark.parametrize("base", ["/cluster/firewall", "/nodes/pve1/qemu/9000/firewall"])
async def test_firewall_options_and_rules(pve: PveSite, base: str) -> None:
    await pve.do("PUT", f"{base}/options", enable=1, policy_in="DROP")
    await pve.do("PUT", f"{base}/options", delete="enable")
    assert await pve.get(f"{base}/options") == {"policy_in": "DROP"}
    for port in ("80", "22"):
        await pve.do("POST", f"{base}/rules", type="in", action="ACCEPT", dport=port, enable=1)
    assert [(r["pos"], r["dport"]) for r in await pve.get(f"{base}/rules")] == [(0, "22"), (1, "80")]
    await pve.do("PUT", f"{base}/rules/0", moveto=2)
    await pve.do("PUT", f"{base}/rules/1", comment="ssh")
    assert (await pve.get(f"{base}/rules/1"))["comment"] == "ssh"
    await pve.do("DELETE", f"{base}/rules/0")
    assert (await pve.call("GET", f"{base}/rules/1")).body["errors"] == {"pos": "no rule at position 1"}

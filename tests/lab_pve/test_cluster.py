"""The cluster as a whole, its nodes, networks and workers."""

from __future__ import annotations

from tests.lab_pve.pve_site import PveSite, covers, task_path


@covers("GET /version", "GET /cluster/status", "GET /nodes", "GET /nodes/{node}/status")
async def test_cluster_and_nodes_answer(pve: PveSite) -> None:
    assert (await pve.get("/version"))["version"].startswith("9.")
    assert [entry["type"] for entry in await pve.get("/cluster/status")] == ["cluster", "node", "node"]
    await pve.started(100, memory=4096)
    first, second = await pve.get("/nodes")
    assert (first["status"], first["mem"], second["mem"]) == ("online", 4096 << 20, 0)
    assert (await pve.get("/nodes/pve1/status"))["cpuinfo"]["cpus"] == 8


@covers("GET /cluster/nextid")
async def test_the_next_id_is_the_first_free_one(pve: PveSite) -> None:
    await pve.clone(100)
    assert await pve.get("/cluster/nextid") == "101"
    assert await pve.get("/cluster/nextid", vmid=300) == "300"
    taken = await pve.call("GET", "/cluster/nextid", {"vmid": 100})
    assert taken.body["errors"] == {"vmid": "VM 100 already exists"}


@covers("GET /cluster/resources", "GET /nodes/{node}/qemu")
async def test_resources_list_vms_nodes_and_storages(pve: PveSite) -> None:
    vm = await pve.started(100)
    await pve.do("PUT", f"{vm}/config", tags="lab")
    found = await pve.get("/cluster/resources")
    assert {item["type"] for item in found} == {"qemu", "node", "storage"}
    (listed,) = [item for item in await pve.get("/cluster/resources", type="vm") if item["vmid"] == 100]
    assert (listed["status"], listed["tags"], listed["template"]) == ("running", "lab", 0)
    assert {item["vmid"] for item in await pve.get("/nodes/pve1/qemu")} == {100, 9000}


@covers(
    "GET /nodes/{node}/tasks",
    "GET /nodes/{node}/tasks/{upid}/status",
    "GET /nodes/{node}/tasks/{upid}/log",
    "GET /cluster/tasks",
)
async def test_workers_are_listed_newest_first_and_filtered(pve: PveSite) -> None:
    await pve.clone(100)
    pve.cluster.faults.arm({"task": "qmstart", "seconds": 0.2})
    upid = await pve.do("POST", "/nodes/pve1/qemu/100/status/start")
    assert [t["upid"] for t in await pve.get("/nodes/pve1/tasks", source="active", vmid=100)] == [upid]
    assert [t["type"] for t in await pve.get("/nodes/pve1/tasks")] == ["qmclone"]
    assert await pve.get("/nodes/pve2/tasks", source="all") == []
    assert await pve.get("/nodes/pve1/tasks", errors=1) == []
    assert await pve.ended(upid) == "OK"
    assert [t["type"] for t in await pve.get("/cluster/tasks")] == ["qmstart", "qmclone"]
    log = await pve.get(f"{task_path(upid)}/log")
    assert log == [{"n": 1, "t": "TASK OK"}]


async def test_a_worker_that_never_was_is_a_bad_parameter(pve: PveSite) -> None:
    path = "/nodes/pve1/tasks/UPID:pve1:00000001:00000001:00000001:qmstart:100:root@pam:/status"
    assert (await pve.call("GET", path)).body["errors"] == {"upid": "no such task"}
    assert (await pve.call("GET", "/nodes/pve1/tasks/x/status")).body["errors"] == {
        "upid": "unable to parse worker upid"
    }


NETWORK = "/nodes/{node}/network"


@covers(
    f"GET {NETWORK}", f"POST {NETWORK}", f"PUT {NETWORK}", f"GET {NETWORK}/{{iface}}", f"DELETE {NETWORK}/{{iface}}"
)
async def test_a_bridge_is_in_force_once_it_is_applied(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.do("POST", "/nodes/pve1/network", iface="vmbr7", type="bridge", cidr="10.0.7.1/24", autostart=1)
    await pve.do("PUT", f"{vm}/config", net0="virtio,bridge=vmbr7")
    assert await pve.work("POST", f"{vm}/status/start") == "bridge 'vmbr7' does not exist"
    await pve.done("PUT", "/nodes/pve1/network")
    await pve.done("POST", f"{vm}/status/start")
    assert (await pve.get("/nodes/pve1/network/vmbr7"))["active"] == 1
    assert [i["iface"] for i in await pve.get("/nodes/pve1/network", type="any_bridge")] == ["vmbr0", "vmbr1", "vmbr7"]
    assert len(await pve.get("/nodes/pve2/network")) == 2
    again = await pve.call("POST", "/nodes/pve1/network", {"iface": "vmbr7", "type": "bridge"})
    assert again.body["errors"] == {"iface": "interface already exists"}
    await pve.do("DELETE", "/nodes/pve1/network/vmbr7")
    await pve.done("PUT", "/nodes/pve1/network")
    assert (await pve.call("GET", "/nodes/pve1/network/vmbr7")).status == 400


@covers(f"PUT {NETWORK}/{{iface}}", f"DELETE {NETWORK}")
async def test_network_changes_can_be_made_and_forgotten(pve: PveSite) -> None:
    await pve.do(
        "POST", "/nodes/pve1/network", iface="vmbr0.42", type="vlan", **{"vlan-id": 42, "vlan-raw-device": "vmbr0"}
    )
    await pve.do("PUT", "/nodes/pve1/network/vmbr0.42", type="vlan", comments="tagged")
    shown = await pve.do("GET", "/nodes/pve1/network/vmbr0.42")  # what the name says needs no parameter
    assert (shown["vlan-raw-device"], shown["vlan-id"], shown["comments"]) == ("vmbr0", "42", "tagged")
    assert (await pve.get("/nodes/pve1/network/vmbr0.42"))["comments"] == "tagged"
    await pve.do("DELETE", "/nodes/pve1/network")
    assert (await pve.call("GET", "/nodes/pve1/network/vmbr0.42")).status == 400


async def test_unknown_calls_are_not_implemented(pve: PveSite) -> None:
    assert (await pve.call("GET", "/cluster/sdn/zones")).status == 501
    assert (await pve.raw("GET", "/api2/extjs/version", headers=pve.headers)).status == 404

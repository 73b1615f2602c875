"""The guest agent."""

from __future__ import annotations

import pytest

from tests.lab_pve.pve_site import PveSite, covers

AGENT = "/nodes/{node}/qemu/{vmid}/agent"


@covers(f"GET {AGENT}/network-get-interfaces", f"POST {AGENT}/ping")
async def test_the_agent_answers_real_addresses_once_it_is_up(pve: PveSite) -> None:
    pve.hypervisor.agent_up = False
    vm = await pve.started(100)
    early = await pve.call("GET", f"{vm}/agent/network-get-interfaces")
    assert (early.status, early.reason) == (500, "QEMU guest agent is not running")
    pve.hypervisor.agent_up = True
    await pve.do("POST", f"{vm}/agent/ping")
    pve.hypervisor.addresses = {"eth0": ["192.0.2.7/24", "fe80::2/64"]}
    lo, eth0 = (await pve.get(f"{vm}/agent/network-get-interfaces"))["result"]
    assert (lo["name"], eth0["name"]) == ("lo", "eth0")
    assert eth0["hardware-address"].upper() in (await pve.get(f"{vm}/config"))["net0"]
    assert [a["ip-address-type"] for a in eth0["ip-addresses"]] == ["ipv4", "ipv6"]


@covers(f"GET {AGENT}/get-osinfo", f"GET {AGENT}/get-host-name")
async def test_the_agent_knows_system_and_name(pve: PveSite) -> None:
    vm = await pve.started(100)
    assert (await pve.get(f"{vm}/agent/get-osinfo"))["result"]["id"] == "rocky"
    assert (await pve.get(f"{vm}/agent/get-host-name"))["result"] == {"host-name": "vm-100"}


@pytest.mark.parametrize(
    ("verb", "what", "params", "command"),
    [
        ("POST", "exec", {"command": "id"}, "guest-exec"),
        ("GET", "exec-status", {"pid": "1"}, "guest-exec-status"),
        ("GET", "file-read", {"file": "/etc/shadow"}, "guest-file-open"),
        ("POST", "file-write", {"file": "/tmp/x", "content": "x"}, "guest-file-open"),
    ],
)
async def test_the_agent_refuses_to_run_or_read_anything(
    pve: PveSite, verb: str, what: str, params: dict[str, str], command: str
) -> None:
    vm = await pve.started(100)
    answer = await pve.call(verb, f"{vm}/agent/{what}", params)
    assert (answer.status, answer.reason) == (
        500,
        f"Agent error: The command {command} has been disabled for this instance",
    )


@covers(f"POST {AGENT}/exec", f"GET {AGENT}/exec-status", f"GET {AGENT}/file-read", f"POST {AGENT}/file-write")
async def test_no_agent_answers_while_the_vm_is_off_or_has_none(pve: PveSite) -> None:
    vm = await pve.clone(100)
    calls = (("POST", "exec"), ("GET", "exec-status"), ("GET", "file-read"), ("POST", "file-write"))
    for verb, what in calls:
        assert (await pve.call(verb, f"{vm}/agent/{what}")).reason == "VM 100 is not running"
    await pve.do("PUT", f"{vm}/config", agent="enabled=0")
    await pve.done("POST", f"{vm}/status/start")
    assert (await pve.call("POST", f"{vm}/agent/ping")).reason == "No QEMU guest agent configured"

"""Faults on demand, through the lab's own surface."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from tests.lab_pve.pve_site import Answer, PveSite, task_path


async def _lab(pve: PveSite, verb: str, what: str, body: Any = None) -> Answer:
    headers = {"X-Lab-Control": (pve.directory / "control").read_text()}
    return await pve.raw(verb, f"/_lab/{what}", headers=headers, json=body)


async def _arm(pve: PveSite, *faults: Mapping[str, Any]) -> None:
    assert (await _lab(pve, "POST", "faults", list(faults))).status == 200


async def test_the_surface_wants_its_secret(pve: PveSite) -> None:
    with pytest.raises(ValueError):
        await pve.raw("GET", "/_lab/calls", headers={"X-Lab-Control": "wrong"})
    assert (await _lab(pve, "GET", "calls")).status == 200


async def test_calls_are_remembered(pve: PveSite) -> None:
    await pve.call("GET", "/nodes/pve1/qemu/100/config")
    last = (await _lab(pve, "GET", "calls")).body[-1]  # type: ignore[index]
    assert (last["method"], last["path"], last["status"]) == ("GET", "/nodes/pve1/qemu/100/config", 500)


async def test_a_call_fails_as_often_as_asked(pve: PveSite) -> None:
    await _arm(pve, {"path": "/version$", "status": 500, "reason": "VM is locked (backup)", "times": 2})
    answers = [await pve.call("GET", "/version") for _ in range(3)]
    assert [a.status for a in answers] == [500, 500, 200]
    assert (answers[0].reason, answers[0].body["message"]) == ("VM is locked (backup)", "VM is locked (backup)\n")


async def test_an_answer_can_be_lost_before_or_after_the_work(pve: PveSite) -> None:
    await _arm(pve, {"path": "/pools$", "drop": True}, {"path": "/pools$", "method": "POST", "drop_after": True})
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await pve.do("POST", "/pools", poolid="p")
    assert await pve.get("/pools") == [{"poolid": "p", "comment": ""}]


async def test_a_get_can_hang_until_faults_are_cleared(pve: PveSite) -> None:
    await _arm(pve, {"path": "/version$", "hang": True})
    waiting = asyncio.create_task(pve.call("GET", "/version"))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await _lab(pve, "DELETE", "faults")
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_a_call_can_be_slow(pve: PveSite) -> None:
    await _arm(pve, {"path": "/version$", "delay_s": 0.15})
    began = asyncio.get_running_loop().time()
    await pve.get("/version")
    assert asyncio.get_running_loop().time() - began >= 0.15


async def test_a_worker_fails_without_doing_its_work(pve: PveSite) -> None:
    await _arm(pve, {"task": "qmclone", "exit": "clone failed: no space", "log": ["copying", "TASK ERROR: no space"]})
    upid = await pve.do("POST", "/nodes/pve1/qemu/9000/clone", newid=100)
    assert await pve.ended(upid) == "clone failed: no space"
    log = await pve.get(f"{task_path(upid)}/log")
    assert [line["t"] for line in log] == ["copying", "TASK ERROR: no space"]
    assert 100 not in pve.hypervisor.guests
    assert (await pve.call("GET", "/nodes/pve1/qemu/100/config")).status == 500


async def test_warnings_do_the_work(pve: PveSite) -> None:
    await _arm(pve, {"task": "qmclone", "exit": "WARNINGS: 1"})
    assert await pve.work("POST", "/nodes/pve1/qemu/9000/clone", newid=100) == "WARNINGS: 1"
    assert 100 in pve.hypervisor.guests


async def test_an_offline_node_cannot_be_reached_but_is_listed(pve: PveSite) -> None:
    await _arm(pve, {"offline_node": "pve1"})
    answer = await pve.call("GET", "/nodes/pve1/qemu")
    assert (answer.status, answer.reason) == (595, "No route to host")
    (listed,) = await pve.get("/cluster/resources", type="vm")
    assert listed["status"] == "unknown"
    assert [node["status"] for node in await pve.get("/nodes")] == ["offline", "online"]
    await _lab(pve, "DELETE", "faults")
    await pve.get("/nodes/pve1/qemu")


async def test_an_agent_can_be_silent(pve: PveSite) -> None:
    vm = await pve.started(100)
    await _arm(pve, {"silent_agent": 100})
    assert (await pve.call("POST", f"{vm}/agent/ping")).reason == "QEMU guest agent is not running"


async def test_a_held_lock_stops_changes_until_it_is_free(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await _arm(pve, {"hold_lock": 100})
    answer = await pve.call("PUT", f"{vm}/config", {"cores": 1})
    assert answer.reason == "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"
    await _lab(pve, "DELETE", "faults")
    await pve.do("PUT", f"{vm}/config", cores=1)


async def test_unlock_drops_a_lock_that_a_crash_left(pve: PveSite) -> None:
    vm = await pve.clone(100)
    pve.cluster.vm("pve1", 100).config["lock"] = "clone"
    assert (await _lab(pve, "POST", "unlock", {"vmid": 100})).status == 200
    await pve.do("PUT", f"{vm}/config", cores=1)


@pytest.mark.parametrize("fault", [{"path": "x", "colour": "red"}, {"nonsense": 1}, {}])
async def test_a_fault_that_is_none_is_refused(pve: PveSite, fault: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError):
        await _arm(pve, fault)
    assert pve.cluster.faults.calls == []

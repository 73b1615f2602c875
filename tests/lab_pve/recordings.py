"""Recorded calls of the real provider: read, prepared for, replayed and compared."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from lab.pve.credentials import load_credentials
from tests.lab_pve.pve_site import Answer, PveSite

FOLDER = Path(__file__).parents[1] / "data" / "proxmox-calls"
_MAC = re.compile(r"(?i)\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b")
_UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_UPID = re.compile(r"UPID:(\w+):[0-9A-F]{8}:[0-9A-F]{8}:[0-9A-F]{8}:")

VOLATILE = {
    **dict.fromkeys(("digest", "ticket", "CSRFPreventionToken", "upid"), "a new one each time"),
    **dict.fromkeys(("pid", "pstart", "starttime", "uptime", "ctime", "meta"), "depends on when"),
    **dict.fromkeys(("cpu", "mem", "disk", "maxdisk", "used", "avail", "used_fraction"), "recorded as a constant"),
    **dict.fromkeys(("maxmem", "cpus"), "recorded as a constant in lists of VMs"),
    "cap": "privileges of the caller",
    "clustername": "the world's id",
    "ssl_fingerprint": "of a certificate",
}
"""Fields whose value may differ, and why."""

ADDED = {"pool": "Proxmox names the pool of a VM; the recording server did not"}
"""Fields that may be here although the recording has none, and why."""
BLANK = {"name": "Proxmox calls a VM without a name `VM 400`; the recording server left it empty"}
"""Fields that are filled here where the recording has an empty text, and why."""


@dataclass(frozen=True)
class Recorded:
    """One call as it went over the wire."""

    file: str
    number: int
    phase: str
    method: str
    path: str
    params: Mapping[str, str]
    status: int
    reason: str | None
    response: Mapping[str, Any] | None
    by_ticket: bool

    def __str__(self) -> str:
        return f"{self.file}[{self.number}] {self.method} {self.path}"


def load(file: Path) -> list[Recorded]:
    """Calls of one file, in order."""
    return [
        Recorded(
            file=file.name,
            number=number,
            phase=call["phase"],
            method=call["method"],
            path=call["path"],
            params={**call.get("query", {}), **call.get("form", {})},
            status=call["status"],
            reason=call.get("reason"),
            response=call.get("response"),
            by_ticket=call["auth"].startswith("ticket"),
        )
        for number, call in enumerate(json.loads(file.read_text()))
    ]


@dataclass
class Replay:
    """Sends recorded calls to a site and compares what comes back."""

    pve: PveSite
    upids: dict[str, str] = field(default_factory=dict)
    """Ours by the recorded one."""
    ticket: dict[str, str] = field(default_factory=dict)

    async def call(self, recorded: Recorded) -> None:
        """Fails with the first difference."""
        self.pve.hypervisor.agent_up = recorded.reason != "QEMU guest agent is not running"
        if recorded.status == 0:
            await self._dropped(recorded)
            return
        answer = await self._send(recorded)
        if answer.status == 200:
            answer = await self._settled(recorded, answer)
        assert (answer.status, answer.reason) == (recorded.status, recorded.reason or "OK"), str(recorded)
        if recorded.response is not None:
            self._remember(recorded, answer)
            _compare(recorded, recorded.response, answer.body)

    async def _send(self, recorded: Recorded) -> Answer:
        headers = self.ticket if recorded.by_ticket else self.pve.headers
        path = recorded.path
        for known, ours in self.upids.items():
            path = path.replace(known.replace("!", "%21"), ours.replace("!", "%21"))
        params = dict(recorded.params)
        if "password" in params:
            params["password"] = load_credentials(self.pve.world, self.pve.directory)[params["username"]]
        return await self.pve.call(recorded.method, path, params, headers=headers, **_upload(recorded))

    async def _dropped(self, recorded: Recorded) -> None:
        try:
            answer = await self._send(recorded)
        except aiohttp.ClientError:
            return
        raise AssertionError(f"{recorded}: answered {answer.status}, recorded as dropped")

    async def _settled(self, recorded: Recorded, answer: Answer) -> Answer:
        """Workers here and there need different times: wait where the recording had waited."""
        recorded_data = (recorded.response or {}).get("data")
        if "/tasks/" not in recorded.path or not isinstance(recorded_data, dict):
            return answer
        if recorded_data.get("status") == "stopped":
            await self.pve.ended(answer.data["upid"])
            return await self._send(recorded)
        rest = {key: value for key, value in answer.data.items() if key != "exitstatus"}
        return Answer(answer.status, answer.reason, {"data": rest | {"status": "running"}})

    def _remember(self, recorded: Recorded, answer: Answer) -> None:
        assert recorded.response is not None
        told, ours = recorded.response.get("data"), answer.body.get("data")
        if isinstance(told, str) and told.startswith("UPID:"):
            self.upids[told] = str(ours)
        if isinstance(ours, dict) and "ticket" in ours:
            self.ticket = {
                "Cookie": f"PVEAuthCookie={ours['ticket']}",
                "CSRFPreventionToken": ours["CSRFPreventionToken"],
            }


def _upload(recorded: Recorded) -> dict[str, Any]:
    if not recorded.path.endswith("/upload"):
        return {}
    form = aiohttp.FormData()
    form.add_field("content", recorded.params["content"])
    form.add_field("filename", bytes(1234), filename=recorded.params["filename"])
    return {"data": form}


def _compare(recorded: Recorded, told: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    expected = {key: value for key, value in told.items() if key != "message"}
    found = {key: value for key, value in ours.items() if key != "message"}
    assert told.get("message", ours.get("message")) == ours.get("message"), str(recorded)
    problems = list(_differences(_neutral(expected), _neutral(found), ""))
    assert not problems, f"{recorded}: {problems}"


def _neutral(value: Any) -> Any:
    """The same value with what is new each time replaced."""
    if isinstance(value, dict):
        return {key: _neutral(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_neutral(item) for item in value]
    if isinstance(value, str):
        text = _UPID.sub(r"UPID:\1:", _UUID.sub("UUID", value))
        return _MAC.sub(lambda match: match[0] if match[0].startswith("00:") else "MAC", text)
    return value


def _differences(told: Any, ours: Any, where: str) -> list[str]:
    if isinstance(told, dict) and isinstance(ours, dict):
        missing, added = sorted(set(told) - set(ours)), sorted(set(ours) - set(told) - set(ADDED))
        found = [f"{where}: missing {missing}, new {added}"] if missing or added else []
        for key in set(told) & set(ours) - set(VOLATILE) - {key for key in BLANK if told.get(key) == ""}:
            found += _differences(told[key], ours[key], f"{where}/{key}")
        return found
    if isinstance(told, list) and isinstance(ours, list) and len(told) == len(ours):
        return [problem for a, b in zip(told, ours, strict=True) for problem in _differences(a, b, f"{where}[]")]
    same = told == ours and isinstance(told, type(ours))
    return [] if same else [f"{where}: recorded {told!r}, here {ours!r}"]

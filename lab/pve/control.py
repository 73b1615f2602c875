"""The lab's own surface beside the API: arm faults, see calls.

Only from loopback, with the header `X-Lab-Control: <content of state_dir/control>`.

`POST /_lab/faults` takes one fault or a list; `DELETE /_lab/faults` clears all. A fault is one of
- `{"path": "/qemu/100/config$", "method": "PUT", "times": 1, ...}` with what happens to the call:
  `"status": 500, "reason": "VM is locked (backup)"` (and `"errors": {...}`), `"delay_s": 3` before it is carried out,
  `"hang": true` for no answer, `"drop": true` for a connection that closes first, `"drop_after": true` for one that
  closes once the call has been carried out;
- `{"task": "qmclone", "times": 1, "exit": "clone failed: no space", "log": ["..."], "seconds": 3}`: the next worker of
  that type takes longer, or ends with another status. `WARNINGS: 1` still does the work;
- `{"offline_node": "pve1"}`: calls to it answer 595; `{"silent_agent": 100}`: the agent of that VM never answers;
- `{"hold_lock": 9000}`: somebody else holds that VM's lock file.
`POST /_lab/unlock {"vmid": 100}` is what `qm unlock` does in a node's shell: drops the lock a crash left in a config.
`GET /_lab/calls` answers the last calls, oldest first, with status, reason and seconds; secrets are masked.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from lab.pve.cluster import Cluster
from lab.pve.persistence import replace_file

HEADER = "X-Lab-Control"


def answer(cluster: Cluster) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of everything under /_lab."""
    secret = _control_secret(cluster)

    async def handle(request: web.Request) -> web.Response:
        if not _from_loopback(request) or not hmac.compare_digest(request.headers.get(HEADER, ""), secret):
            raise web.HTTPForbidden(text=f"only from loopback, with the secret of state_dir/control in {HEADER}\n")
        act = _ACTIONS.get((request.method, request.match_info["what"]))
        if act is None:
            raise web.HTTPNotFound(text="see lab/pve/control.py\n")
        try:
            return web.json_response(act(cluster, await request.json() if request.can_read_body else None))
        except (TypeError, ValueError, KeyError) as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error

    return handle


def _control_secret(cluster: Cluster) -> str:
    path = cluster.directory / "control"
    if not path.exists():
        replace_file(path, secrets.token_hex(16).encode())
    return path.read_text().strip()


def _from_loopback(request: web.Request) -> bool:
    return bool(request.remote) and ipaddress.ip_address(str(request.remote)).is_loopback


def _arm(cluster: Cluster, body: Any) -> object:
    for spec in body if isinstance(body, list) else [body]:
        cluster.faults.arm(spec)
    return {}


def _clear(cluster: Cluster, body: Any) -> object:
    cluster.faults.clear()
    return {}


def _calls(cluster: Cluster, body: Any) -> object:
    return list(cluster.calls)


def _unlock(cluster: Cluster, body: Any) -> object:
    cluster.state.vms[int(body["vmid"])].config.pop("lock", None)
    cluster.save()
    return {}


_ACTIONS: dict[tuple[str, str], Callable[[Cluster, Any], object]] = {
    ("POST", "faults"): _arm,
    ("DELETE", "faults"): _clear,
    ("GET", "calls"): _calls,
    ("POST", "unlock"): _unlock,
}

"""VMs that an interrupted run left: told from everybody else's by the nonce of a claim that the state holds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.mark import read_mark
from provisioning.proxmox import Proxmox, ProxmoxError, segment

LOCK_DEADLINE_S = 600.0
PAUSE_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim that the state holds."""

    vm_id: int
    name: str
    node: str
    owner: str
    nonce: str


def claims_without_vm(export: Mapping[str, Any]) -> list[Claim]:
    """The claims of a `pulumi stack export` whose VM the state does not hold, or holds from a create that failed.

    A VM past first contact is never among them: what failed was an update, and its disks are in use.
    """
    resources = export.get("deployment", {}).get("resources") or []
    living = [r for r in resources if not r.get("delete") and not r.get("pendingReplacement")]
    finished = {_name(r).removesuffix("-host-key") for r in living if r["type"] == "hypercompose:host:HostKey"}
    held = {
        int(r["outputs"]["vmId"])
        for r in living
        if r["type"].endswith(":VmLegacy") and not r.get("initErrors") and "vmId" in r.get("outputs", {})
    }
    claims = [r["outputs"] for r in living if r["type"] == "hypercompose:proxmox:VmClaim"]
    return [
        Claim(**{field: outputs[key] for field, key in _FIELDS.items()})
        for outputs in claims
        if int(outputs["vmId"]) not in held and not finished & {outputs["name"], outputs["name"].removesuffix("-data")}
    ]


def _name(resource: Mapping[str, Any]) -> str:
    return str(resource["urn"]).rpartition("::")[2]


_FIELDS = {"vm_id": "vmId", "name": "name", "node": "node", "owner": "owner", "nonce": "nonce"}


def recover(api: Proxmox, export: Mapping[str, Any]) -> Iterator[str]:
    """Remove every half-made VM of this state; a line for each thing done or left alone."""
    for claim in claims_without_vm(export):
        config = _settled_config(api, claim)
        if config is None:
            continue
        if read_mark(str(config.get("description", ""))) != (claim.owner, claim.nonce):
            yield f"VM {claim.vm_id} on {claim.node} is not the one this state claimed ({claim.name}); it is left alone"
            continue
        _remove(api, claim)
        yield f"VM {claim.vm_id} ({claim.name}) was left half made by an interrupted run; it is removed"


def _settled_config(api: Proxmox, claim: Claim) -> Mapping[str, Any] | None:
    """The VM's configuration once no task holds it any more; None when there is no such VM."""
    limit = time.monotonic() + LOCK_DEADLINE_S
    while time.monotonic() < limit:
        try:
            config: Mapping[str, Any] = api.get(f"/nodes/{segment(claim.node)}/qemu/{claim.vm_id}/config")
        except ProxmoxError as error:
            if "does not exist" in str(error):
                return None
            raise
        if "lock" not in config:
            return config
        time.sleep(PAUSE_S)
    raise ProvisioningError(
        f"VM {claim.vm_id} is still locked ({config['lock']}) after {LOCK_DEADLINE_S:.0f} s; "
        f"look at its tasks on node {claim.node}, then run this again"
    )


def _remove(api: Proxmox, claim: Claim) -> None:
    path = f"/nodes/{segment(claim.node)}/qemu/{claim.vm_id}"
    if api.get(f"{path}/status/current")["status"] == "running":
        api.wait(claim.node, str(api.post(f"{path}/status/stop")))
    api.wait(claim.node, str(api.delete(path, purge=1, **{"destroy-unreferenced-disks": 1})))

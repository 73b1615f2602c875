"""What a VM needs from the site, compared with what the site says it has, before anything is created."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioning import privileges
from provisioning.mark import read_mark
from provisioning.privileges import Need
from provisioning.proxmox import Proxmox, ProxmoxError, segment

PROBE_TIMEOUT_S = 0.3


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One reason to refuse, at one property of the claim."""

    property: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What one VM claims. `owner` is `<site>/<stack>/<vm>`."""

    vm_id: int
    name: str
    owner: str
    node: str
    template_id: int | None
    disk_storages: Sequence[str]
    iso_storage: str | None
    bridges: Sequence[str]
    new_addresses: Sequence[str]
    """Static IPv4 addresses without prefix length that the VM does not have yet."""


def problems(api: Proxmox, wanted: Wanted, *, claimed_before: bool) -> Iterator[Problem]:
    """Every reason to refuse. Raises ProxmoxUnreachable, or ProxmoxError for a refused token."""
    nodes = {str(node["node"]): str(node["status"]) for node in api.get("/nodes")}
    if wanted.node not in nodes:
        yield Problem(property="node", reason=f"{wanted.node} does not exist; the cluster has {_list(nodes)}")
        return
    if nodes[wanted.node] != "online":
        yield Problem(
            property="node", reason=f"{wanted.node} is {nodes[wanted.node]}; start it, or choose another node"
        )
        return
    vms = {int(vm["vmid"]): vm for vm in api.get("/cluster/resources", type="vm")}
    yield from _id_problems(api, wanted, vms, claimed_before=claimed_before)
    yield from _template_problems(wanted, vms)
    yield from _storage_problems(api, wanted)
    yield from _bridge_problems(api, wanted)
    yield from _permission_problems(api, wanted)
    yield from _address_problems(wanted)


def _id_problems(
    api: Proxmox, wanted: Wanted, vms: Mapping[int, Mapping[str, Any]], *, claimed_before: bool
) -> Iterator[Problem]:
    there = vms.get(wanted.vm_id)
    if there is None:
        return
    owner = owner_of(vm_config(api, str(there["node"]), wanted.vm_id))
    if owner == wanted.owner:
        if not claimed_before:
            yield Problem(property="vmId", reason=unfinished(wanted.vm_id, wanted.name, wanted.owner))
        elif wanted.template_id is None and there["node"] != wanted.node:
            yield Problem(
                property="node",
                reason=f"the data disks of VM {wanted.vm_id} are on node {there['node']} and do not move by "
                "themselves; leave the VM there, or move them by hand first",
            )
        return
    if claimed_before and owner is None and there.get("name") == wanted.name:
        yield Problem(
            property="vmId",
            reason=f"VM {wanted.vm_id} ({wanted.name}) has lost its mark; if it is ours, put this back into its notes: "
            f"hypercompose: {wanted.owner} claim=<nonce of the claim, see `pulumi stack export`>",
        )
        return
    whose = f"belongs to {owner}" if owner else f"is somebody else's VM {there.get('name') or '(being made)'!r}"
    yield Problem(
        property="vmId",
        reason=f"{wanted.vm_id} is taken: it {whose} on node {there['node']}; it is left alone. "
        "Choose a free id (`first_id`, or `overrides`)",
    )


def unfinished(vm_id: int, name: str, owner: str) -> str:
    """What to say of a VM that is ours but that an earlier run did not finish."""
    return (
        f"VM {vm_id} is ours ({name}), but an earlier run was interrupted or failed before it was whole. "
        f"Type: make recover STACK={owner.split('/')[1]}"
    )


def vm_config(api: Proxmox, node: str, vm_id: int) -> Mapping[str, Any]:
    """A VM's configuration; empty where there is none, or none that this token may see."""
    try:
        config: Mapping[str, Any] = api.get(f"/nodes/{segment(node)}/qemu/{vm_id}/config")
    except ProxmoxError as error:
        if error.status in (403, 404) or "does not exist" in str(error):
            return {}
        raise
    return config


def owner_of(config: Mapping[str, Any]) -> str | None:
    """The owner that a VM's description names; None for a stranger's VM."""
    found = read_mark(str(config.get("description", "")))
    return found[0] if found else None


def _template_problems(wanted: Wanted, vms: Mapping[int, Mapping[str, Any]]) -> Iterator[Problem]:
    if wanted.template_id is None:
        return
    template = vms.get(wanted.template_id)
    if template is None or not template.get("template"):
        what = "is a VM, not a template" if template else "does not exist, or the token may not see it"
        yield Problem(property="templateId", reason=f"{wanted.template_id} {what}; `make template` imports one")
    elif template["node"] != wanted.node:
        yield Problem(
            property="templateId",
            reason=f"{wanted.template_id} is on node {template['node']}, not on {wanted.node}; correct the site file",
        )


def _storage_problems(api: Proxmox, wanted: Wanted) -> Iterator[Problem]:
    storages = {str(s["storage"]): s for s in api.get(f"/nodes/{segment(wanted.node)}/storage")}
    needs = [(name, "images") for name in wanted.disk_storages]
    needs += [(wanted.iso_storage, "iso")] if wanted.iso_storage else []
    for name, content in dict.fromkeys(needs):
        storage = storages.get(name)
        fitting = _list(n for n, s in storages.items() if content in str(s.get("content", "")).split(","))
        if storage is None:
            reason = f"{name} does not exist on node {wanted.node}; for {content} there is {fitting}"
        elif content not in str(storage.get("content", "")).split(","):
            reason = f"{name} holds {storage.get('content')}, not {content}; for {content} there is {fitting}"
        elif not storage.get("active", 1):
            reason = f"{name} is not active on node {wanted.node}; look at the node's storages"
        else:
            continue
        yield Problem(property="isoStorage" if content == "iso" else "diskStorages", reason=reason)


def _bridge_problems(api: Proxmox, wanted: Wanted) -> Iterator[Problem]:
    if not wanted.bridges:
        return
    devices = api.get(f"/nodes/{segment(wanted.node)}/network", type="any_bridge")
    there = {str(device["iface"]) for device in devices}
    for bridge in dict.fromkeys(wanted.bridges):
        if bridge not in there:
            yield Problem(
                property="bridges", reason=f"{bridge} does not exist on node {wanted.node}; there is {_list(there)}"
            )


def _permission_problems(api: Proxmox, wanted: Wanted) -> Iterator[Problem]:
    granted: dict[str, Mapping[str, Any]] = {}
    for need in dict.fromkeys(_needs(wanted)):
        if need.path not in granted:
            granted[need.path] = api.get("/access/permissions", path=need.path).get(need.path, {})
        if not need.is_met(granted[need.path]):
            yield Problem(
                property="vmId",
                reason=f"the API token lacks {need.privilege} on {need.path}; grant it (Datacenter > Permissions, or a "
                f"role with it: `pveum acl modify {need.path} --tokens … --roles …`)",
            )


def _needs(wanted: Wanted) -> Iterator[Need]:
    if wanted.template_id is None:
        yield from privileges.of_data_vm(wanted.vm_id)
    else:
        yield from privileges.of_vm(wanted.vm_id)
        yield from privileges.of_template(wanted.template_id)
    for storage in wanted.disk_storages:
        yield from privileges.of_disks(storage, shared_between_vms=wanted.template_id is None)
    if wanted.iso_storage:
        yield from privileges.of_uploads(wanted.iso_storage)
    for bridge in wanted.bridges:
        yield from privileges.of_bridge(bridge)


def _address_problems(wanted: Wanted) -> Iterator[Problem]:
    for address in wanted.new_addresses:
        if somebody_answers(address):
            yield Problem(
                property="addresses", reason=f"{address} is taken: a machine answers there already; choose a free one"
            )


def somebody_answers(address: str, port: int = 22) -> bool:
    """Whether a machine is at this address: it accepts, or refuses, a TCP connection."""
    try:
        socket.create_connection((address, port), timeout=PROBE_TIMEOUT_S).close()
    except OSError as error:
        return error.errno in (errno.ECONNREFUSED, errno.ECONNRESET)
    return True


def _list(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"

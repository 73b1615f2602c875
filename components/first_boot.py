"""How a VM's host key is known before its first packet: by a seed disc, by a snippet, or through the agent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_proxmoxve as proxmoxve

from components.native import AgentKey, HostKey, Ready, Seed
from components.vm_arguments import EMPTY_DRIVE
from settings.stack import HostKeyMethod

if TYPE_CHECKING:
    from components.rocky_app_vm import RockyAppVm, RockyAppVmArgs


@dataclass(kw_only=True)
class FirstBoot:
    """What one method adds to the VM, and the resources that follow it."""

    name: str
    args: RockyAppVmArgs
    parent: RockyAppVm
    vm_arguments: dict[str, Any]
    replaced_together: list[pulumi.Resource] = field(default_factory=list)
    one_time_key: pulumi.Output[str] | None = None
    seed: pulumi.Output[str] | None = None

    def finish(self, vm: proxmoxve.VmLegacy) -> HostKey:
        """Declare first contact and the final host key."""
        spec = self.args.spec
        place = {"vm": vm.id, "vm_id": spec.vm_id, "node": spec.node}
        login = {"host": _address(vm, self.args), "user": self.args.user}
        options = self.parent.native(deleted_with=vm, depends_on=[vm])
        first = self.one_time_key
        if first is None:
            agent_inputs = {**place, "timeout_s": spec.ready_timeout_s}
            first = AgentKey(f"{self.name}-agent-key", agent_inputs, options).host_key
        ready_inputs = {
            **place,
            **login,
            "name": spec.name,
            "owner": self.args.wanted.owner,
            "one_time_key": first,
            "seed": self.seed,
            "timeout_s": spec.ready_timeout_s,
        }
        ready = Ready(f"{self.name}-ready", ready_inputs, options)
        key_inputs = {**place, **login, "host_key": ready.host_key, "seed": self.seed}
        key_inputs["retire"] = self.one_time_key is not None
        return HostKey(f"{self.name}-host-key", key_inputs, self.parent.native(deleted_with=vm))


def first_boot(name: str, args: RockyAppVmArgs, parent: RockyAppVm) -> FirstBoot:
    """The way that the settings choose."""
    build = {
        HostKeyMethod.SEED_ISO: _by_seed_iso,
        HostKeyMethod.SNIPPET: _by_snippet,
        HostKeyMethod.AGENT: _by_agent,
    }[args.spec.host_key]
    return build(name, args, parent)


def _by_seed_iso(name: str, args: RockyAppVmArgs, parent: RockyAppVm) -> FirstBoot:
    seed = _seed(name, args, parent, storage=args.wanted.iso_storage)
    return FirstBoot(
        name=name,
        args=args,
        parent=parent,
        vm_arguments={"cdrom": {"file_id": seed.file_id, "interface": "ide3"}},
        replaced_together=[seed],
        one_time_key=seed.host_key,
        seed=seed.file_id,
    )


def _by_snippet(name: str, args: RockyAppVmArgs, parent: RockyAppVm) -> FirstBoot:
    seed = _seed(name, args, parent, storage=None)
    snippet = proxmoxve.FileLegacy(
        f"{name}-snippet",
        content_type="snippets",
        datastore_id=args.snippet_storage or "",
        node_name=args.spec.node,
        source_raw={"data": seed.user_data, "file_name": f"hypercompose-{args.spec.vm_id}.yaml"},
        opts=pulumi.ResourceOptions(parent=parent, provider=args.site.proxmox),
    )
    return FirstBoot(
        name=name,
        args=args,
        parent=parent,
        vm_arguments={
            "cdrom": EMPTY_DRIVE,
            "initialization": {**_initialization(args), "user_data_file_id": snippet.id},
        },
        replaced_together=[seed],
        one_time_key=seed.host_key,
    )


def _by_agent(name: str, args: RockyAppVmArgs, parent: RockyAppVm) -> FirstBoot:
    account = {"username": args.user, "keys": list(args.authorized_keys)}
    arguments = {"cdrom": EMPTY_DRIVE, "initialization": {**_initialization(args), "user_account": account}}
    return FirstBoot(name=name, args=args, parent=parent, vm_arguments=arguments)


def _seed(name: str, args: RockyAppVmArgs, parent: RockyAppVm, *, storage: str | None) -> Seed:
    spec = args.spec
    inputs = {
        "vm_id": spec.vm_id,
        "node": spec.node,
        "storage": storage,
        "template_id": spec.template_id,
        "full_clone": spec.full_clone,
        "disk_storage": spec.storage,
        **_identity(args),
    }
    # A user's keys change on a living host; here they would mean another first boot
    return Seed(f"{name}-seed", inputs, parent.native(depends_on=args.claims.all, ignore_changes=["authorizedKeys"]))


def _initialization(args: RockyAppVmArgs) -> dict[str, Any]:
    """Proxmox's own cloud-init drive, for the methods that do not bring a seed disc."""
    spec = args.spec
    addresses = [
        {"ipv4": {"address": str(nic.address) if nic.address else "dhcp", "gateway": nic.gateway}} for nic in spec.nics
    ]
    return {
        "datastore_id": spec.storage,
        "dns": {"domain": spec.domain, "servers": list(spec.dns)},
        "ip_configs": addresses,
    }


def _address(vm: proxmoxve.VmLegacy, args: RockyAppVmArgs) -> pulumi.Input[str]:
    """The static address of the first NIC, else the first global one that the agent reports."""
    first = args.spec.nics[0]
    if first.address is not None:
        return str(first.address.ip)
    return pulumi.Output.all(vm.ipv4_addresses, vm.mac_addresses).apply(lambda seen: _reported(seen, first.mac))


def _reported(seen: list[Any], mac: str) -> str:
    addresses, macs = seen
    for interface_mac, found in zip(macs or [], addresses or [], strict=False):
        usable = [a for a in found if not a.startswith(("127.", "169.254."))]
        if interface_mac.upper() == mac and usable:
            return str(usable[0])
    raise ValueError(
        f"the guest agent reported no IPv4 address for {mac}: is there a DHCP server on its network, and does the "
        "template carry qemu-guest-agent? A static address needs neither (`address`)"
    )


def _identity(args: RockyAppVmArgs) -> dict[str, Any]:
    spec = args.spec
    return {
        "name": spec.name,
        "domain": spec.domain,
        "user": args.user,
        "authorized_keys": list(args.authorized_keys),
        "nics": [
            {"mac": nic.mac, "address": str(nic.address) if nic.address else None, "gateway": nic.gateway}
            for nic in spec.nics
        ],
        "dns": list(spec.dns),
    }

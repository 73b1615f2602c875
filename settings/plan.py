"""From settings and site to the exact VMs: every default applied, every contradiction named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Interface

from settings.errors import SettingsError, problem
from settings.site import Network, Site
from settings.stack import TAG, DataDisk, HostKeyMethod, Nic, Override, OwnedBridge, StackSettings, VmGroup
from settings.vm_spec import DataDiskSpec, NicSpec, VmSpec, mac_address

SYSTEM_DIRECTORIES = frozenset(
    "/ /bin /boot /dev /etc /home /lib /lib64 /opt /proc /root /run /sbin /sys /tmp /usr /var".split()
)


def plan_vms(site: Site, stack: StackSettings, source: str) -> tuple[VmSpec, ...]:
    """All VMs of a stack. Raises SettingsError with every problem found, in the order of the file."""
    problems: list[str] = []
    specs = [
        spec
        for index, group in enumerate(stack.vms)
        for spec in _Group(site, stack, group, f"vms[{index}]", problems).specs()
    ]
    problems += _repeated("VM id", [str(i) for s in specs for i in (s.vm_id, s.data_vm_id) if i is not None])
    problems += _repeated("name", [s.name for s in specs])
    problems += _repeated("address", [str(n.address.ip) for s in specs for n in s.nics if n.address])
    problems += _on_unknown_nodes(site, stack)
    if problems:
        raise SettingsError(source, problems)
    return tuple(specs)


def _repeated(what: str, values: list[str]) -> Iterator[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f"vms: {what} {value} is used {times} times, expected once; change `first_id`, names or addresses"


def _on_unknown_nodes(site: Site, stack: StackSettings) -> Iterator[str]:
    nodes = site.proxmox.nodes
    wanted = [(f"bridges[{index}].node", bridge.node) for index, bridge in enumerate(stack.bridges)]
    wanted += [(f"vlans[{index}].node", vlan.node) for index, vlan in enumerate(stack.vlans)]
    for where, node in wanted:
        if node is not None and node not in nodes:
            yield problem(where, node, f"one of {', '.join(nodes)}", "name a node of the site file")


class _Group:
    """Expands one group; problems go to the list it was given."""

    def __init__(self, site: Site, stack: StackSettings, group: VmGroup, where: str, problems: list[str]) -> None:
        self.site, self.stack, self.group, self.where, self.problems = site, stack, group, where, problems

    def specs(self) -> Iterator[VmSpec]:
        for number in self.group.overrides:
            if not 1 <= number <= self.group.count:
                self._bad(f"overrides.{number}", number, f"a VM number from 1 to {self.group.count}", "raise `count`?")
        for number in range(1, self.group.count + 1):
            yield self._spec(number, self.group.overrides.get(number, Override()))

    def _bad(self, field: str, found: object, expected: str, remedy: str) -> None:
        line = problem(f"{self.where}.{field}", found, expected, remedy)
        if line not in self.problems:
            self.problems.append(line)

    def _spec(self, number: int, override: Override) -> VmSpec:
        group, site = self.group, self.site
        chosen = {**dict(group), **{field: getattr(override, field) for field in override.model_fields_set}}
        vm_id = override.id or group.first_id + number - 1
        node = self._node(chosen["node"])
        nics = tuple(self._nic(slot, nic, number, override, (vm_id, node)) for slot, nic in enumerate(group.networks))
        disks = self._data_disks(chosen["data_disks"])
        return VmSpec(
            name=group.name or f"{group.prefix}-{number}",
            vm_id=vm_id,
            data_vm_id=self._data_vm_id(number, disks),
            node=node,
            template_id=self._template(node),
            full_clone=group.full_clone,
            cores=chosen["cores"],
            cpu_type=chosen["cpu_type"],
            memory_mib=chosen["memory_mib"],
            disk_gib=chosen["disk_gib"],
            storage=group.storage or site.proxmox.storages.disks,
            nics=nics,
            dns=tuple(map(str, group.dns or self._dns())),
            domain=group.domain or site.domain,
            tags=self._tags(chosen["tags"]),
            on_boot=chosen["on_boot"],
            protection=chosen["protection"],
            data_disks=disks,
            host_key=self._host_key(),
            ready_timeout_s=group.ready_timeout_s,
        )

    def _node(self, wanted: str | None) -> str:
        nodes = self.site.proxmox.nodes
        if wanted is not None and wanted not in nodes:
            self._bad("node", wanted, f"one of {', '.join(nodes)}", "name a node of the site file")
        return wanted or nodes[0]

    def _template(self, node: str) -> int:
        templates = self.site.proxmox.templates
        on_nodes = templates.get(self.group.template)
        if on_nodes is None:
            known = ", ".join(sorted(templates)) or "none"
            self._bad("template", self.group.template, f"one of {known}", "`make template` imports one")
        elif node not in on_nodes and node in self.site.proxmox.nodes:
            there = ", ".join(sorted(on_nodes))
            self._bad(
                "template", self.group.template, f"a template on node {node} (it is on {there})", "import it there"
            )
        return (on_nodes or {}).get(node, 0)

    def _host_key(self) -> HostKeyMethod:
        if self.group.host_key is HostKeyMethod.SNIPPET and self.site.proxmox.storages.snippets is None:
            self._bad("host_key", "snippet", "a site with `proxmox.storages.snippets`", "name it, or use seed-iso")
        return self.group.host_key

    def _tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        for tag in tags:
            if not re.fullmatch(TAG, tag):
                self._bad("tags", tag, "lower-case letters, digits and _.+-", "Proxmox knows no other tags")
        return tags

    def _dns(self) -> tuple[object, ...]:
        first = self.group.networks[0]
        network = self.site.network(first.bridge, first.vlan)
        return tuple(network.dns) if network else ()

    def _nic(self, slot: int, nic: Nic, number: int, override: Override, vm: tuple[int, str]) -> NicSpec:
        where, (vm_id, node) = f"networks[{slot}]", vm
        network = self._network(where, nic, node)
        address = self._address(slot, nic, number, override)
        if address is not None and network is not None:
            self._check_address(where, address, network)
        gateway = nic.gateway or (network.gateway if network and slot == 0 else None)
        if gateway and address and gateway not in address.network:
            self._bad(f"{where}.gateway", str(gateway), f"an address inside {address.network}", "or leave it out")
        return NicSpec(
            bridge=nic.bridge,
            vlan=nic.vlan,
            mac=mac_address(self.site.id, vm_id, slot),
            address=address,
            gateway=str(gateway) if gateway and address else None,
        )

    def _network(self, where: str, nic: Nic, node: str) -> Network | None:
        owned = [b for b in self.stack.bridges if b.name == nic.bridge]
        here = [b for b in owned if (b.node or self.site.proxmox.nodes[0]) == node]
        if here:
            return _owned_network(here[0])
        bridges = self.site.proxmox.bridges
        found = bridges.get(nic.bridge)
        if (found is None and owned) or (found and found.nodes and node not in found.nodes):
            self._bad(f"{where}.bridge", nic.bridge, f"a bridge on node {node}", "it is on other nodes only")
            return None
        if nic.bridge not in bridges:
            known = ", ".join(sorted(bridges))
            self._bad(f"{where}.bridge", nic.bridge, f"one of {known}", "name one of the site, or own it in `bridges`")
        elif nic.vlan is not None and nic.vlan not in bridges[nic.bridge].vlans and nic.address != "dhcp":
            self._bad(f"{where}.vlan", nic.vlan, "a VLAN that the site file knows", "add its network to the site file")
        return self.site.network(nic.bridge, nic.vlan)

    def _address(self, slot: int, nic: Nic, number: int, override: Override) -> IPv4Interface | None:
        if override.addresses:
            if len(override.addresses) != len(self.group.networks):
                expected = f"{len(self.group.networks)} addresses, one per network"
                self._bad(
                    f"overrides.{number}.addresses", list(map(str, override.addresses)), expected, "or leave it out"
                )
                return None
            own = override.addresses[slot]
            return None if own == "dhcp" else own
        if nic.address == "dhcp":
            return None
        return IPv4Interface(f"{nic.address.ip + (number - 1)}/{nic.address.network.prefixlen}")

    def _check_address(self, where: str, address: IPv4Interface, network: Network) -> None:
        cidr = network.cidr
        field = f"{where}.address"
        if address.ip not in cidr or address.network.prefixlen != cidr.prefixlen:
            example = f"for example {next(iter(cidr.hosts()))}/{cidr.prefixlen}"
            self._bad(field, str(address), f"an address inside {cidr}", example)
        elif address.ip in (cidr.network_address, cidr.broadcast_address):
            self._bad(field, str(address), "a host address", "this one means the network or everybody on it")
        elif address.ip == network.gateway or address.ip in network.dns:
            self._bad(field, str(address), "a free address", "this one is the network's gateway or name server")

    def _data_vm_id(self, number: int, disks: tuple[DataDiskSpec, ...]) -> int | None:
        if not disks:
            return None
        if self.group.data_first_id is None:
            expected = "a free VM id for the holder of the data disks"
            self._bad("data_first_id", None, expected, f"for example {self.group.first_id + 500}")
            return None
        return self.group.data_first_id + number - 1

    def _data_disks(self, disks: tuple[DataDisk, ...]) -> tuple[DataDiskSpec, ...]:
        for field in ("name", "slot", "mount"):
            values = [getattr(disk, field) for disk in disks]
            for value in {v for v in values if values.count(v) > 1}:
                self._bad(f"data_disks.{field}", value, "each once", "give every disk its own")
        for disk in disks:
            if disk.mount.rstrip("/") in SYSTEM_DIRECTORIES or ".." in disk.mount.split("/"):
                self._bad("data_disks.mount", disk.mount, "a directory of its own", "for example /srv/data")
        return tuple(
            DataDiskSpec(
                name=disk.name,
                slot=f"scsi{disk.slot}",
                size_gib=disk.size_gib,
                filesystem=disk.filesystem,
                mount=disk.mount.rstrip("/"),
                storage=disk.storage or self.site.proxmox.storages.disks,
            )
            for disk in sorted(disks, key=lambda disk: disk.slot)
        )


def _owned_network(bridge: OwnedBridge) -> Network | None:
    if bridge.address is None:
        return None
    return Network(cidr=bridge.address.network, gateway=bridge.address.ip)

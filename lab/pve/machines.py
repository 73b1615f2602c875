"""From a VM's configuration to the machine the hypervisor runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lab.hypervisor import Disk, Machine, Nic
from lab.pve import cdrom, cloudinit
from lab.pve.cluster import Cluster
from lab.pve.drives import disks, drives
from lab.pve.errors import failure
from lab.pve.properties import matching, nic_options, parse
from lab.pve.state import Value, Vm

DEFAULT_MEMORY_MIB = 512


def machine(cluster: Cluster, vm: Vm) -> Machine:
    """The machine as it is when the power comes on; fails on a bridge or volume that does not exist."""
    return Machine(
        vmid=vm.vmid,
        name=str(vm.config.get("name") or f"VM{vm.vmid}"),
        cores=cpus(vm.config),
        memory_mib=memory_mib(vm.config),
        nics=tuple(_nics(cluster, vm)),
        disks=tuple(_data_disks(cluster, vm)),
        seed=_seed(cluster, vm),
    )


def cpus(config: Mapping[str, Value]) -> int:
    """Cores of all sockets, or the part of them that is plugged."""
    return int(config.get("vcpus") or int(config.get("cores", 1)) * int(config.get("sockets", 1)))


def memory_mib(config: Mapping[str, Value]) -> int:
    """`memory` is a number or `current=NUMBER`."""
    return int(parse(str(config.get("memory", DEFAULT_MEMORY_MIB)), "current")["current"])


def _nics(cluster: Cluster, vm: Vm) -> Iterator[Nic]:
    for option in matching(vm.config, r"net(\d+)"):
        nic = nic_options(option, str(vm.config[option]))
        bridge, tag = nic.get("bridge", ""), nic.get("tag")
        if bridge and bridge not in cluster.bridges(vm.node):
            raise failure(f"bridge '{bridge}' does not exist")
        yield Nic(
            slot=int(option.removeprefix("net")),
            mac=nic["macaddr"],
            bridge=bridge,
            tag=int(tag) if tag else None,
            link_down=nic.get("link_down") == "1",
        )


def _data_disks(cluster: Cluster, vm: Vm) -> Iterator[Disk]:
    for item in disks(vm.config):
        volume = cluster.volumes.require(vm.node, item.file)
        if not volume.guest_root:
            yield Disk(slot=item.slot, file=cluster.volumes.backing_file(volume))


def _seed(cluster: Cluster, vm: Vm) -> Mapping[str, bytes] | None:
    """Files of the first NoCloud volume in a drive."""
    seed: Mapping[str, bytes] | None = None
    for item in drives(vm.config):
        if item.is_cloudinit:
            seed = seed or cloudinit.nocloud_files(vm.vmid, vm.config)
        elif item.holds_iso:
            volume = cluster.volumes.require(vm.node, item.file)
            seed = seed or cdrom.nocloud_files(cluster.volumes.file(vm.node, volume.volid))
    return seed

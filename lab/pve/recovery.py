"""What happens at start-up: templates are there, interrupted workers count as failed, VMs that were on come up."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid

from lab.hypervisor import HypervisorError
from lab.pve.cluster import Cluster
from lab.pve.drives import Drive
from lab.pve.errors import ApiError
from lab.pve.machines import machine
from lab.pve.options import cleaned
from lab.pve.properties import UNITS
from lab.pve.state import Value, Vm
from lab.world import Template

logger = logging.getLogger(__name__)


async def recover(cluster: Cluster) -> None:
    """Make the cluster whole again after a first start, a crash or a reboot of the machine."""
    cluster.tasks.fail_unfinished()
    for template in cluster.world.templates:
        if template.vmid not in cluster.state.vms:
            _make_template(cluster, template)
    guests = [vm for vm in cluster.state.vms.values() if vm.image and not vm.is_template]
    await asyncio.gather(*(_find_or_start(cluster, vm) for vm in guests))
    cluster.save()


def _make_template(cluster: Cluster, template: Template) -> None:
    for leftover in cluster.volumes.owned_by(template.vmid):
        cluster.volumes.free(leftover)
    volid = f"{cluster.world.disk_storage}:base-{template.vmid}-disk-0"
    volume = cluster.volumes.add(template.node, volid, int(template.disk_gib * UNITS["G"]), owner=template.vmid)
    volume.guest_root = True
    config: dict[str, Value] = {"name": template.name, "template": 1, "scsi0": Drive("scsi0", volid).text(volume.size)}
    config |= {option: cleaned(option, str(text)) for option, text in template.config.items()}
    config |= new_identity()
    vm = Vm(vmid=template.vmid, node=template.node, config=config, image=template.image)
    cluster.state.vms[template.vmid] = vm


def new_identity() -> dict[str, Value]:
    """Options that Proxmox gives each new VM by itself."""
    return {
        "smbios1": f"uuid={uuid.uuid4()}",
        "vmgenid": str(uuid.uuid4()),
        "meta": f"creation-qemu=10.1.2,ctime={int(time.time())}",
    }


async def _find_or_start(cluster: Cluster, vm: Vm) -> None:
    """A guest that runs is a VM that is on; a VM that was on and whose guest is down is started."""
    try:
        running = await cluster.in_thread(cluster.hypervisor.running, vm.vmid)
        if running == vm.on:
            return
        if not running:
            wanted = await asyncio.to_thread(machine, cluster, vm)
            await cluster.in_thread(cluster.hypervisor.start, wanted)
        vm.on, vm.started_at = True, time.time()
    except (ApiError, HypervisorError) as error:
        logger.error("VM %d does not come up again: %s", vm.vmid, error)
        vm.on = False

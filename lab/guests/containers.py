"""The container that is a guest: how it is made, found and reached from this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import LogConfig

from lab.hypervisor import HypervisorError, Machine
from lab.identity import VM_LABEL, Lab, lab_of_labels

LOOP_DEVICES = 7
"""Major number of the block devices that data disks are."""
PERIOD_US = 100_000


class Containers:
    """Docker calls about the guests of one lab; never acts on a container without the lab's labels."""

    def __init__(self, lab: Lab, client: docker.DockerClient, images: Mapping[str, str]) -> None:
        """`images` maps the image of a template to its tag; it may be empty where nothing is created."""
        self._lab = lab
        self._client = client
        self._images = images

    def create(self, vmid: int, image: str) -> None:
        """A stopped guest, unless there is one already."""
        if image not in self._images:
            raise HypervisorError(f"VM {vmid}: no guest image {image!r}, there are {', '.join(self._images)}")
        if self.find(vmid):
            return
        labels = {**self._lab.labels, VM_LABEL: str(vmid)}
        self._client.volumes.create(self._lab.volume(vmid), labels=labels)
        self._client.api.create_container(
            self._images[image],
            name=self._lab.container(vmid),
            labels=labels,
            volumes=["/var/lib/docker"],
            host_config=_host_config(self._client, self._lab.volume(vmid)),
        )

    def find(self, vmid: int) -> Container | None:
        """The guest's container, if there is one; HypervisorError when its name belongs to somebody else."""
        try:
            found = self._client.containers.get(self._lab.container(vmid))
        except NotFound:
            return None
        owner = lab_of_labels(found.labels)
        if owner != self._lab:
            whose = f"of the lab of {owner.directory}" if owner else "not of any lab"
            raise HypervisorError(f"VM {vmid}: container {found.name} exists and is {whose}")
        return found

    def require(self, vmid: int) -> Container:
        """The guest's container; HypervisorError when there is none."""
        found = self.find(vmid)
        if found is None:
            raise HypervisorError(f"VM {vmid}: has no root disk on this machine")
        return found

    def all(self) -> dict[int, Container]:
        """Every guest of this lab by VM id, running or not."""
        found = self._client.containers.list(all=True, filters=self._lab.label_filter, ignore_removed=True)
        return {int(container.labels[VM_LABEL]): container for container in found if VM_LABEL in container.labels}

    def delete(self, vmid: int) -> None:
        """Remove the guest's container and volume, if they are there."""
        if found := self.find(vmid):
            found.remove(force=True, v=True)
        try:
            volume = self._client.volumes.get(self._lab.volume(vmid))
        except NotFound:
            return
        if lab_of_labels(volume.attrs.get("Labels") or {}) == self._lab:
            volume.remove()

    def set_limits(self, container: Container, machine: Machine) -> None:
        """Cores and memory as the VM has them, as far as this machine has as many."""
        here = os.cpu_count() or 1
        cores = min(machine.cores, here)
        limit = machine.memory_mib << 20
        try:
            container.update(
                cpu_period=PERIOD_US,
                cpu_quota=cores * PERIOD_US,
                cpuset_cpus=cpuset(machine.vmid, cores, here),
                mem_limit=limit,
                memswap_limit=limit,
            )
        except APIError as error:
            raise HypervisorError(
                f"VM {machine.vmid}: cannot be limited to {machine.memory_mib} MiB: {error}"
            ) from error


def cpuset(vmid: int, cores: int, here: int) -> str:
    """Which of this machine's processors a guest sees: neighbours start at different ones."""
    return ",".join(str((vmid + core) % here) for core in range(cores))


def _devices() -> list[str]:
    """Device nodes that every guest has; one that this machine lacks, none has."""
    return [device for device in ("/dev/fuse", "/dev/net/tun", "/dev/autofs") if Path(device).exists()]


def _host_config(client: docker.DockerClient, volume: str) -> dict[str, object]:
    """All capabilities but two: SYS_TIME would move this machine's clock, SYS_RESOURCE is not always to be had."""
    config: dict[str, object] = client.api.create_host_config(
        binds={volume: {"bind": "/var/lib/docker", "mode": "rw"}},
        cap_add=["ALL"],
        cap_drop=["SYS_RESOURCE", "SYS_TIME"],
        cgroupns="private",
        device_cgroup_rules=[f"b {LOOP_DEVICES}:* rwm"],
        devices=_devices(),
        log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": "1m", "max-file": "1"}),
        network_mode="none",
        restart_policy={"Name": "no"},
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        tmpfs={"/run": "", "/run/lock": "", "/tmp": "exec"},  # noqa: S108 - the guest's own
    )
    # systempaths=unconfined, which the API spells as two empty lists: systemd writes to /proc/sys, nested Docker too.
    return {**config, "MaskedPaths": [], "ReadonlyPaths": []}

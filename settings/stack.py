"""Stack settings: what is wanted, as written in Pulumi.<stack>.yaml."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated, Literal

from pydantic import Field, model_validator

from settings.baseline import Baseline
from settings.host import NAME, Docker, ExistingHost, HostParts
from settings.hosting import InstanceRoom
from settings.limits import Limits
from settings.link import LINK_NAME, Link
from settings.portainer import STACK_NAME, PortainerSettings, Stack
from settings.site import Model

TAG = r"^[a-z0-9_][a-z0-9_.+-]{0,123}$"


class HostKeyMethod(StrEnum):
    """How the host key gets known before the first connection."""

    SEED_ISO = "seed-iso"
    SNIPPET = "snippet"
    AGENT = "agent"


class Nic(Model):
    """A network device of every VM of a group."""

    bridge: str = Field(description="name of a bridge of the site or of this stack", examples=["vmbr0"])
    vlan: int | None = Field(None, ge=1, le=4094, description="VLAN id")
    address: IPv4Interface | Literal["dhcp"] = Field(
        "dhcp", description="`dhcp`, or the first VM's address in CIDR notation; the next VM gets the next one"
    )
    gateway: IPv4Address | None = Field(None, description="default gateway; none: the network's own, on the first NIC")


class DataDisk(Model):
    """A disk that survives replacement of the VM."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]{0,11}$", description="its label", examples=["data"])
    slot: int = Field(ge=1, le=13, description="SCSI slot, its own for life: other disks may come and go", examples=[1])
    size_gib: int = Field(ge=1, le=65536, description="size in GiB; it can grow, never shrink")
    filesystem: Literal["ext4", "xfs"] = Field("xfs", description="made only on a blank disk")
    mount: str = Field(pattern=r"^/[A-Za-z0-9._/-]+$", description="mount point", examples=["/srv/data"])
    storage: str | None = Field(None, description="storage of the disk; none: the site's `disks`")


class Override(Model):
    """What differs for one VM of a group."""

    id: int | None = Field(None, ge=100, le=999999999, description="Proxmox VM id")
    node: str | None = Field(None, description="node")
    cores: int | None = Field(None, ge=1, le=512, description="CPU cores")
    cpu_type: str | None = Field(None, description="CPU type as Proxmox names it")
    memory_mib: int | None = Field(None, ge=128, le=8388608, description="memory in MiB")
    disk_gib: int | None = Field(None, ge=1, le=65536, description="root disk in GiB")
    addresses: tuple[IPv4Interface | Literal["dhcp"], ...] = Field((), description="one per NIC, in their order")
    tags: tuple[str, ...] | None = Field(None, description="Proxmox tags instead of the group's")
    on_boot: bool | None = Field(None, description="start with the node")
    protection: bool | None = Field(None, description="refuse removal of the VM and its disks")
    data_disks: tuple[DataDisk, ...] | None = Field(None, description="data disks instead of the group's")


class VmShape(HostParts):
    """What VMs of a kind have in common; `vm_defaults` says it for every group of a stack."""

    node: str | None = Field(None, description="node; none: the site's first")
    template: str = Field("rocky-9", description="template of the site")
    full_clone: bool = Field(True, description="a linked clone (false) can never grow its disk")
    cores: int = Field(3, ge=1, le=512, description="CPU cores")
    cpu_type: str = Field("x86-64-v3", description="CPU type as Proxmox names it")
    memory_mib: int = Field(4096, ge=128, le=8388608, description="memory in MiB", examples=[4096])
    disk_gib: int = Field(50, ge=1, le=65536, description="root disk in GiB; it can grow, never shrink")
    storage: str | None = Field(None, description="storage of the root disk; none: the site's `disks`")
    dns: tuple[IPv4Address, ...] = Field((), description="name servers; none: those of the first network")
    domain: str | None = Field(None, description="DNS domain; none: the site's")
    tags: tuple[str, ...] = Field((), description="Proxmox tags, beside those of the project")
    on_boot: bool = Field(True, description="start with the node")
    protection: bool = Field(False, description="refuse removal of the VM and its disks")
    data_disks: tuple[DataDisk, ...] = Field((), max_length=13, description="disks that survive replacement")
    host_key: HostKeyMethod = Field(HostKeyMethod.SEED_ISO, description="how the host key is known beforehand")
    ready_timeout_s: int = Field(600, ge=10, le=7200, description="deadline from power-on to a finished first boot")


class VmGroup(VmShape):
    """VMs of one kind: `name` for exactly one, or `prefix` and `count` for `<prefix>-1`, `<prefix>-2`, …"""

    name: str | None = Field(None, pattern=NAME, description="name of a single VM", examples=["vm-test"])
    prefix: str | None = Field(None, pattern=NAME, description="names are `<prefix>-<n>`", examples=["vm-app"])
    count: int = Field(1, ge=0, le=200, description="how many VMs")
    first_id: int = Field(
        ge=100, le=999999999, description="Proxmox VM id of the first VM; the next ones follow", examples=[1100]
    )
    data_first_id: int | None = Field(
        None, ge=100, le=999999999, description="VM id of the first holder of data disks", examples=[1150]
    )
    networks: tuple[Nic, ...] = Field(min_length=1, max_length=8, description="network devices, net0 first")
    overrides: dict[int, Override] = Field(default_factory=dict, description="VM number (1, 2, …) -> what differs")

    def names(self) -> tuple[str, ...]:
        """Names of its VMs."""
        return (self.name,) * self.count if self.name else tuple(f"{self.prefix}-{n + 1}" for n in range(self.count))

    @model_validator(mode="after")
    def _named_once(self) -> VmGroup:
        if (self.name is None) == (self.prefix is None):
            raise ValueError("exactly one of `name` (a single VM) and `prefix` (several)")
        if self.name is not None and self.count > 1:
            raise ValueError(f"`prefix` instead of `name` where count is {self.count}")
        return self


class OwnedBridge(Model):
    """A bridge that this stack creates and owns on a node."""

    name: str = Field(
        pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,9}$",
        description="name of the bridge, as the provider allows it",
        examples=["br_own"],
    )
    node: str | None = Field(None, description="node; none: the site's first")
    address: IPv4Interface | None = Field(None, description="address of the node on it, in CIDR notation")
    ports: tuple[str, ...] = Field((), description="network devices of the node that join it")
    vlan_aware: bool = Field(False, description="whether VMs may use VLANs on it")
    comment: str = Field("", description="comment shown in Proxmox")


class OwnedVlan(Model):
    """A VLAN device of a node that this stack creates and owns, for example as a port of an owned bridge."""

    name: str = Field(
        pattern=r"^[a-zA-Z][a-zA-Z0-9_-]{0,9}\.[1-9][0-9]{0,3}$",
        description="device and VLAN id as Linux writes them",
        examples=["eno1.20"],
    )
    node: str | None = Field(None, description="node; none: the site's first")
    comment: str = Field("", description="comment shown in Proxmox")


class StackSettings(Model):
    """Everything under `hypercompose:` in Pulumi.<stack>.yaml."""

    site: str = Field(description="name of the site file", examples=["lab"])
    stack: str | None = Field(None, description="written into derived settings: the only stack that may use them")
    environment_class: str | None = Field(
        None,
        alias="class",
        pattern=r"^[a-z][a-z0-9-]{0,31}$",
        description="which `environments/<class>.yaml` its settings stand on",
        examples=["client"],
    )
    vm_defaults: VmShape | None = Field(None, description="what every VM group has where it does not say otherwise")
    vms: tuple[VmGroup, ...] = Field((), description="VM groups")
    hosts: tuple[ExistingHost, ...] = Field((), description="servers that are there already")
    baseline: Baseline | None = Field(None, description="what every host of the stack is; none: left as it is")
    docker: Docker | None = Field(None, description="Docker on every host of the stack; none: no Docker")
    portainer: PortainerSettings | None = Field(None, description="Portainer on every host with Docker; none: none")
    stacks: dict[Annotated[str, Field(pattern=STACK_NAME)], Stack] = Field(
        default_factory=dict, description="applications by name"
    )
    links: dict[Annotated[str, Field(pattern=LINK_NAME)], Link] = Field(
        default_factory=dict, description="Windows companions of its hosts, by a name of yours"
    )
    hosting: dict[Annotated[str, Field(pattern=NAME)], InstanceRoom] = Field(
        default_factory=dict, description="hosts of the stack that take instances of products, by name"
    )
    limits: Limits | None = Field(None, description="what an `up` may not delete or replace; none: no limit")
    bridges: tuple[OwnedBridge, ...] = Field((), description="bridges created and owned by this stack")
    vlans: tuple[OwnedVlan, ...] = Field((), description="VLAN devices of nodes created and owned by this stack")

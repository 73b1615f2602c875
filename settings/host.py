"""Host settings: servers that are there already, Docker, and a host's own commands."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network
from typing import Any, Literal

from pydantic import Field

from settings.baseline import Baseline, OpenPorts
from settings.portainer import PortainerSettings
from settings.site import Model

NAME = r"^[a-z]([a-z0-9-]{0,60}[a-z0-9])?$"


class OsName(StrEnum):
    """What runs on a host."""

    LINUX = "linux"
    WINDOWS = "windows"


class Pool(Model):
    """Where the networks of containers are taken from."""

    base: IPv4Network = Field(description="the whole range", examples=["172.20.0.0/14"])
    size: int = Field(24, ge=16, le=28, description="prefix length of each network")


class Docker(Model):
    """Docker on a host."""

    version: str | None = Field(None, description="a set of versions of the site; none: its first", examples=["26.1"])
    replace: bool = Field(False, description="whether another Docker CE that is there already may be replaced")
    daemon: dict[str, Any] = Field(default_factory=dict, description="more of daemon.json, over what is made here")
    log_max_size: str = Field("10m", pattern=r"^[1-9]\d*[kmg]$", description="size of a container's log file")
    log_max_files: int = Field(3, ge=1, le=100, description="log files a container")
    pools: tuple[Pool, ...] = Field(
        (Pool(base=IPv4Network("172.20.0.0/14"), size=24),), min_length=1, description="networks of containers"
    )
    registry_mirrors: tuple[str, ...] = Field((), description="mirrors of Docker Hub")
    published: dict[str, OpenPorts] = Field(
        default_factory=dict, description="published ports of containers that may be reached, by a name of yours"
    )
    undeclared: Literal["closed", "untouched"] | None = Field(
        None, description="published ports not named here; none: closed on VMs, untouched on existing servers"
    )
    users: tuple[str, ...] = Field((), description="users who may use Docker, which makes them root")
    proof: bool = Field(True, description="whether a container from the site's registry must run in the end")


class Command(Model):
    """A command of yours on a host, run over SSH with its pinned key. Nothing reads its effect: no drift is seen."""

    name: str = Field(pattern=NAME, description="a name of yours", examples=["warm-cache"])
    create: str = Field(description="shell command at first")
    update: str | None = Field(None, description="when it or its triggers change; none: `create` again")
    delete: str | None = Field(None, description="at the end")
    triggers: tuple[str, ...] = Field((), description="values whose change runs it again")
    after: Literal["host", "baseline", "docker"] = Field("docker", description="what must be done before")


class HostParts(Model):
    """What a VM group or an existing server says of its hosts, over what the stack says."""

    baseline: Baseline | None = Field(None, description="fields that differ from the stack's; null: no baseline")
    docker: Docker | None = Field(None, description="fields that differ from the stack's; null: no Docker")
    portainer: PortainerSettings | None = Field(None, description="fields that differ from the stack's; null: none")
    commands: tuple[Command, ...] = Field((), description="commands of yours on each host")


class ExistingHost(HostParts):
    """A server that is there already. What others put there is never touched, and it is never deleted."""

    name: str = Field(pattern=NAME, description="a name of yours", examples=["srv-1"])
    os: OsName = Field(OsName.LINUX, description="what runs on it")
    address: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,250}[A-Za-z0-9])?$",
        description="address or name",
        examples=["10.77.0.50"],
    )
    port: int = Field(22, ge=1, le=65535, description="port of its SSH server")
    user: str | None = Field(
        None, pattern=r"^[a-z_][a-z0-9_-]{0,31}$", description="user with sudo and our key; none: the site's"
    )
    host_key: str = Field(
        pattern=r"^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/=]+( .*)?$",
        description="its public host key; `ssh-keyscan` run on the server itself shows it",
        examples=["ssh-ed25519 AAAA…"],
    )

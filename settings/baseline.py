"""Baseline settings: what every host of a stack is. What is not said is left as it is."""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from pydantic import Field, model_validator

from settings.site import Model

ACCOUNT = r"^[a-z_][a-z0-9_-]{0,30}$"
PORTS = r"^\d{1,5}(-\d{1,5})?/(tcp|udp)$"
Source = IPv4Network | IPv6Network


class Account(Model):
    """A user with keys and no password."""

    uid: int | None = Field(None, ge=100, le=65533, description="user id; none: the next free one")
    groups: tuple[str, ...] = Field((), description="supplementary groups", examples=[["wheel"]])
    shell: str = Field("/bin/bash", pattern=r"^/[A-Za-z0-9._/-]+$", description="login shell")
    keys: tuple[str, ...] = Field((), description="public SSH keys, one a line")
    comment: str | None = Field(None, description="who it is")
    adopt: bool = Field(False, description="take over an account that is there already, and give it back at the end")


class Group(Model):
    """A group of users."""

    gid: int | None = Field(None, ge=100, le=65533, description="group id; none: the next free one")


class TimeSync(Model):
    """Where a host takes its time from, by chrony."""

    servers: tuple[str, ...] = Field((), description="time servers, names or addresses", examples=[["10.77.0.1"]])
    pools: tuple[str, ...] = Field((), description="names that stand for several servers")

    @model_validator(mode="after")
    def _some(self) -> TimeSync:
        if not self.servers and not self.pools:
            raise ValueError("at least one of `servers` and `pools`")
        return self


class SshServer(Model):
    """Who may log in by SSH, and how."""

    permit_root_login: Literal["no", "prohibit-password"] = Field("no", description="whether root may log in, by key")
    password_login: bool = Field(False, description="whether passwords are taken")
    max_auth_tries: int = Field(4, ge=1, le=10, description="tries before a connection is closed")
    login_grace_s: int = Field(60, ge=5, le=600, description="seconds to log in")
    client_alive_interval_s: int | None = Field(None, ge=5, le=3600, description="seconds between signs of life")
    max_sessions: int | None = Field(None, ge=2, le=100, description="sessions a connection may open")
    allow_groups: tuple[str, ...] = Field((), description="only members of these may log in; none: everybody")


class OpenPorts(Model):
    """Ports that are open, and to whom."""

    ports: tuple[str, ...] = Field(min_length=1, description="ports with protocol", examples=[["443/tcp"]])
    sources: tuple[Source, ...] = Field((), description="networks that may connect; none: everybody")

    @model_validator(mode="after")
    def _ports(self) -> OpenPorts:
        for port in self.ports:
            numbers = [int(n) for n in port.partition("/")[0].split("-")] if re.match(PORTS, port) else [0]
            if not all(1 <= n <= 65535 for n in numbers) or numbers != sorted(numbers):
                raise ValueError(f"ports such as 443/tcp or 9000-9010/udp, not {port!r}")
        return self


class Zone(Model):
    """A firewalld zone of our own."""

    sources: tuple[Source, ...] = Field((), description="networks that belong to it")
    interfaces: tuple[str, ...] = Field((), description="network devices that belong to it")
    services: tuple[str, ...] = Field((), description="firewalld services that are open in it", examples=[["https"]])
    ports: tuple[str, ...] = Field((), description="ports that are open in it", examples=[["9100/tcp"]])
    target: Literal["default", "ACCEPT", "DROP", "%%REJECT%%"] = Field("default", description="what else may come in")


class Firewall(Model):
    """What reaches the host itself, by firewalld. Containers' ports are `docker.published`."""

    closed: bool = Field(True, description="whether everything is closed that is not open here")
    ssh_sources: tuple[Source, ...] = Field((), description="networks that may use SSH; none: everybody")
    open: dict[str, OpenPorts] = Field(default_factory=dict, description="open ports by a name of yours")
    zones: dict[str, Zone] = Field(default_factory=dict, description="zones of our own by name")


class UpdatePolicy(StrEnum):
    """Which updates a host installs by itself."""

    NONE = "none"
    SECURITY = "security"
    ALL = "all"


class Updates(Model):
    """Updates that a host installs by itself."""

    policy: UpdatePolicy = Field(description="which updates")
    reboot: Literal["never", "window"] = Field("never", description="whether it may restart where updates ask for it")
    window: str | None = Field(None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="when", examples=["03:30"])
    random_delay_s: int = Field(1800, ge=0, le=86400, description="spread over this many seconds")

    @model_validator(mode="after")
    def _window(self) -> Updates:
        if self.reboot == "window" and self.window is None:
            raise ValueError("`window` where reboot is `window`, for example 03:30")
        return self


class Journald(Model):
    """How much the journal may keep."""

    max_use_mib: int = Field(ge=16, le=1048576, description="MiB on disk", examples=[1024])
    max_retention_days: int | None = Field(None, ge=1, le=3650, description="days")
    forward_to_syslog: bool | None = Field(None, description="whether syslog gets everything as well")


class Mount(Model):
    """A filesystem that is there already, mounted. Never formatted."""

    device: str = Field(description="the device", examples=["LABEL=data"])
    mount: str = Field(pattern=r"^/[A-Za-z0-9._/-]+$", description="mount point", examples=["/srv/data"])
    filesystem: Literal["ext4", "xfs"] = Field(description="what it holds")
    options: str = Field("defaults", description="mount options")


class Baseline(Model):
    """What a host is, beside its containers. A field that is not given is left alone on the host."""

    packages: tuple[str, ...] = Field((), description="packages; `dnf:…` or `apt:…` where names differ by family")
    set_hostname: bool = Field(False, description="whether the host gets its name of these settings")
    timezone: str | None = Field(None, description="time zone", examples=["Europe/Paris"])
    time: TimeSync | None = Field(None, description="time servers")
    groups: dict[str, Group] = Field(default_factory=dict, description="groups by name")
    users: dict[str, Account] = Field(default_factory=dict, description="users by name")
    sudo: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="sudoers drop-ins: a name of yours -> its lines"
    )
    ssh: SshServer | None = Field(None, description="SSH server")
    sysctl: dict[str, str | int] = Field(default_factory=dict, description="kernel parameters")
    swap_mib: int | None = Field(None, ge=0, le=1048576, description="swap file of our own in MiB; 0: none")
    firewall: Firewall | None = Field(None, description="firewall of the host")
    updates: Updates | None = Field(None, description="updates by itself")
    journald: Journald | None = Field(None, description="limits of the journal")
    mounts: tuple[Mount, ...] = Field((), description="filesystems that are there already, to be mounted")

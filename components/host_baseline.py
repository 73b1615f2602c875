"""HostBaseline: what a host is, beside its containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.host_steps import HostConnection, StepChain
from components.site_access import SiteAccess
from settings.baseline import Baseline, Firewall

DOCKER_API = "docker-api"
Part = tuple[str, str, Mapping[str, Any]]
"""Kind of step, its name on the host, its arguments."""


@dataclass(frozen=True, kw_only=True)
class HostBaselineArgs:
    """A host, and what it is to be; without a baseline it is only claimed."""

    connection: HostConnection
    site: SiteAccess
    owner: str
    """`<site>/<stack>/<host>`: recorded on the host, so that two stacks never manage one."""
    baseline: Baseline | None
    opening: Mapping[str, Any] | None = None
    """One more opening of its firewall: of Docker's API, for another host."""


class HostBaseline(pulumi.ComponentResource):
    """A Linux host that is ours to manage: claimed, with packages, accounts, time, kernel settings, firewall."""

    facts: pulumi.Output[Mapping[str, str]]
    """What the host says of itself: family, os, version, architecture."""

    def __init__(self, name: str, args: HostBaselineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the chain: claim, packages, who may do what, system, firewall."""
        super().__init__("hypercompose:host:HostBaseline", name, None, opts)
        chain = StepChain(self, args.site.native, args.connection, after=(*args.connection.ready, args.site.claim))
        claim = chain.add("Host", "host", {"owner": args.owner})
        for kind, part, arguments in _parts(args.baseline, args.connection.name) if args.baseline else ():
            chain.add(kind, part, _opened(arguments, args.opening) if kind == "Firewall" else arguments)
        self.claim, self.done = claim, chain.last
        self.facts = claim.facts
        self.register_outputs({"facts": self.facts})


def _parts(baseline: Baseline, host: str) -> Iterator[Part]:
    if baseline.packages:
        yield "Packages", "packages", {"packages": list(baseline.packages)}
    if baseline.set_hostname:
        yield "Hostname", "hostname", {"hostname": host}
    yield from _system(baseline)
    yield from _accounts(baseline)
    if baseline.firewall:
        yield "Firewall", "firewall", _firewall(baseline.firewall)
    for mount in baseline.mounts:
        yield "Mount", f"mount{mount.mount.rstrip('/').replace('/', '-')}", mount.model_dump(mode="json")


def _opened(firewall: Mapping[str, Any], opening: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {**firewall, "open": {**firewall["open"], DOCKER_API: opening}} if opening else firewall


def _system(baseline: Baseline) -> Iterator[Part]:
    if baseline.timezone:
        yield "TimeZone", "timezone", {"timezone": baseline.timezone}
    if baseline.time:
        yield "TimeSync", "time", baseline.time.model_dump(mode="json")
    if baseline.sysctl:
        yield "Sysctl", "sysctl", {"settings": {key: str(value) for key, value in baseline.sysctl.items()}}
    if baseline.swap_mib is not None:
        yield "Swap", "swap", {"size_mib": baseline.swap_mib}
    if baseline.journald:
        yield "Journald", "journald", baseline.journald.model_dump(mode="json")
    if baseline.updates:
        yield "Updates", "updates", baseline.updates.model_dump(mode="json")


def _accounts(baseline: Baseline) -> Iterator[Part]:
    for name, group in baseline.groups.items():
        yield "Group", f"group-{name}", {"name": name, **group.model_dump(mode="json")}
    for name, user in baseline.users.items():
        yield "User", f"user-{name}", {"name": name, **user.model_dump(mode="json")}
    for name, rules in baseline.sudo.items():
        yield "SudoRule", f"sudo-{name}", {"name": name, "rules": list(rules)}
    if baseline.ssh:
        yield "SshServer", "ssh", baseline.ssh.model_dump(mode="json")


def _firewall(firewall: Firewall) -> dict[str, Any]:
    return firewall.model_dump(mode="json")

"""The host's firewall: firewalld, with files of our own and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.access.firewalld_files import policy_file, rich_rules, zone_file, zone_policy_file
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import FILE_NAME, Word, network_problems, port_problems

ZONE = Word(r"[a-zA-Z][a-zA-Z0-9_-]{0,13}", "a name of letters, digits, - and _, at most 14")
DEVICE = Word(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", "the name of a network device")


class Firewall(Kind):
    """`closed`, `ssh_sources`, `open`: name -> {ports, sources}, `zones`: name -> {sources, interfaces, services, …}.

    Openings are a policy from any zone to the host, so zones that others use stay as they are.
    """

    name: ClassVar[str] = "Firewall"
    can_lock_out: ClassVar[bool] = True

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names, ports, networks."""
        yield from network_problems("ssh_sources", args.get("ssh_sources", ()))
        for name, opened in args.get("open", {}).items():
            yield from FILE_NAME.problems("open", name)
            yield from port_problems("open", opened["ports"])
            yield from network_problems("open", opened.get("sources", ()))
        for name, zone in args.get("zones", {}).items():
            yield from ZONE.problems("zones", name)
            yield from port_problems("zones", zone.get("ports", ()))
            yield from network_problems("zones", zone.get("sources", ()))
            yield from DEVICE.problems("zones", *zone.get("interfaces", ()))
            yield from FILE_NAME.problems("zones", *zone.get("services", ()))

    def step(self, name: str, args: Arguments) -> Step:
        """Files, checked by firewalld itself before they count, and a running firewalld."""
        zones: Mapping[str, Any] = args.get("zones", {})
        files = {"policies/hypercompose.xml": policy_file(args)}
        for zone, settings in sorted(zones.items()):
            files[f"zones/{zone}.xml"] = zone_file(settings)
            if args["closed"]:
                files[f"policies/hc-{zone}.xml"] = zone_policy_file(zone, settings)
        ports, rules = rich_rules(args)
        return Step(
            name=name,
            script=shell("access/firewall.sh"),
            values={"files": files},
            wanted={
                "open ports": ports,
                "rules": rules,
                "files": "as written",
                "firewalld": "active, enabled",
            },
            timeout_s=300,
        )

"""The host's firewall: firewalld, with files of our own and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.access import firewalld_files as files_of
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import FILE_NAME, Word, flag_problems, network_problems, port_problems

ZONE = Word(r"[a-zA-Z][a-zA-Z0-9_-]{0,13}", "a name of letters, digits, - and _, at most 14")
TARGET = Word(r"default|ACCEPT|DROP|%%REJECT%%", "default, ACCEPT, DROP or %%REJECT%%")
DEVICE = Word(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", "the name of a network device")


class Firewall(Kind):
    """`closed`, `ssh_sources`, `open`: name -> {ports, sources}, `zones`: name -> {sources, interfaces, services, …}.

    Openings are a policy from any zone to the host, so zones that others use stay as they are.
    """

    name: ClassVar[str] = "Firewall"
    can_lock_out: ClassVar[bool] = True

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names, ports, networks."""
        yield from flag_problems("closed", args["closed"])
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
            yield from TARGET.problems("zones", zone.get("target", "default"))

    def step(self, name: str, args: Arguments) -> Step:
        """Files, checked by firewalld itself before they count, and a running firewalld."""
        zones: Mapping[str, Any] = dict(sorted(args.get("zones", {}).items()))
        rules = files_of.rich_rules(args)
        wanted = {
            "open ports": files_of.open_ports(args),
            "rules": rules,
            "also open": sorted([*files_of.ICMP, files_of.DHCP]) if args["closed"] else [],
            "all else": files_of.target(args),
            "files": "as written",
            "firewalld": "enabled active",
            "zone": {zone: files_of.zone_facts(settings) for zone, settings in zones.items()},
            "policy": {f"hc-{zone}": _policy_facts(settings) for zone, settings in zones.items() if args["closed"]},
        }
        return Step(
            name=name,
            script=shell("access/firewall.sh"),
            values={
                "files": _files(args, zones),
                "rules": rules,
                "zones": list(zones),
                "interfaces": {zone: " ".join(settings.get("interfaces", ())) for zone, settings in zones.items()},
                "ssh_sources": files_of.networks(args.get("ssh_sources", ())) if args["closed"] else [],
            },
            wanted=wanted,
            timeout_s=300,
        )


def _files(args: Arguments, zones: Mapping[str, Any]) -> dict[str, str]:
    files = {"policies/hypercompose.xml": files_of.policy_file(args)}
    for zone, settings in zones.items():
        files[f"zones/{zone}.xml"] = files_of.zone_file(settings)
        if args["closed"]:
            files[f"policies/hc-{zone}.xml"] = files_of.zone_policy_file(zone, settings)
    return files


def _policy_facts(zone: Mapping[str, Any]) -> dict[str, Any]:
    found = files_of.zone_facts(zone)
    return {"lets in": sorted([*found["ports"], *found["services"]]), "target": files_of.policy_target(zone)}

"""Policies and zones as firewalld reads them from its folder (firewalld.policy(5), firewalld.zone(5))."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any
from xml.sax.saxutils import quoteattr

SSH_PORT = "@SSH@"
"""Stands for the port that sshd listens on, which the host knows."""


ICMP = ("icmp", "ipv6-icmp")
DHCP = "dhcpv6-client"


def policy_file(args: Mapping[str, Any]) -> str:
    """From any zone to the host, before what the zones themselves say."""
    lines = ['  <ingress-zone name="ANY"/>', '  <egress-zone name="HOST"/>']
    if args["closed"]:
        lines += [*(f"  <protocol value={quoteattr(name)}/>" for name in ICMP), f"  <service name={quoteattr(DHCP)}/>"]
    lines += _ports(open_ports(args))
    for source, port, protocol in _rules(args):
        lines += [
            f"  <rule family={quoteattr(_family(source))}>" if source else "  <rule>",
            *([f"    <source address={quoteattr(source)}/>"] if source else []),
            f"    <port port={quoteattr(port)} protocol={quoteattr(protocol)}/>",
            "    <accept/>",
            "  </rule>",
        ]
    return _whole("policy", f' priority="-100" target="{target(args)}"', lines)


def target(args: Mapping[str, Any]) -> str:
    """What becomes of all else."""
    return "REJECT" if args["closed"] else "CONTINUE"


def open_ports(args: Mapping[str, Any]) -> list[str]:
    """Ports that are open to everybody, sorted."""
    opened = (one for one in args.get("open", {}).values() if not one.get("sources"))
    return merged(str(port) for one in opened for port in one["ports"])


def rich_rules(args: Mapping[str, Any]) -> list[str]:
    """Rules for single ports as firewalld tells them, sorted; the one of SSH has `ssh` for its port."""
    found = []
    for source, port, protocol in _rules(args):
        whom = f'family="{_family(source)}" source address="{source}" ' if source else ""
        port = "ssh" if port == SSH_PORT else port
        found.append(f'rule {whom}port port="{port}" protocol="{protocol}" accept')
    return sorted(found)


def merged(ports: Iterable[str]) -> list[str]:
    """Ports with protocol, sorted; ranges that overlap are one, as firewalld makes them one when it loads them."""
    spans: list[tuple[str, int, int]] = []
    for protocol, low, high in sorted(map(_span, ports)):
        if spans and spans[-1][0] == protocol and low <= spans[-1][2]:
            spans[-1] = (protocol, spans[-1][1], max(high, spans[-1][2]))
        else:
            spans.append((protocol, low, high))
    return sorted(f"{low}{'' if low == high else f'-{high}'}/{protocol}" for protocol, low, high in spans)


def networks(sources: Iterable[str]) -> list[str]:
    """Each once, in the form that firewalld gives back."""
    return sorted({str(ip_network(str(source))) for source in sources})


def zone_file(zone: Mapping[str, Any]) -> str:
    """A zone of our own."""
    to = zone.get("target", "default")
    lines = [f"  <interface name={quoteattr(str(name))}/>" for name in sorted(set(zone.get("interfaces", ())))]
    lines += [f"  <source address={quoteattr(source)}/>" for source in networks(zone.get("sources", ()))]
    return _whole("zone", "" if to == "default" else f" target={quoteattr(to)}", [*lines, *_services(zone)])


def zone_policy_file(name: str, zone: Mapping[str, Any]) -> str:
    """What a zone of ours lets in, where the policy for all zones would refuse it before the zone is asked."""
    lines = [f"  <ingress-zone name={quoteattr(name)}/>", '  <egress-zone name="HOST"/>', *_services(zone)]
    return _whole("policy", f' priority="-200" target="{policy_target(zone)}"', lines)


def policy_target(zone: Mapping[str, Any]) -> str:
    """The word of a policy for what a zone does with all else."""
    to = str(zone.get("target", "default"))
    return {"default": "CONTINUE", "%%REJECT%%": "REJECT"}.get(to, to)


def zone_facts(zone: Mapping[str, Any]) -> dict[str, Any]:
    """A zone as a check finds it."""
    return {
        "interfaces": sorted(set(zone.get("interfaces", ()))),
        "ports": merged(map(str, zone.get("ports", ()))),
        "services": sorted(set(zone.get("services", ()))),
        "sources": networks(zone.get("sources", ())),
        "target": str(zone.get("target", "default")),
    }


def _rules(args: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Source or nothing, port and protocol: SSH, and ports that are open to some only. Each once."""
    found = {(source, SSH_PORT, "tcp") for source in networks(args.get("ssh_sources", ())) or [""]}
    for opened in args.get("open", {}).values():
        for port in opened["ports"]:
            number, _, protocol = str(port).partition("/")
            found |= {(source, number, protocol) for source in networks(opened.get("sources", ()))}
    return sorted(found)


def _span(port: str) -> tuple[str, int, int]:
    numbers, _, protocol = port.partition("/")
    low, _, high = numbers.partition("-")
    return protocol, int(low), int(high or low)


def _family(source: str) -> str:
    return "ipv6" if ":" in source else "ipv4"


def _ports(ports: Iterable[str]) -> Iterator[str]:
    for port in ports:
        number, _, protocol = port.partition("/")
        yield f"  <port port={quoteattr(number)} protocol={quoteattr(protocol)}/>"


def _services(zone: Mapping[str, Any]) -> Iterator[str]:
    for service in sorted(set(zone.get("services", ()))):
        yield f"  <service name={quoteattr(str(service))}/>"
    yield from _ports(merged(map(str, zone.get("ports", ()))))


def _whole(kind: str, attributes: str, lines: Sequence[str]) -> str:
    head = ['<?xml version="1.0" encoding="utf-8"?>', f"<{kind}{attributes}>", "  <short>Hypercompose</short>"]
    return "\n".join([*head, *lines, f"</{kind}>", ""])

"""Policies and zones as firewalld reads them from its folder (firewalld.policy(5), firewalld.zone(5))."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

SSH_PORT = "@SSH@"
"""Stands for the port that sshd listens on, which the host knows."""
Source = tuple[str, str] | None


def policy_file(args: Mapping[str, Any]) -> str:
    """From any zone to the host, before what the zones themselves say."""
    target = "REJECT" if args["closed"] else "CONTINUE"
    lines = ['  <ingress-zone name="ANY"/>', '  <egress-zone name="HOST"/>']
    if args["closed"]:
        lines += ['  <protocol value="icmp"/>', '  <protocol value="ipv6-icmp"/>', '  <service name="dhcpv6-client"/>']
    for source, port, protocol in _openings(args):
        if source is None:
            lines.append(f"  <port port={quoteattr(port)} protocol={quoteattr(protocol)}/>")
        else:
            family, address = source
            lines += [
                f"  <rule family={quoteattr(family)}>",
                f"    <source address={quoteattr(address)}/>",
                f"    <port port={quoteattr(port)} protocol={quoteattr(protocol)}/>",
                "    <accept/>",
                "  </rule>",
            ]
    return _whole("policy", f' priority="-100" target="{target}"', lines)


def rich_rules(args: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Ports open to everybody, and rules with a source, as `firewall-cmd` lists them, sorted."""
    ports, rules = [], []
    for source, port, protocol in _openings(args):
        if source is None:
            ports.append(f"{_named(port)}/{protocol}")
        else:
            family, address = source
            at = f'port port="{_named(port)}" protocol="{protocol}"'
            rules.append(f'rule family="{family}" source address="{address}" {at} accept')
    return sorted(set(ports)), sorted(set(rules))


def zone_file(zone: Mapping[str, Any]) -> str:
    """A zone of our own."""
    target = zone.get("target", "default")
    lines = [f"  <interface name={quoteattr(str(name))}/>" for name in zone.get("interfaces", ())]
    lines += [f"  <source address={quoteattr(str(source))}/>" for source in zone.get("sources", ())]
    return _whole("zone", "" if target == "default" else f" target={quoteattr(target)}", [*lines, *_services(zone)])


def zone_policy_file(name: str, zone: Mapping[str, Any]) -> str:
    """What a zone of ours lets in, where the policy for all zones would refuse it before the zone is asked."""
    target = {"default": "CONTINUE", "%%REJECT%%": "REJECT"}.get(zone.get("target", "default"), zone.get("target"))
    lines = [f"  <ingress-zone name={quoteattr(name)}/>", '  <egress-zone name="HOST"/>', *_services(zone)]
    return _whole("policy", f' priority="-200" target="{target}"', lines)


def _named(port: str) -> str:
    return "ssh" if port == SSH_PORT else port


def _openings(args: Mapping[str, Any]) -> Iterator[tuple[Source, str, str]]:
    for source in _sources(args.get("ssh_sources", ())):
        yield source, SSH_PORT, "tcp"
    for _, opened in sorted(args.get("open", {}).items()):
        for port in opened["ports"]:
            number, _, protocol = str(port).partition("/")
            for source in _sources(opened.get("sources", ())):
                yield source, number, protocol


def _sources(sources: Sequence[str]) -> Iterator[Source]:
    if not sources:
        yield None
    for source in sources:
        yield "ipv6" if ":" in str(source) else "ipv4", str(source)


def _services(zone: Mapping[str, Any]) -> Iterator[str]:
    for service in zone.get("services", ()):
        yield f"  <service name={quoteattr(str(service))}/>"
    for port in zone.get("ports", ()):
        number, _, protocol = str(port).partition("/")
        yield f"  <port port={quoteattr(number)} protocol={quoteattr(protocol)}/>"


def _whole(kind: str, attributes: str, lines: Sequence[str]) -> str:
    head = ['<?xml version="1.0" encoding="utf-8"?>', f"<{kind}{attributes}>", "  <short>Hypercompose</short>"]
    return "\n".join([*head, *lines, f"</{kind}>", ""])

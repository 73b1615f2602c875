"""Published ports of containers: reachable from declared sources only, although Docker bypasses the host's firewall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import FILE_NAME, network_problems, port_problems

TABLE = "hypercompose_docker"
REFUSED = " counter reject with icmpx admin-prohibited"
# Names that Docker gives the bridges of its networks
BRIDGES = '{ "docker0", "docker_gwbridge", "br-*" }'


class DockerFirewall(Kind):
    """`published`: name -> {ports, sources}; no sources: everybody. `undeclared`: closed or untouched. `pools`: CIDRs.

    An nftables table of its own, which neither Docker nor firewalld touches; Docker does not start without it.
    """

    name: ClassVar[str] = "DockerFirewall"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names, ports, networks."""
        for name, opened in args["published"].items():
            yield from FILE_NAME.problems("published", name)
            yield from port_problems("published", opened["ports"])
            yield from network_problems("published", opened.get("sources", ()))
        yield from network_problems("pools", args["pools"])
        if args["undeclared"] not in ("closed", "untouched"):
            yield Problem(property="undeclared", reason=f"{args['undeclared']!r}, expected closed or untouched")

    def step(self, name: str, args: Arguments) -> Step:
        """The table, its file, and the drop-in that loads it before Docker starts."""
        rules = "\n".join(ruleset(args["published"], args["undeclared"], args["pools"])) + "\n"
        return Step(
            name=name,
            script=shell("docker/firewall.sh"),
            values={"rules": rules, "table": TABLE},
            wanted={"rules": "as written", "drop-in": "as written", "running rules": "as written"},
        )


def ruleset(published: Mapping[str, Any], undeclared: str, pools: Sequence[str]) -> Iterator[str]:
    """The file for `nft -f`: replaces the table in one transaction."""
    yield f"table inet {TABLE} {{}}"
    yield f"delete table inet {TABLE}"
    yield f"table inet {TABLE} {{"
    yield from _pool_set("pools", "ipv4_addr", ["172.17.0.0/16", *(pool for pool in pools if ":" not in pool)])
    yield from _pool_set("pools6", "ipv6_addr", [pool for pool in pools if ":" in pool])
    # A neighbour can send to 127.0.0.1 of this host, and Docker's NAT would pass it to what is published there alone.
    yield "    chain loopback {"
    yield "        type filter hook prerouting priority raw; policy accept;"
    yield "        iifname != lo ip daddr 127.0.0.0/8 counter drop"
    yield "    }"
    yield "    chain published {"
    for name, opened in sorted(published.items()):
        yield from _allowed(name, opened)
    yield "    }"
    yield "    chain forward {"
    yield "        type filter hook forward priority filter - 10; policy accept;"
    yield "        ct state established,related accept"
    yield "        iifname lo accept"
    yield f"        iifname {BRIDGES} accept"
    yield "        ct status dnat jump published"
    if undeclared == "closed":
        yield f"        oifname {BRIDGES}{REFUSED}"
        yield f"        ip daddr @pools{REFUSED}"
        yield f"        ip6 daddr @pools6{REFUSED}"
    yield from _declared_only(published, "ct original proto-dst", "ct status dnat ")
    yield "    }"
    yield "    chain input {"  # where a port is published by docker-proxy alone: IPv6, or NAT rules that are not there
    yield "        type filter hook input priority filter - 10; policy accept;"
    yield "        ct state established,related accept"
    yield "        iifname lo accept"
    yield f"        iifname {BRIDGES} accept"
    yield "        jump published"
    yield from _declared_only(published, "th dport", "")
    yield "    }"
    yield "}"


def _pool_set(name: str, kind: str, pools: Sequence[str]) -> Iterator[str]:
    yield f"    set {name} {{"
    yield f"        type {kind}; flags interval; auto-merge"
    if pools:
        yield f"        elements = {{ {', '.join(pools)} }}"
    yield "    }"


def _allowed(name: str, opened: Mapping[str, Any]) -> Iterator[str]:
    """`accept` for each port and source; the port is the published one, whatever Docker has made of it."""
    for port in opened["ports"]:
        number, _, protocol = str(port).partition("/")
        for source in _by_family(opened.get("sources", ())):
            yield f'        {source}meta l4proto {protocol} ct original proto-dst {number} accept comment "{name}"'


def _declared_only(published: Mapping[str, Any], port_match: str, condition: str) -> Iterator[str]:
    """Declared ports are closed to everybody who was not let in above."""
    for port in sorted({str(port) for opened in published.values() for port in opened["ports"]}):
        number, _, protocol = port.partition("/")
        yield f"        {condition}meta l4proto {protocol} {port_match} {number}{REFUSED}"


def _by_family(sources: Sequence[str]) -> Iterator[str]:
    if not sources:
        yield ""
    for source in sources:
        yield f"{'ip6' if ':' in str(source) else 'ip'} saddr {source} "

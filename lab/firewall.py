"""The packet filter between the lab's bridges: within one bridge everything passes, from and to it nothing.

Bridged frames pass FORWARD as well where dockerd set bridge-nf-call-iptables, with a policy of DROP.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Collection, Iterator

from lab.identity import Lab, lab_of_mark
from lab.machine import run, succeeds

_DHCP_AND_DNS = (53, 67)


def close_off(lab: Lab, ports: Collection[int] = ()) -> None:
    """Make the lab's chains and send all traffic of its bridges through them; TCP `ports` of this machine are open."""
    any_bridge = f"{lab.bridge_prefix}+"
    for tables in _programs():
        if not _has_chain(tables, lab.chain):
            run(tables, "-w", "-N", lab.chain)
            run(tables, "-w", "-A", lab.chain, "-i", any_bridge, "-j", "DROP")
            run(tables, "-w", "-A", lab.chain, "-o", any_bridge, "-j", "DROP")
        for rule in _hooks(lab, ports):
            if not succeeds(tables, "-w", "-C", *rule):
                run(tables, "-w", "-I", *rule)


def allow_within(lab: Lab, device: str) -> None:
    """Let guests on one bridge talk to each other."""
    rule = (lab.chain, "-i", device, "-o", device, "-j", "ACCEPT")
    for tables in _programs():
        if not succeeds(tables, "-w", "-C", *rule):
            run(tables, "-w", "-I", *rule)


def open_up(lab: Lab) -> None:
    """Remove the lab's chains and what leads to them."""
    for tables in _programs():
        for hook in ("FORWARD", "INPUT"):
            for rule in _rules_of(lab, run(tables, "-w", "-S", hook)):
                succeeds(tables, "-w", "-D", *rule)  # somebody else may have removed it just now
        if _has_chain(tables, lab.chain):
            succeeds(tables, "-w", "-F", lab.chain)
            succeeds(tables, "-w", "-X", lab.chain)


def _hooks(lab: Lab, ports: Collection[int]) -> Iterator[tuple[str, ...]]:
    """Rules in the machine's own chains: the way into ours, and what guests reach here behind a closed firewall."""
    comment = ("-m", "comment", "--comment", lab.mark[:255])
    from_guests = ("INPUT", "-i", f"{lab.bridge_prefix}+")
    yield ("FORWARD", *comment, "-j", lab.chain)
    for protocol, opened in (("udp", _DHCP_AND_DNS), ("tcp", ports)):
        if opened:
            listed = ",".join(str(port) for port in sorted(opened))
            yield (*from_guests, "-p", protocol, "-m", "multiport", "--dports", listed, *comment, "-j", "ACCEPT")


def _rules_of(lab: Lab, listing: str) -> Iterator[list[str]]:
    """The rules of a `-S` listing that carry this lab's mark, whichever folder it was made from."""
    for line in listing.splitlines():
        words = shlex.split(line)
        marks = [found.site for found in map(lab_of_mark, words) if found]
        if words[0] == "-A" and lab.site in marks:
            yield words[1:]


def _programs() -> list[str]:
    """IPv4's program, and IPv6's where there is one that works here."""
    six = shutil.which("ip6tables")
    return ["iptables", *(["ip6tables"] if six and succeeds(six, "-w", "-S", "FORWARD") else [])]


def _has_chain(tables: str, chain: str) -> bool:
    return succeeds(tables, "-w", "-S", chain)

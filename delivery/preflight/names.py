"""Names: this machine resolves what it asks, and the hosts' name servers what hosts ask."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

from delivery.preflight.check import About, Check
from delivery.preflight.scope import Scope
from provisioning.at_once import at_once
from provisioning.names import NameServerSilent, NameUnknown, is_address, resolved_at, resolved_here

DEADLINE_S = 4.0


def check_names(scope: Scope) -> Iterator[Check]:
    """A line for each name in an address of the site file."""
    wanted = list(_wanted(scope))
    found = at_once([partial(_one, scope, about, name, by_hosts) for about, name, by_hosts in wanted], DEADLINE_S)
    for (about, _, _), answer in zip(wanted, found, strict=True):
        yield about.unknown(str(answer)) if isinstance(answer, Exception) else answer


def name_servers(scope: Scope) -> tuple[str, ...]:
    """Those that new VMs will ask."""
    return tuple(dict.fromkeys(server for vm in scope.program.vms for server in vm.dns))


def address_of(scope: Scope, name: str) -> str | None:
    """Where the hosts find a name that this machine does not know; None where nothing special is needed."""
    try:
        resolved_here(name)
    except NameUnknown:
        for server in name_servers(scope):
            try:
                return resolved_at(name, server)[0]
            except (NameUnknown, NameServerSilent):
                continue
    return None


def _wanted(scope: Scope) -> Iterator[tuple[About, str, bool]]:
    """What is said of it, the name, and whether hosts ask for it too."""
    site = scope.site
    urls = [("proxmox.endpoint", site.proxmox.endpoint, False)]
    if site.registry and scope.uses_docker():
        urls.append(("registry.url", site.registry.url, True))
    stacks = scope.program.settings.stacks
    if site.git and any(stack.project for stack in stacks.values()):
        urls.append(("git.url", site.git.url, True))
    for url, by_hosts, field in (
        *((url, by_hosts, scope.of_site(setting)) for setting, url, by_hosts in urls),
        *((s.git.url, True, scope.of_stack(f"stacks.{name}.git.url")) for name, s in stacks.items() if s.git),
    ):
        name = urlsplit(url).hostname or url
        yield About(name="name", subject=name, field=field), name, by_hosts
    for name, link in scope.program.settings.links.items():
        field = scope.of_stack(f"links.{name}.companion")
        yield About(name="name", subject=link.companion, field=field), link.companion, True


def _one(scope: Scope, about: About, name: str, by_hosts: bool) -> Check:
    if is_address(name):
        return about.passed("is an address already")
    try:
        here = ", ".join(resolved_here(name))
    except NameUnknown:
        here = ""
    servers = name_servers(scope) if by_hosts else ()
    if not servers:
        remedy = "correct the address, or look at this machine's DNS (/etc/resolv.conf)"
        return about.passed(here) if here else about.failed("this machine cannot resolve it", remedy)
    return _by_hosts(about, name, here, servers)


def _by_hosts(about: About, name: str, here: str, servers: tuple[str, ...]) -> Check:
    found, unknown, silent = {}, [], []
    for server in servers:
        try:
            found[server] = ", ".join(resolved_at(name, server))
        except NameUnknown:
            unknown.append(server)
        except NameServerSilent:
            silent.append(server)
    shown = "; ".join(f"{addresses} by {server}" for server, addresses in found.items())
    if unknown:
        remedy = "make the name known there, or give the network another name server (`dns`)"
        return about.failed(f"the VMs' name server {', '.join(unknown)} does not know it", remedy)
    if silent:
        return about.unknown(f"the VMs' name server {', '.join(silent)} does not answer this machine{_here(here)}")
    return about.passed(f"{shown}{_here(here)}")


def _here(addresses: str) -> str:
    return f"; here: {addresses}" if addresses else "; not known to this machine's own resolver"

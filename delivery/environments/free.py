"""VM ids and addresses of a site that no stack of the checkout has taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Interface

from delivery.environments.catalog import Environment
from settings.errors import SettingsError
from settings.site import Network, Site

BLOCK = 100
"""New stacks begin at a multiple, so that the next one can grow."""


class Free:
    """What it gives once, it does not give again."""

    def __init__(self, site: Site, others: Sequence[Environment]) -> None:
        """Take the site and all its stacks."""
        templates = {number for nodes in site.proxmox.templates.values() for number in nodes.values()}
        self._ids = {*templates, *(number for one in others for number in one.first_ids())}
        self._last = max((number for one in others for number in one.first_ids()), default=BLOCK)
        self._addresses = {address for one in others for address in _addresses(one)}

    def ids(self, count: int) -> int:
        """The first of as many ids in a row."""
        first = (self._last // BLOCK + 1) * BLOCK
        while self._ids & set(range(first, first + count)):
            first += BLOCK
        self._ids |= set(range(first, first + count))
        self._last = max(first, first + count - 1)
        return first

    def addresses(self, network: Network, count: int, like: str) -> str:
        """The first of as many addresses in a row, from the place in the network that `like` has in its own."""
        wanted = IPv4Interface(like)
        start = int(wanted.ip) - int(wanted.network.network_address)
        taken = {*self._addresses, *network.dns, *([network.gateway] if network.gateway else [])}
        hosts = int(network.cidr.broadcast_address) - int(network.cidr.network_address)
        for offset in [*range(max(start, 1), hosts), *range(1, min(start, hosts))]:
            block = {network.cidr.network_address + offset + number for number in range(count)}
            if offset + count <= hosts and not block & taken:
                self._addresses |= block
                return f"{min(block)}/{network.cidr.prefixlen}"
        raise SettingsError("BRIDGE", [f"{network.cidr} has no {count} free addresses in a row; name another bridge"])


def _addresses(one: Environment) -> Iterator[IPv4Address]:
    for group in one.settings.vms if one.settings else ():
        for nic in group.networks:
            if isinstance(nic.address, IPv4Interface):
                yield from (nic.address.ip + number for number in range(group.count))
        for override in group.overrides.values():
            yield from (found.ip for found in override.addresses if isinstance(found, IPv4Interface))
    for host in one.settings.hosts if one.settings else ():
        try:
            yield IPv4Address(str(host.address))
        except ValueError:
            continue

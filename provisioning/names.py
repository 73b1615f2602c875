"""Names in DNS, asked as this machine asks, or as the hosts do: at name servers given by address."""

from __future__ import annotations

import ipaddress
import socket

import dns.exception
import dns.resolver

from provisioning.errors import ProvisioningError

PATIENCE_S = 2.0


class NameUnknown(ProvisioningError):
    """The name server answered: there is no such name."""


class NameServerSilent(ProvisioningError):
    """Nobody answered."""


def is_address(host: str) -> bool:
    """Whether it is an address already, so that nobody has to be asked."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def resolved_here(name: str) -> list[str]:
    """Addresses as programs of this machine get them. Raises NameUnknown."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameUnknown(f"this machine cannot resolve {name}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolved_at(name: str, server: str) -> list[str]:
    """IPv4 addresses as one name server gives them. Raises NameUnknown, NameServerSilent."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.lifetime = [server], PATIENCE_S
    try:
        return [record.to_text() for record in resolver.resolve(f"{name.rstrip('.')}.", "A")]
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
        raise NameUnknown(f"{server} knows no {name}") from error
    except dns.exception.DNSException as error:
        raise NameServerSilent(f"the name server {server} does not answer") from error

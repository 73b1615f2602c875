"""Which hosts there are to place instances on, as their environments tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hosting.errors import OfferRefused
from hosting.model import Host
from hosting.routes import rename
from hosting.words import WORD, is_domain, is_plain


@dataclass(frozen=True, kw_only=True)
class HostOffer:
    """A host, and what of it instances may have."""

    environment: str
    host: str
    address: str
    first_port: int
    last_port: int
    memory_mib: int
    networks: int = 25
    """Docker's own address pools hold about 30."""
    is_open: bool = True
    domain: str | None = None
    """Names of its instances are `<route>.<domain>`; None: it gives none."""
    route_port: int | None = None
    """Of TLS."""

    @property
    def name(self) -> str:
        """Key of its row."""
        return f"{self.environment}/{self.host}"


def told(session: Session, offers: Iterable[HostOffer]) -> list[Host]:
    """Take these hosts in, or what is new of them. OfferRefused; instances that are there already stay as they are."""
    offers = list(offers)
    rows = {host.name: host for host in session.scalars(select(Host).order_by(Host.name).with_for_update())}
    others = [_as_offer(host) for name, host in rows.items() if name not in {offer.name for offer in offers}]
    problems = [line for offer in offers for line in _problems(offer, [*offers, *others])]
    if problems := [*problems, *_shared_domains(offers, others)]:
        raise OfferRefused("\n".join(problems))
    for offer in offers:
        row = rows.setdefault(offer.name, Host(name=offer.name))
        if offer.domain != row.domain:
            rename(session, offer.name, offer.domain, now=datetime.now(UTC))
        for name, value in asdict(offer).items():
            setattr(row, name, value)
        session.add(row)
    session.flush()
    return [rows[offer.name] for offer in offers]


def close_others(session: Session, environment: str, still_there: Iterable[str]) -> Sequence[Host]:
    """Hosts of the environment that it tells no more take nothing new; what runs there is left alone."""
    gone = select(Host).where(
        Host.environment == environment, Host.host.not_in(list(still_there)), Host.is_open.is_(True)
    )
    found = session.scalars(gone.order_by(Host.name).with_for_update()).all()
    for host in found:
        host.is_open = False
    session.flush()
    return found


def _problems(offer: HostOffer, offers: Iterable[HostOffer]) -> Iterator[str]:
    said = f"hosts.{offer.name}"
    if not WORD.fullmatch(offer.environment) or not WORD.fullmatch(offer.host) or not is_plain(offer.address, 255):
        yield f"{said}: {offer.address!r}, expected environment, host and address by name; correct the outputs"
    if not 1 <= offer.first_port <= offer.last_port <= 65535:
        yield f"{said}.first_port: {offer.first_port}-{offer.last_port}, expected a range in 1-65535; correct it"
    for name in ("memory_mib", "networks"):
        if not 0 <= getattr(offer, name) < 2**31:
            yield f"{said}.{name}: {getattr(offer, name)}, expected 0 or more; correct it"
    if (offer.domain is None) != (offer.route_port is None) or (offer.domain and not is_domain(offer.domain)):
        yield f"{said}.domain: {offer.domain!r}, expected a domain, and a port with it; correct the outputs"
    for other in offers:
        if other is not offer and _overlap(offer, other):
            yield (
                f"{said}.first_port: {offer.first_port}-{offer.last_port} is also of {other.name} "
                f"({other.first_port}-{other.last_port} at {other.address}), expected ranges of their own; move one"
            )


def _shared_domains(offers: Iterable[HostOffer], others: Iterable[HostOffer]) -> Iterator[str]:
    """A domain is one host's. Rows of hosts that are there no more keep theirs from nobody."""
    told = list(offers)
    here = {offer.environment for offer in told}
    known = {host.domain: host.name for host in others if host.is_open and host.environment not in here}
    for offer in told:
        owner = known.setdefault(offer.domain, offer.name)
        if offer.domain is not None and owner != offer.name:
            yield (
                f"hosts.{offer.name}.domain: {offer.domain} is also of {owner}, expected one of its own; choose another"
            )


def _overlap(one: HostOffer, other: HostOffer) -> bool:
    if one.name == other.name:
        return True
    return one.address == other.address and one.first_port <= other.last_port and other.first_port <= one.last_port


def _as_offer(host: Host) -> HostOffer:
    return HostOffer(
        environment=host.environment,
        host=host.host,
        address=host.address,
        first_port=host.first_port,
        last_port=host.last_port,
        memory_mib=host.memory_mib,
        networks=host.networks,
        is_open=host.is_open,
        domain=host.domain,
        route_port=host.route_port,
    )

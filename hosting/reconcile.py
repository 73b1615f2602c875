"""What the database says of a host's ports, held against who listens there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hosting import rows
from hosting.errors import NoRoom
from hosting.events import remade
from hosting.model import Host, Instance, Port
from hosting.ports import lease
from hosting.vocabulary import State


@dataclass(kw_only=True)
class Reconciled:
    """What was found, and mended."""

    taken: dict[int, str] = field(default_factory=dict)
    """Newly found: somebody else listens on a port of the range."""
    freed: list[int] = field(default_factory=list)
    """Others have gone, or the quarantine is over."""
    disputed: dict[int, str] = field(default_factory=dict)
    """Leased, and somebody else listens: `<instance>: <who>`. Its next try needs other ports (`reallocate`)."""
    leaked: list[int] = field(default_factory=list)
    """Leased to an instance that is not there; now quarantined."""
    without: list[str] = field(default_factory=list)
    """Instances that lacked ports; they have them now, and are made anew."""
    lacking: list[str] = field(default_factory=list)
    """Instances that lack ports, and there are none to give."""


def reconcile(
    session: Session, host: str, listeners: Mapping[int, str], *, now: datetime, quarantine: timedelta
) -> Reconciled:
    """`listeners`: port -> who listens, which is the instance's name for its own containers. NotThere for a host."""
    held = rows.host(session, host)
    found = Reconciled()
    here = select(Instance.id, Instance.name).where(Instance.host == host)
    names = {instance_id: name for instance_id, name in session.execute(here)}  # noqa: C416  rows, to pairs
    ports = {port.number: port for port in session.scalars(select(Port).where(Port.host == host))}
    for port in ports.values():
        _leak(port, names, now, quarantine, found)
        _others(port, names.get(port.instance or ""), listeners, found)
        _over(session, port, now, found)
    for number in sorted(set(listeners) - set(ports)):
        if held.first_port <= number <= held.last_port:
            session.add(Port(host=host, number=number, taken_by_others=True))
            found.taken[number] = listeners[number]
    session.flush()
    _mend(session, held, now, quarantine, found)
    return found


def _leak(port: Port, names: Mapping[str, str], now: datetime, quarantine: timedelta, found: Reconciled) -> None:
    if port.instance is not None and port.instance not in names:
        port.instance, port.name, port.quarantined_until = None, "", now + quarantine
        found.leaked.append(port.number)


def _others(port: Port, owner: str | None, listeners: Mapping[int, str], found: Reconciled) -> None:
    who = listeners.get(port.number)
    is_others = who is not None and who != owner
    if is_others and owner is not None:
        found.disputed[port.number] = f"{owner}: {who}"
    elif is_others and not port.taken_by_others:
        found.taken[port.number] = who or ""
    port.taken_by_others = is_others


def _over(session: Session, port: Port, now: datetime, found: Reconciled) -> None:
    """A row that says nothing any more goes."""
    if port.quarantined_until is not None and port.quarantined_until <= now:
        port.quarantined_until = None
    if port.instance is None and port.quarantined_until is None and not port.taken_by_others:
        session.delete(port)
        found.freed.append(port.number)


def _mend(session: Session, host: Host, now: datetime, quarantine: timedelta, found: Reconciled) -> None:
    staying = select(Instance).where(Instance.host == host.name, Instance.state != State.DELETING)
    held = staying.order_by(Instance.name).with_for_update().execution_options(populate_existing=True)
    for instance in session.scalars(held).all():
        if {port.name for port in instance.ports} == set(instance.port_names):
            continue
        try:
            numbers = [port.number for port in lease(session, host, instance, now)]
        except NoRoom:
            found.lacking.append(instance.name)
            continue
        _keep_only(session, instance, numbers, now, quarantine)
        text = f"it had lost some; now {', '.join(map(str, numbers))}"
        remade(session, instance, at=now, who="reconcile", what="other ports", text=text)
        found.without.append(instance.name)


def _keep_only(
    session: Session, instance: Instance, numbers: Sequence[int], now: datetime, quarantine: timedelta
) -> None:
    """What was left of those before goes into quarantine."""
    session.execute(
        update(Port)
        .where(Port.instance == instance.id, Port.number.not_in(numbers))
        .values(instance=None, name="", quarantined_until=now + quarantine)
    )
    session.refresh(instance, ["ports"])

"""The rows: hosts, instances, their ports, what happened to them, and when the clock was last looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from hosting.columns import Utc, document, word_of
from hosting.vocabulary import Run, State


class Base(DeclarativeBase):
    """All tables of hosting."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it as it stands
        datetime: Utc(),
        State: word_of(State),
        Run: word_of(Run),
        dict[str, Any]: document(),
        list[str]: document(),
    }


class Host(Base):
    """A Docker host that instances may be placed on."""

    __tablename__ = "hosts"
    __table_args__ = (
        CheckConstraint("first_port >= 1 AND first_port <= last_port AND last_port <= 65535", name="ports"),
        CheckConstraint("memory_mib >= 0 AND networks >= 0", name="room"),
        CheckConstraint("(domain IS NULL) = (route_port IS NULL)", name="routes"),
        UniqueConstraint("environment", "host"),
    )

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    """`<environment>/<host>`."""
    environment: Mapped[str] = mapped_column(String(100))
    host: Mapped[str] = mapped_column(String(99))
    address: Mapped[str] = mapped_column(String(255))
    first_port: Mapped[int]
    last_port: Mapped[int]
    memory_mib: Mapped[int]
    """What instances may have of its memory."""
    networks: Mapped[int]
    """How many Docker networks instances may have there."""
    is_open: Mapped[bool]
    """Takes new instances."""
    domain: Mapped[str | None] = mapped_column(String(189))
    """Names of its instances are `<route>.<domain>`; None: it gives none."""
    route_port: Mapped[int | None]
    """Of TLS."""


class Port(Base):
    """A number of a host that is not free. Its key is why no two instances ever have the same."""

    __tablename__ = "ports"
    __table_args__ = (
        CheckConstraint("number >= 1 AND number <= 65535", name="number"),
        CheckConstraint("instance IS NULL OR quarantined_until IS NULL", name="leased_or_quarantined"),
        Index(None, "instance"),
    )

    host: Mapped[str] = mapped_column(ForeignKey("hosts.name"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    instance: Mapped[str | None] = mapped_column(ForeignKey("instances.id"))
    """Who has it; None: nobody, and it is quarantined or taken by others."""
    name: Mapped[str] = mapped_column(String(31), default="")
    """What it is for, such as `web`."""
    quarantined_until: Mapped[datetime | None]
    taken_by_others: Mapped[bool] = mapped_column(default=False)
    """Somebody else was found listening."""


class Instance(Base):
    """A product that somebody asked for."""

    __tablename__ = "instances"
    __table_args__ = (
        CheckConstraint("memory_mib > 0 AND networks >= 0", name="needs"),
        CheckConstraint("attempts >= 0 AND made >= 0 AND made <= generation", name="counters"),
        CheckConstraint("(lock_holder IS NULL) = (lock_until IS NULL)", name="lock"),
        CheckConstraint("length(name) BETWEEN 1 AND 40", name="name"),
        CheckConstraint("(route IS NULL) = (domain IS NULL)", name="route"),
        UniqueConstraint("name"),
        UniqueConstraint("tenant", "idempotency_key"),
        Index(None, "host"),
        Index(None, "deadline"),
        Index(None, "domain", "route", unique=True),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    product: Mapped[str] = mapped_column(String(63))
    version: Mapped[str] = mapped_column(String(63))
    size: Mapped[str] = mapped_column(String(63))
    settings: Mapped[dict[str, Any]]
    """Of its product. Not a place for secrets."""
    tenant: Mapped[str] = mapped_column(String(200))
    owner: Mapped[str] = mapped_column(String(200))
    """Who asked for it."""
    host: Mapped[str] = mapped_column(ForeignKey("hosts.name"))
    memory_mib: Mapped[int]
    networks: Mapped[int]
    port_names: Mapped[list[str]]
    """What it needs ports for; their numbers are neighbours in this order."""
    route: Mapped[str | None] = mapped_column(String(63))
    """Its name at its host's router, without the domain; None: it has none."""
    domain: Mapped[str | None] = mapped_column(String(189))
    """Its host's: here as well, so that no two instances ever have the same name."""
    keep_volumes: Mapped[bool] = mapped_column(default=False)
    """Of one that is deleted: its data stays on the host."""
    state: Mapped[State]
    run: Mapped[Run]
    generation: Mapped[int] = mapped_column(default=1)
    """Raised by every change that the engine has to carry out."""
    made: Mapped[int] = mapped_column(default=0)
    """Generation that the engine carried out last; 0: it was never there."""
    deadline: Mapped[datetime | None]
    """None: without limit."""
    warned_for: Mapped[datetime | None]
    """Deadline that people were warned of."""
    expired_for: Mapped[datetime | None]
    """Deadline that stopped it."""
    destroy_after: Mapped[datetime | None]
    backed_up_at: Mapped[datetime | None]
    """When its data was last backed up since it expired."""
    why: Mapped[str] = mapped_column(Text, default="")
    """What went wrong last, as people are told."""
    attempts: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column()
    """Counts the changes of the row; a change of what has changed meanwhile fails."""
    lock_token: Mapped[int] = mapped_column(default=0)
    """Counts the takings; the last one is the token of whoever holds it."""
    lock_holder: Mapped[str | None] = mapped_column(String(200))
    lock_until: Mapped[datetime | None]
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    demand_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the demand, which the same key must come with again."""

    ports: Mapped[list[Port]] = relationship(viewonly=True, lazy="selectin", order_by=Port.number)

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012  SQLAlchemy reads it as it stands


class Event(Base):
    """Something that happened to an instance. Outlives it."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "instance"), Index(None, "name"), Index(None, "at"))

    number: Mapped[int] = mapped_column(primary_key=True)
    instance: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(String(200))
    what: Mapped[str] = mapped_column(String(63))
    text: Mapped[str] = mapped_column(Text, default="")


class Tick(Base):
    """How wall and monotonic clock stood to each other at the last tick. One row."""

    __tablename__ = "ticks"
    __table_args__ = (CheckConstraint("number = 1", name="one"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    boot: Mapped[str] = mapped_column(String(100))
    """Which start of which machine the monotonic clock counts from."""
    monotonic_s: Mapped[float] = mapped_column(Double)
    offset_s: Mapped[float] = mapped_column(Double)
    """Wall clock minus monotonic clock, when it was last taken as right."""
    unsteady_since_s: Mapped[float | None] = mapped_column(Double)
    """Monotonic time of the last jump; None: the clock is steady."""
    why: Mapped[str] = mapped_column(Text, default="")

"""Hosts, instances, ports, events, ticks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """From nothing."""

    op.create_table(
        "events",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("instance", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=63), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
    )
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_instance", "events", ["instance"])
    op.create_index("ix_events_name", "events", ["name"])

    op.create_table(
        "hosts",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=100), nullable=False),
        sa.Column("host", sa.String(length=99), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("first_port", sa.Integer(), nullable=False),
        sa.Column("last_port", sa.Integer(), nullable=False),
        sa.Column("memory_mib", sa.Integer(), nullable=False),
        sa.Column("networks", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.CheckConstraint("first_port >= 1 AND first_port <= last_port AND last_port <= 65535", name="ports"),
        sa.CheckConstraint("memory_mib >= 0 AND networks >= 0", name="room"),
        sa.PrimaryKeyConstraint("name", name="pk_hosts"),
        sa.UniqueConstraint("environment", "host", name="uq_hosts_environment"),
    )

    op.create_table(
        "ticks",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("boot", sa.String(length=100), nullable=False),
        sa.Column("monotonic_s", sa.Double(), nullable=False),
        sa.Column("offset_s", sa.Double(), nullable=False),
        sa.Column("unsteady_since_s", sa.Double(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint("number = 1", name="one"),
        sa.PrimaryKeyConstraint("number", name="pk_ticks"),
    )

    op.create_table(
        "instances",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("product", sa.String(length=63), nullable=False),
        sa.Column("version", sa.String(length=63), nullable=False),
        sa.Column("size", sa.String(length=63), nullable=False),
        sa.Column("settings", DOCUMENT, nullable=False),
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("memory_mib", sa.Integer(), nullable=False),
        sa.Column("networks", sa.Integer(), nullable=False),
        sa.Column("port_names", DOCUMENT, nullable=False),
        sa.Column("keep_volumes", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "creating",
                "running",
                "stopping",
                "stopped",
                "starting",
                "failed",
                "deleting",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column(
            "run",
            sa.Enum("started", "stopped", name="run", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("deadline", MOMENT, nullable=True),
        sa.Column("warned_for", MOMENT, nullable=True),
        sa.Column("expired_for", MOMENT, nullable=True),
        sa.Column("destroy_after", MOMENT, nullable=True),
        sa.Column("backed_up_at", MOMENT, nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("lock_token", sa.Integer(), nullable=False),
        sa.Column("lock_holder", sa.String(length=200), nullable=True),
        sa.Column("lock_until", MOMENT, nullable=True),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("demand_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("(lock_holder IS NULL) = (lock_until IS NULL)", name="lock"),
        sa.CheckConstraint("attempts >= 0 AND made >= 0 AND made <= generation", name="counters"),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 40", name="name"),
        sa.CheckConstraint("memory_mib > 0 AND networks >= 0", name="needs"),
        sa.ForeignKeyConstraint(["host"], ["hosts.name"], name="fk_instances_host"),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
        sa.UniqueConstraint("name", name="uq_instances_name"),
        sa.UniqueConstraint("tenant", "idempotency_key", name="uq_instances_tenant"),
    )
    op.create_index("ix_instances_deadline", "instances", ["deadline"])
    op.create_index("ix_instances_host", "instances", ["host"])

    op.create_table(
        "ports",
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instance", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=31), nullable=False),
        sa.Column("quarantined_until", MOMENT, nullable=True),
        sa.Column("taken_by_others", sa.Boolean(), nullable=False),
        sa.CheckConstraint("instance IS NULL OR quarantined_until IS NULL", name="leased_or_quarantined"),
        sa.CheckConstraint("number >= 1 AND number <= 65535", name="number"),
        sa.ForeignKeyConstraint(["host"], ["hosts.name"], name="fk_ports_host"),
        sa.ForeignKeyConstraint(["instance"], ["instances.id"], name="fk_ports_instance"),
        sa.PrimaryKeyConstraint("host", "number", name="pk_ports"),
    )
    op.create_index("ix_ports_instance", "ports", ["instance"])

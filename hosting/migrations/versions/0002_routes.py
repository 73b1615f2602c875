"""Names with TLS: the domain of a host, the name of an instance."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

# SQLite takes a constraint together with its column alone; made anew, a table would break what refers to it.
COLUMNS = (
    ("hosts", "domain VARCHAR(189)"),
    ("hosts", "route_port INTEGER CONSTRAINT ck_hosts_routes CHECK ((domain IS NULL) = (route_port IS NULL))"),
    ("instances", "route VARCHAR(63)"),
    ("instances", "domain VARCHAR(189) CONSTRAINT ck_instances_route CHECK ((route IS NULL) = (domain IS NULL))"),
)


def upgrade() -> None:
    """Nobody has a name yet."""
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    op.create_index("ix_instances_domain", "instances", ["domain", "route"], unique=True)

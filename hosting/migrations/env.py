"""What Alembic runs: the steps, on the connection that it is handed."""

from __future__ import annotations

from alembic import context

from hosting.model import Base
from hosting.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()

"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB


class Utc(TypeDecorator[datetime]):
    """A moment. Goes in with its zone or not at all, comes out in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC; SQLite keeps the digits alone."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"time: {value}, expected one with its zone; datetime.now(UTC) has it")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """With its zone again."""
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


def document() -> JSON:
    """A JSON document."""
    return JSON().with_variant(JSONB(), "postgresql")


def word_of(kind: type[StrEnum]) -> Enum:
    """A word of that enumeration, held by a CHECK constraint named like it."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=16,
        name=kind.__name__.lower(),
        values_callable=_values,
    )


def _values(kind: Any) -> list[str]:
    return [str(member.value) for member in kind]

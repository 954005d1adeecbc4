"""What all tables of the core share: the metadata with its names of constraints, keys, times."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, CursorResult, DateTime, Dialect, Integer, MetaData, TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Id = BigInteger().with_variant(Integer, "sqlite")
Fen = BigInteger


class Utc(TypeDecorator[datetime]):
    """Timezone-aware UTC; SQLite keeps no zone, so it is given back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "times must be timezone-aware"
            raise ValueError(message)
        return (
            value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value.astimezone(UTC)
        )

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Give UTC back."""
        if value is None:
            return None
        result: datetime = value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)
        return result


def inserted_id(result: CursorResult[Any]) -> int:
    """The primary key that an INSERT made."""
    key = result.inserted_primary_key
    if key is None:
        message = "the statement inserted no row"
        raise LookupError(message)
    return int(key[0])


def key() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)

"""Tables of the platform's own checks and of what desks reported. `metadata` is the project's for migrations."""

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from core.adapters.table_types import Utc, key
from core.adapters.table_types import metadata as core_metadata

metadata = MetaData(naming_convention=core_metadata.naming_convention)

# When a check is due next: claimed by moving `due` on, so that of many workers one carries it out.
probe_turn = Table(
    "probe_turn", metadata,
    Column("probe", String(80), primary_key=True),
    Column("title", String(120), nullable=False),
    Column("due", Utc, nullable=False),
)  # fmt: skip

# One state of one check for as long as it lasted: first and last time it was seen so. `alert` where it was a change.
probe_span = Table(
    "probe_span", metadata, key(),
    Column("probe", String(80), nullable=False),
    Column("status", String(10), nullable=False),
    Column("finding", String(60), nullable=False),
    Column("summary", Text, nullable=False),
    Column("remedy", Text, nullable=False, server_default=""),
    Column("began_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("alert", String(10), nullable=False, server_default=""),
    CheckConstraint("status in ('ok', 'warn', 'fail', 'skip', 'unknown')", name="status"),
    CheckConstraint("alert in ('', 'warn', 'fail', 'recovered')", name="alert"),
    Index(None, "probe", "id"),
    Index(None, "seen_at"),
)  # fmt: skip

# A redacted report of a desk, beside the conversation it belongs to. `origin`: the page or the agent brought it.
desk_report = Table(
    "desk_report", metadata, key(),
    Column("conversation_id", String(64), nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("origin", String(10), nullable=False),
    Column("at", Utc, nullable=False),
    Column("report", JSON, nullable=False),
    CheckConstraint("origin in ('page', 'agent')", name="origin"),
    Index(None, "conversation_id", "id"),
)  # fmt: skip

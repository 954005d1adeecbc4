"""Tables of the core. The invariants of the ledger are constraints here, not only rules in code."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from core.adapters.identity_tables import account, session, unit
from core.adapters.table_types import Fen, Id, Utc, inserted_id, key, metadata

__all__ = ["Id", "Utc", "account", "inserted_id", "metadata", "session", "unit"]

process_version = Table(
    "process_version", metadata,
    Column("version", String(12), primary_key=True),
    Column("body", Text, nullable=False),
)  # fmt: skip

counter = Table(
    "counter", metadata,
    Column("name", String(60), primary_key=True),
    Column("value", BigInteger, nullable=False),
)  # fmt: skip

document = Table(
    "document", metadata, key(),
    Column("number", String(40), nullable=False, unique=True),
    Column("region", String(20), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("variant", String(30), nullable=False),
    Column("process_version", ForeignKey("process_version.version"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("unit_id", ForeignKey("unit.id"), nullable=False),
    Column("author_id", ForeignKey("account.id"), nullable=False),
    Column("node", String(40), nullable=False),
    Column("trail", JSON, nullable=False),
    Column("cut", JSON, nullable=False),
    Column("flags", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("form", JSON, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("parent_id", ForeignKey("document.id")),
    Column("agency_id", ForeignKey("unit.id")),
    Column("supplier_id", ForeignKey("unit.id")),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    CheckConstraint("amount_fen >= 0", name="amount"),
    Index(None, "unit_id", "id"),
    Index(None, "parent_id"),
    Index(None, "author_id", "id"),
    Index(None, "amount_fen"),
)  # fmt: skip

# The form as it was before a change, kept beside the one that holds now.
form_version = Table(
    "form_version", metadata,
    Column("document_id", ForeignKey("document.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("form", JSON, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("at", Utc, nullable=False),
    Column("label", String(60), nullable=False),
)  # fmt: skip

# Who, outside the owner's unit, has had to do with a document and may see it from then on.
party = Table(
    "party", metadata,
    Column("document_id", ForeignKey("document.id"), primary_key=True),
    Column("unit_id", ForeignKey("unit.id"), primary_key=True),
    Index(None, "unit_id", "document_id"),
)  # fmt: skip

# Whose turn it is: whoever has the role in the unit (account_id 0), or one account alone.
task = Table(
    "task", metadata,
    Column("document_id", ForeignKey("document.id"), primary_key=True),
    Column("unit_id", ForeignKey("unit.id"), primary_key=True),
    Column("role", String(30), primary_key=True),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False, server_default="0"),
    Index(None, "unit_id", "role"),
    Index(None, "account_id"),
)  # fmt: skip

history = Table(
    "history", metadata,
    Column("document_id", ForeignKey("document.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("who", String(120), nullable=False),
    Column("action", String(40), nullable=False),
    Column("label", String(60), nullable=False),
    Column("source", String(40), nullable=False),
    Column("target", String(40), nullable=False),
    Column("opinion", Text, nullable=False, server_default=""),
    Index(None, "account_id", "document_id"),
)  # fmt: skip

indicator = Table(
    "indicator", metadata, key(),
    Column("unit_id", ForeignKey("unit.id"), nullable=False),
    Column("code", String(40), nullable=False),
    Column("name", String(100), nullable=False),
    Column("year", Integer, nullable=False),
    Column("total_fen", Fen, nullable=False),
    Column("frozen_fen", Fen, nullable=False, server_default="0"),
    Column("used_fen", Fen, nullable=False, server_default="0"),
    # The document whose own account this is (a plan that contracts are paid from); none for a budget's indicator.
    Column("document_id", ForeignKey("document.id"), unique=True),
    # When finance last said what the total is: what it said earlier and arrives later does not count any more.
    Column("stated_at", Utc),
    UniqueConstraint("unit_id", "year", "code"),
    CheckConstraint("total_fen >= 0", name="total"),
    CheckConstraint("frozen_fen >= 0", name="frozen"),
    CheckConstraint("used_fen >= 0", name="used"),
    CheckConstraint("frozen_fen + used_fen <= total_fen", name="within"),
)  # fmt: skip

hold = Table(
    "hold", metadata,
    Column("document_id", ForeignKey("document.id"), primary_key=True),
    Column("indicator_id", ForeignKey("indicator.id"), primary_key=True),
    Column("frozen_fen", Fen, nullable=False),
    Column("used_fen", Fen, nullable=False),
    CheckConstraint("frozen_fen >= 0", name="frozen"),
    CheckConstraint("used_fen >= 0", name="used"),
)  # fmt: skip

movement = Table(
    "movement", metadata, key(),
    Column("indicator_id", ForeignKey("indicator.id"), nullable=False),
    # A document's movement, else one of the budget itself: `source` says which file or message brought it.
    Column("document_id", ForeignKey("document.id")),
    Column("source", String(80)),
    Column("seq", Integer, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("at", Utc, nullable=False),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("(document_id is null) <> (source is null)", name="cause"),
    CheckConstraint("document_id is not null or kind in ('grant', 'revoke')", name="budget"),
    CheckConstraint("kind in ('freeze', 'release', 'use', 'reverse', 'grant', 'revoke')", name="kind"),
    UniqueConstraint("document_id", "seq", "indicator_id", "kind"),
    UniqueConstraint("indicator_id", "source"),
    Index(None, "indicator_id", "id"),
)  # fmt: skip

idempotency = Table(
    "idempotency", metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("result", JSON, nullable=False),
    Column("at", Utc, nullable=False),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    Column("region", String(20), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("account", String(40), nullable=False),
    Column("act", String(60), nullable=False),
    Column("subject", String(60), nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)  # fmt: skip

audit_head = Table(
    "audit_head", metadata,
    Column("region", String(20), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)  # fmt: skip

outbox = Table(
    "outbox", metadata, key(),
    Column("document_id", ForeignKey("document.id"), nullable=False),
    Column("topic", String(40), nullable=False),
    Column("body", JSON, nullable=False),
    Column("key", String(80), nullable=False, unique=True),
    Column("at", Utc, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due", Utc, nullable=False),
    Column("state", String(10), nullable=False, server_default="waiting"),
    Column("problem", Text, nullable=False, server_default=""),
    CheckConstraint("state in ('waiting', 'done', 'parked')", name="state"),
    Index(None, "state", "due"),
    Index(None, "document_id", "id"),
)  # fmt: skip

notice = Table(
    "notice", metadata, key(),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("number", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("seen", Boolean, nullable=False, server_default="0"),
    Index(None, "account_id", "seen"),
)  # fmt: skip

certificate = Table(
    "certificate", metadata, key(),
    Column("document_id", ForeignKey("document.id"), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("seal", String(120), nullable=False),
    Column("seal_serial", String(60), nullable=False),
    Column("signed_by", ForeignKey("account.id"), nullable=False),
    Column("signed_at", Utc, nullable=False),
    Index(None, "document_id", "id"),
)  # fmt: skip

repair = Table(
    "repair", metadata, key(),
    Column("document_id", ForeignKey("document.id"), nullable=False),
    Column("number", String(40), nullable=False),
    Column("goal", String(40), nullable=False),
    Column("asked_by", ForeignKey("account.id"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("steps", JSON, nullable=False),
    Column("position", Integer, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("why_stopped", Text, nullable=False, server_default=""),
    Column("at", Utc, nullable=False),
    Column("asked", JSON),
    CheckConstraint("state in ('running', 'done', 'stopped')", name="state"),
    Index(None, "document_id", "state"),
)  # fmt: skip

# Whose turn it is in a running repair, for "what waits for me".
repair_waiting = Table(
    "repair_waiting", metadata,
    Column("repair_id", ForeignKey("repair.id"), primary_key=True),
    Column("unit_id", ForeignKey("unit.id"), primary_key=True),
    Column("role", String(30), primary_key=True),
    Index(None, "unit_id", "role"),
)  # fmt: skip

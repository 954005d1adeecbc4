"""Tables of time limits, of what was told because of them, and of copies to read."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from core.adapters.table_types import Id, Utc, key, metadata

# One row for each document that waits for somebody; `visit` is the document's version when it came to where it is.
deadline = Table(
    "deadline", metadata,
    Column("document_id", ForeignKey("document.id"), primary_key=True),
    Column("visit", Integer, nullable=False),
    Column("since", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("days", Integer),
    Column("guessed", Boolean, nullable=False, server_default="0"),
    Column("step", Integer, nullable=False, server_default="0"),
    Column("next_at", Utc),
    Column("reminded", Integer, nullable=False, server_default="0"),
    Index(None, "next_at"),
)  # fmt: skip
# the most urgent first, of those the newest
Index("ix_deadline_due_at_document_id", deadline.c.due_at, deadline.c.document_id.desc())

# What was told about a document without moving it: each slot of a visit once.
nudge = Table(
    "nudge", metadata, key(),
    Column("document_id", ForeignKey("document.id"), nullable=False),
    Column("visit", Integer, nullable=False),
    Column("slot", String(20), nullable=False),
    Column("account_id", Id, ForeignKey("account.id")),
    Column("who", String(120), nullable=False),
    Column("node", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("document_id", "visit", "slot"),
)  # fmt: skip

# A document given to an account to read, and only to read.
document_copy = Table(
    "document_copy", metadata, key(),
    Column("document_id", ForeignKey("document.id"), nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("sender_id", Id, ForeignKey("account.id")),
    Column("who", String(120), nullable=False),
    Column("node", String(40), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("read_at", Utc),
    Column("reader", String(120), nullable=False, server_default=""),
    UniqueConstraint("document_id", "account_id"),
    Index(None, "account_id", "document_id"),
)  # fmt: skip

"""Tables of files that forms name and of lists that accounts keep for themselves."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String, Table, UniqueConstraint

from core.adapters.table_types import Id, Utc, key, metadata

# One row for each upload (no document yet) and one for each document that names the file; the bytes are blobs.
attachment = Table(
    "attachment", metadata, key(),
    Column("sha256", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("type", String(100), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("unit_id", ForeignKey("unit.id"), nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("document_id", Id, ForeignKey("document.id")),
    UniqueConstraint("document_id", "sha256"),
    Index(None, "sha256", "unit_id"),
)  # fmt: skip

saved_view = Table(
    "saved_view", metadata, key(),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("name", String(40), nullable=False),
    Column("query", JSON, nullable=False),
    UniqueConstraint("account_id", "name"),
)  # fmt: skip

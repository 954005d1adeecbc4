"""What was handed over, asked, added or voted while a document stays at a node."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, String, Table, Text

from core.adapters.table_types import Utc, key, metadata

# The seat is the task it is about: a role in a unit, or (seat_account other than 0) one account there. Rows are live
# until the document leaves the node.
assignment = Table(
    "assignment", metadata, key(),
    Column("document_id", ForeignKey("document.id"), nullable=False),
    Column("node", String(40), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("seat_unit", ForeignKey("unit.id"), nullable=False),
    Column("seat_role", String(30), nullable=False),
    Column("seat_account", BigInteger, nullable=False, server_default="0"),
    Column("by_id", ForeignKey("account.id"), nullable=False),
    Column("to_id", ForeignKey("account.id"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("agrees", Boolean),
    Column("action", String(40), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("at", Utc, nullable=False),
    Column("live", Boolean, nullable=False, server_default="1"),
    CheckConstraint("kind in ('hand', 'opinion', 'before', 'after', 'vote')", name="kind"),
    CheckConstraint("state in ('open', 'done', 'cancelled')", name="state"),
    Index(None, "document_id", "live"),
)  # fmt: skip

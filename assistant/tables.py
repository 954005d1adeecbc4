"""Tables of the conversations. Accounts are named by id only: the core owns them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from core.adapters.tables import Utc
from core.adapters.tables import metadata as core_metadata

Id = BigInteger().with_variant(Integer, "sqlite")
metadata = MetaData(naming_convention=core_metadata.naming_convention)

# `peer` stands for somebody without an account (a keyed hash of a WeChat user).
conversation = Table(
    "conversation", metadata,
    Column("id", String(64), primary_key=True),
    Column("account_id", BigInteger),
    Column("peer", String(64)),
    Column("region", String(20), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("state", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Index(None, "account_id", "updated_at"),
    Index(None, "peer"),
)  # fmt: skip

# Of an answer: the `topic` it gave, or what it lacked (`unknown`: not known, `declined`: not ours to answer).
message = Table(
    "message", metadata,
    Column("conversation_id", ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("role", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("body", JSON),
    Column("at", Utc, nullable=False),
    Column("topic", String(40), nullable=False, server_default=""),
    Column("lack", String(10), nullable=False, server_default=""),
    Index(None, "at"),
    CheckConstraint("role in ('user', 'assistant', 'staff')", name="role"),
)  # fmt: skip

# A key that comes again gets the replies it got before, and nothing is done.
turn_key = Table(
    "turn_key", metadata,
    Column("owner", String(80), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("conversation_id", ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    Column("replies", JSON, nullable=False),
    Column("at", Utc, nullable=False),
    Index(None, "conversation_id"),
)  # fmt: skip

ticket = Table(
    "ticket", metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("number", String(30), nullable=False, unique=True),
    Column("conversation_id", String(64), nullable=False),
    Column("account_id", BigInteger),
    Column("region", String(20), nullable=False),
    Column("topic", String(40), nullable=False, server_default=""),
    Column("question", Text, nullable=False, server_default=""),
    Column("document_number", String(40), nullable=False, server_default=""),
    Column("document_state", String(100), nullable=False, server_default=""),
    Column("transcript", JSON, nullable=False),
    Column("state", String(10), nullable=False, server_default="open"),
    Column("note", Text, nullable=False, server_default=""),
    Column("taken_by", BigInteger),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    CheckConstraint("state in ('open', 'taken', 'closed')", name="state"),
    Index(None, "region", "state", "id"),
)  # fmt: skip

# What the asker thought of an answer; thinking again replaces it.
feedback = Table(
    "feedback", metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("good", Boolean, nullable=False),
    Column("reason", String(200), nullable=False, server_default=""),
    Column("at", Utc, nullable=False),
    ForeignKeyConstraint(
        ["conversation_id", "seq"], ["message.conversation_id", "message.seq"], ondelete="CASCADE"
    ),
    Index(None, "good", "at"),
)  # fmt: skip

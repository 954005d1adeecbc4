"""Tables of the knowledge store. `metadata` is the project's for migrations; names of constraints as in the core."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from core.adapters.table_types import Utc, key
from core.adapters.table_types import metadata as core_metadata

metadata = MetaData(naming_convention=core_metadata.naming_convention)

# One version of one entry. `origin` is content (a YAML file said so) or human (somebody edited it).
entry_revision = Table(
    "kb_entry_revision", metadata, key(),
    Column("region", String(20), nullable=False),
    Column("topic", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("origin", String(10), nullable=False),
    Column("body", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("effective_from", Date),
    Column("effective_until", Date),
    Column("author", String(40), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("reviewer", String(40)),
    Column("reviewed_at", Utc),
    Column("publisher", String(40)),
    Column("published_at", Utc),
    UniqueConstraint("region", "topic", "seq"),
    CheckConstraint("state in ('draft', 'reviewed', 'published')", name="state"),
    CheckConstraint("origin in ('content', 'human')", name="origin"),
    CheckConstraint("effective_from <= effective_until", name="effective"),
    CheckConstraint("state = 'draft' or reviewer is not null", name="reviewed"),
    CheckConstraint("state <> 'published' or publisher is not null", name="published"),
)  # fmt: skip

# What the assistant says from one number on; the highest number holds. Nothing here is ever changed.
publication = Table(
    "kb_publication", metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("by", String(40), nullable=False),
    Column("note", Text, nullable=False, server_default=""),
)  # fmt: skip

# Several revisions of a topic where a later one is not in force yet.
publication_entry = Table(
    "kb_publication_entry", metadata,
    Column("number", ForeignKey("kb_publication.number"), primary_key=True),
    Column("revision_id", ForeignKey("kb_entry_revision.id"), primary_key=True),
    Index(None, "revision_id"),
)  # fmt: skip

# What an edit does to the answers, by whoever asked first; the key names the publication, the edits and the questions.
replay = Table(
    "kb_replay", metadata,
    Column("key", String(64), primary_key=True),
    Column("started_at", Utc, nullable=False),
    Column("done_at", Utc),
    Column("asked", Integer),
    Column("turned", JSON),
)  # fmt: skip

# Questions of users that the keepers of the knowledge want no entry for; `key` is the question as compared.
set_aside = Table(
    "kb_set_aside", metadata,
    Column("region", String(20), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("by", String(40), nullable=False),
    Column("at", Utc, nullable=False),
)  # fmt: skip

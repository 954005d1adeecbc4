"""Tables of the experts: the directory, recorded draws, and who was drawn for which document."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from core.adapters.table_types import Utc, key, metadata

expert = Table(
    "expert", metadata, key(),
    Column("region", String(20), nullable=False),
    Column("code", String(20), nullable=False),
    Column("name", String(40), nullable=False),
    Column("id_number", String(18), nullable=False),
    Column("phone", String(20), nullable=False),
    Column("unit_name", String(100), nullable=False),
    Column("categories", JSON, nullable=False),
    Column("area", String(60), nullable=False),
    Column("active", Boolean, nullable=False, server_default="1"),
    UniqueConstraint("region", "code"),
    UniqueConstraint("region", "id_number"),
)  # fmt: skip

# A draw can be repeated from what stands here, whatever has become of the directory since.
expert_draw = Table(
    "expert_draw", metadata, key(),
    Column("document_id", ForeignKey("document.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("pools", JSON, nullable=False),
    Column("places", JSON, nullable=False),
    Column("drawn", JSON, nullable=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("document_id", "seq"),
)  # fmt: skip

expert_seat = Table(
    "expert_seat", metadata,
    Column("document_id", ForeignKey("document.id"), primary_key=True),
    Column("expert_id", ForeignKey("expert.id"), primary_key=True),
    Column("draw_id", ForeignKey("expert_draw.id"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("state", String(10), nullable=False, server_default="waiting"),
    Column("answered_at", Utc),
    CheckConstraint("state in ('waiting', 'accepted', 'declined', 'released')", name="state"),
    Index(None, "expert_id"),
)  # fmt: skip

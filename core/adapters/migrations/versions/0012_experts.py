"""Experts: the directory, recorded draws, and who was drawn for which request."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "expert",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("id_number", sa.String(length=18), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("unit_name", sa.String(length=100), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("area", sa.String(length=60), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expert")),
        sa.UniqueConstraint("region", "code", name=op.f("uq_expert_region_code")),
        sa.UniqueConstraint("region", "id_number", name=op.f("uq_expert_region_id_number")),
    )
    op.create_table(
        "expert_draw",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("pools", sa.JSON(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_expert_draw_document_id_document")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expert_draw")),
        sa.UniqueConstraint("document_id", "seq", name=op.f("uq_expert_draw_document_id_seq")),
    )
    op.create_table(
        "expert_seat",
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("expert_id", _ID, nullable=False),
        sa.Column("draw_id", _ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="waiting", nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'accepted', 'declined', 'released')", name=op.f("ck_expert_seat_state")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_expert_seat_document_id_document")
        ),
        sa.ForeignKeyConstraint(
            ["draw_id"], ["expert_draw.id"], name=op.f("fk_expert_seat_draw_id_expert_draw")
        ),
        sa.ForeignKeyConstraint(["expert_id"], ["expert.id"], name=op.f("fk_expert_seat_expert_id_expert")),
        sa.PrimaryKeyConstraint("document_id", "expert_id", name=op.f("pk_expert_seat")),
    )
    op.create_index(op.f("ix_expert_seat_expert_id"), "expert_seat", ["expert_id"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index(op.f("ix_expert_seat_expert_id"), table_name="expert_seat")
    op.drop_table("expert_seat")
    op.drop_table("expert_draw")
    op.drop_table("expert")

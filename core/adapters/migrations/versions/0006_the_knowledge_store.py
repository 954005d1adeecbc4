"""The knowledge store."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kb_entry_revision",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("effective_until", sa.Date(), nullable=True),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewer", sa.String(length=40), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publisher", sa.String(length=40), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("origin in ('content', 'human')", name=op.f("ck_kb_entry_revision_origin")),
        sa.CheckConstraint(
            "state <> 'published' or publisher is not null", name=op.f("ck_kb_entry_revision_published")
        ),
        sa.CheckConstraint(
            "state = 'draft' or reviewer is not null", name=op.f("ck_kb_entry_revision_reviewed")
        ),
        sa.CheckConstraint(
            "state in ('draft', 'reviewed', 'published')", name=op.f("ck_kb_entry_revision_state")
        ),
        sa.CheckConstraint("effective_from <= effective_until", name=op.f("ck_kb_entry_revision_effective")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_entry_revision")),
        sa.UniqueConstraint("region", "topic", "seq", name=op.f("uq_kb_entry_revision_region_topic_seq")),
    )
    op.create_table(
        "kb_publication",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_kb_publication")),
    )
    op.create_table(
        "kb_publication_entry",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["kb_publication.number"], name=op.f("fk_kb_publication_entry_number")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["kb_entry_revision.id"], name=op.f("fk_kb_publication_entry_revision_id")
        ),
        sa.PrimaryKeyConstraint("number", "revision_id", name=op.f("pk_kb_publication_entry")),
    )
    op.create_index(
        op.f("ix_kb_publication_entry_revision_id"), "kb_publication_entry", ["revision_id"], unique=False
    )

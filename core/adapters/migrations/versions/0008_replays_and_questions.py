"""What an edit of the knowledge does to the answers, and questions that no entry is wanted for."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kb_replay",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=True),
        sa.Column("turned", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_kb_replay")),
    )
    op.create_table(
        "kb_set_aside",
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("region", "key", name=op.f("pk_kb_set_aside")),
    )

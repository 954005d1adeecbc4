"""Who has taken a ticket, what answers were about or lacked, and what askers thought of them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("taken_by", sa.BigInteger(), nullable=True))
    op.add_column("message", sa.Column("topic", sa.String(length=40), server_default="", nullable=False))
    op.add_column("message", sa.Column("lack", sa.String(length=10), server_default="", nullable=False))
    op.create_index(op.f("ix_message_at"), "message", ["at"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id", "seq"],
            ["message.conversation_id", "message.seq"],
            name=op.f("fk_feedback_conversation_id_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", "seq", name=op.f("pk_feedback")),
    )
    op.create_index(op.f("ix_feedback_good_at"), "feedback", ["good", "at"], unique=False)

"""The most urgent of very many documents are read in their order instead of sorted each time."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ORDERED = "ix_deadline_due_at_document_id"


def upgrade() -> None:
    """The index in place of the one on the date alone, which it contains."""
    op.create_index(_ORDERED, "deadline", ["due_at", sa.text("document_id DESC")])
    op.drop_index(op.f("ix_deadline_due_at"), table_name="deadline")


def downgrade() -> None:
    """The other way round."""
    op.create_index(op.f("ix_deadline_due_at"), "deadline", ["due_at"])
    op.drop_index(_ORDERED, table_name="deadline")

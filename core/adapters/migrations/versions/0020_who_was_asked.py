"""A running repair knows the accounts it has asked for its next step, to tell them where it is void."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of repairs that run already it is not known: their steps go on, only nobody hears should they stop."""
    op.add_column("repair", sa.Column("asked", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Without."""
    with op.batch_alter_table("repair") as table:
        table.drop_column("asked")

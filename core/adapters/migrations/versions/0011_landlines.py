"""Units have a landline (sx-agency-phone)."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it, empty."""
    op.add_column("unit", sa.Column("landline", sa.String(length=30), server_default="", nullable=False))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("unit", "landline")

"""Published notices get a place in the public feed, in the order of their commits."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the place; what is there already keeps the order it was added in."""
    op.add_column("publication", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE publication SET seq = (SELECT count(*) FROM publication AS other WHERE other.id <= publication.id)"
    )
    op.execute("INSERT INTO counter (name, value) SELECT 'feed', count(*) FROM publication")
    with op.batch_alter_table("publication") as batch:
        batch.create_unique_constraint(op.f("uq_publication_seq"), ["seq"])


def downgrade() -> None:
    """Take it away."""
    with op.batch_alter_table("publication") as batch:
        batch.drop_constraint(op.f("uq_publication_seq"), type_="unique")
        batch.drop_column("seq")
    op.execute("DELETE FROM counter WHERE name = 'feed'")

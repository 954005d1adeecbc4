"""Published notices: kept as they were, under an address of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "publication",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("address", sa.String(length=60), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("kind_label", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("unit_name", sa.String(length=100), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_publication_document_id_document")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("address", name=op.f("uq_publication_address")),
    )
    op.create_index(op.f("ix_publication_document_id"), "publication", ["document_id"])
    op.create_index(op.f("ix_publication_region_id"), "publication", ["region", "id"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index(op.f("ix_publication_region_id"), table_name="publication")
    op.drop_index(op.f("ix_publication_document_id"), table_name="publication")
    op.drop_table("publication")

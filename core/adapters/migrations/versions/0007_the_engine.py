"""Returns remember what they cut off, forms keep their versions, a document may have an account of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _movements_may_be(kinds: str) -> None:
    """SQLite builds the table anew for another check, and its triggers have to be made again."""
    with op.batch_alter_table("movement") as batch:
        batch.drop_constraint(op.f("ck_movement_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_movement_kind"), f"kind in ({kinds})")
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER movement_no_{verb.lower()} BEFORE {verb} ON movement "
                "BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END"
            )


def upgrade() -> None:
    """Add what the engine needs."""
    op.add_column("document", sa.Column("cut", sa.JSON(), nullable=True))
    op.execute("UPDATE document SET cut = '[]'")
    with op.batch_alter_table("document") as batch:
        batch.alter_column("cut", existing_type=sa.JSON(), nullable=False)
    op.create_table(
        "form_version",
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name="fk_form_version_document_id_document"
        ),
        sa.PrimaryKeyConstraint("document_id", "seq", name="pk_form_version"),
    )
    with op.batch_alter_table("indicator") as batch:
        batch.add_column(
            sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch.create_foreign_key("fk_indicator_document_id_document", "document", ["document_id"], ["id"])
        batch.create_unique_constraint("uq_indicator_document_id", ["document_id"])
    _movements_may_be("'freeze', 'release', 'use', 'reverse', 'grant', 'revoke'")


def downgrade() -> None:
    """Take it away."""
    _movements_may_be("'freeze', 'release', 'use', 'reverse'")
    with op.batch_alter_table("indicator") as batch:
        batch.drop_constraint("uq_indicator_document_id", type_="unique")
        batch.drop_constraint("fk_indicator_document_id_document", type_="foreignkey")
        batch.drop_column("document_id")
    op.drop_table("form_version")
    op.drop_column("document", "cut")

"""What changes a budget's total is a movement too: an import, a push, and what was there before as its opening."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _append_only() -> None:
    """SQLite built the table anew, so its triggers have to be made again."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER movement_no_{verb.lower()} BEFORE {verb} ON movement "
                "BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END"
            )


def upgrade() -> None:
    """Movements without a document, and an opening for each budget."""
    op.add_column("indicator", sa.Column("stated_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("movement") as batch:
        batch.add_column(sa.Column("source", sa.String(length=80), nullable=True))
        batch.alter_column("document_id", existing_type=_ID, nullable=True)
        batch.create_unique_constraint(op.f("uq_movement_indicator_id_source"), ["indicator_id", "source"])
        batch.create_check_constraint(op.f("ck_movement_cause"), "(document_id is null) <> (source is null)")
        batch.create_check_constraint(
            op.f("ck_movement_budget"), "document_id is not null or kind in ('grant', 'revoke')"
        )
    now = datetime.now(UTC)
    at = now.replace(tzinfo=None) if op.get_bind().dialect.name == "sqlite" else now
    opening = sa.text(
        "INSERT INTO movement (indicator_id, source, seq, kind, amount_fen, at) "
        "SELECT id, 'opening', 0, 'grant', total_fen, :at FROM indicator WHERE document_id IS NULL AND total_fen > 0"
    ).bindparams(sa.bindparam("at", at, sa.DateTime(timezone=True)))
    op.execute(opening)
    _append_only()


def downgrade() -> None:
    """Refused by the triggers where there are movements of budgets: what was written is not deleted."""
    with op.batch_alter_table("movement") as batch:
        batch.drop_constraint(op.f("ck_movement_budget"), type_="check")
        batch.drop_constraint(op.f("ck_movement_cause"), type_="check")
        batch.drop_constraint(op.f("uq_movement_indicator_id_source"), type_="unique")
        batch.alter_column("document_id", existing_type=_ID, nullable=False)
        batch.drop_column("source")
    _append_only()
    op.drop_column("indicator", "stated_at")

"""Tasks may be one account's alone; what is handed over, asked, added or voted while a document stays at a node."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _tasks(*, personal: bool) -> None:
    """The table anew with another primary key, which SQLite cannot change; no row is lost."""
    op.execute("CREATE TABLE task_kept AS SELECT * FROM task")
    op.drop_index(op.f("ix_task_unit_id_role"), table_name="task")
    op.drop_table("task")
    columns: list[sa.schema.SchemaItem] = [
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("unit_id", _ID, nullable=False),
        sa.Column("role", sa.String(length=30), nullable=False),
    ]
    key = ["document_id", "unit_id", "role"]
    if personal:
        columns.append(sa.Column("account_id", sa.BigInteger(), server_default="0", nullable=False))
        key.append("account_id")
    op.create_table(
        "task",
        *columns,
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_task_document_id_document")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_task_unit_id_unit")),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_unit_id_role"), "task", ["unit_id", "role"])
    op.execute(
        "INSERT INTO task (document_id, unit_id, role) SELECT DISTINCT document_id, unit_id, role FROM task_kept"
    )
    op.drop_table("task_kept")


def upgrade() -> None:
    """Add both."""
    _tasks(personal=True)
    op.create_index(op.f("ix_task_account_id"), "task", ["account_id"])
    op.create_table(
        "assignment",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("seat_unit", _ID, nullable=False),
        sa.Column("seat_role", sa.String(length=30), nullable=False),
        sa.Column("seat_account", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("by_id", _ID, nullable=False),
        sa.Column("to_id", _ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("agrees", sa.Boolean(), nullable=True),
        sa.Column("action", sa.String(length=40), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("live", sa.Boolean(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "kind in ('hand', 'opinion', 'before', 'after', 'vote')", name=op.f("ck_assignment_kind")
        ),
        sa.CheckConstraint("state in ('open', 'done', 'cancelled')", name=op.f("ck_assignment_state")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_assignment_document_id_document")
        ),
        sa.ForeignKeyConstraint(["seat_unit"], ["unit.id"], name=op.f("fk_assignment_seat_unit_unit")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_assignment_by_id_account")),
        sa.ForeignKeyConstraint(["to_id"], ["account.id"], name=op.f("fk_assignment_to_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index(op.f("ix_assignment_document_id_live"), "assignment", ["document_id", "live"])


def downgrade() -> None:
    """Take both away; tasks of single accounts become those of whoever has the role."""
    op.drop_index(op.f("ix_assignment_document_id_live"), table_name="assignment")
    op.drop_table("assignment")
    op.drop_index(op.f("ix_task_account_id"), table_name="task")
    _tasks(personal=False)

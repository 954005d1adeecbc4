"""Time limits of documents that wait for somebody, what is told because of them, and copies to read.

Documents that wait already get the limit that held for all: five working days, Monday to Friday.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HERE = ZoneInfo("Asia/Shanghai")
_DAYS, _WORKDAYS, _BATCH = 5, 5, 5000


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "deadline",
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("guessed", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_deadline_document_id_document")
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_deadline")),
    )
    op.create_table(
        "nudge",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("slot", sa.String(length=20), nullable=False),
        sa.Column("account_id", _ID, nullable=True),
        sa.Column("who", sa.String(length=120), nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_nudge_account_id_account")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_nudge_document_id_document")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nudge")),
        sa.UniqueConstraint("document_id", "visit", "slot", name=op.f("uq_nudge_document_id_visit_slot")),
    )
    op.create_table(
        "document_copy",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("sender_id", _ID, nullable=True),
        sa.Column("who", sa.String(length=120), nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reader", sa.String(length=120), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_document_copy_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_copy_document_id_document")
        ),
        sa.ForeignKeyConstraint(
            ["sender_id"], ["account.id"], name=op.f("fk_document_copy_sender_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_copy")),
        sa.UniqueConstraint(
            "document_id", "account_id", name=op.f("uq_document_copy_document_id_account_id")
        ),
    )
    op.create_index(op.f("ix_deadline_due_at"), "deadline", ["due_at"])
    op.create_index(op.f("ix_deadline_next_at"), "deadline", ["next_at"])
    op.create_index(
        op.f("ix_document_copy_account_id_document_id"), "document_copy", ["account_id", "document_id"]
    )
    _limits_of_what_waits()


def _limits_of_what_waits() -> None:
    history, task, deadline = (_table(name) for name in ("history", "task", "deadline"))
    came = (history.c.source != history.c.target) | (history.c.action == "create")
    waiting = (
        sa.select(history.c.document_id, sa.func.max(history.c.seq), sa.func.max(history.c.at))
        .where(came, history.c.document_id.in_(sa.select(task.c.document_id)))
        .group_by(history.c.document_id)
    )
    connection = op.get_bind()
    rows = [
        {"document_id": number, "visit": visit, "since": since, "due_at": _due(since)}
        for number, visit, since in connection.execute(waiting)
    ]
    for at in range(0, len(rows), _BATCH):
        connection.execute(sa.insert(deadline), rows[at : at + _BATCH])


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind(), resolve_fks=False)


def _due(since: datetime) -> datetime:
    kept_in_utc = since.tzinfo is None  # SQLite keeps no zone
    day = (since.replace(tzinfo=UTC) if kept_in_utc else since).astimezone(_HERE).date()
    left = _DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _WORKDAYS
    due = datetime.combine(day + timedelta(days=1), time.min, _HERE).astimezone(UTC)
    return due.replace(tzinfo=None) if kept_in_utc else due


def downgrade() -> None:
    """Take them away."""
    op.drop_table("document_copy")
    op.drop_table("nudge")
    op.drop_table("deadline")

"""The platform's own checks, and reports of desks beside their conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "probe_turn",
        sa.Column("probe", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("probe", name=op.f("pk_probe_turn")),
    )
    op.create_table(
        "probe_span",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("probe", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("finding", sa.String(length=60), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), server_default="", nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("alert", sa.String(length=10), server_default="", nullable=False),
        sa.CheckConstraint("alert in ('', 'warn', 'fail', 'recovered')", name=op.f("ck_probe_span_alert")),
        sa.CheckConstraint(
            "status in ('ok', 'warn', 'fail', 'skip', 'unknown')", name=op.f("ck_probe_span_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probe_span")),
    )
    op.create_index(op.f("ix_probe_span_probe_id"), "probe_span", ["probe", "id"], unique=False)
    op.create_index(op.f("ix_probe_span_seen_at"), "probe_span", ["seen_at"], unique=False)
    op.create_table(
        "desk_report",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.CheckConstraint("origin in ('page', 'agent')", name=op.f("ck_desk_report_origin")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_report")),
    )
    op.create_index(
        op.f("ix_desk_report_conversation_id_id"), "desk_report", ["conversation_id", "id"], unique=False
    )

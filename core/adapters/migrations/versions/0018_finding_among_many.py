"""Documents are found by amount, and in PostgreSQL by any two characters of their number or title, through an index.

Two, because most Chinese words are; trigrams of PostgreSQL know no such words, and in the C locale no Chinese at all.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_PAIRS = """
CREATE FUNCTION caigou_pairs(said text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(said, place, 2)), '{}') FROM generate_series(1, length(said) - 1) AS place
$$
"""
_WORDS = "CREATE INDEX ix_document_words ON document USING gin (caigou_pairs(number || ' ' || title))"


def upgrade() -> None:
    """Add both."""
    op.create_index(op.f("ix_document_amount_fen"), "document", ["amount_fen"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_PAIRS)
        op.execute(_WORDS)


def downgrade() -> None:
    """Take both away."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_document_words")
        op.execute("DROP FUNCTION caigou_pairs(text)")
    op.drop_index(op.f("ix_document_amount_fen"), table_name="document")

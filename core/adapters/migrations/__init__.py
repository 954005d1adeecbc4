"""Alembic migrations of the whole product, for SQLite and PostgreSQL."""

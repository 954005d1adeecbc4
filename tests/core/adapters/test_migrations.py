"""Migrations from nothing to now, on both databases, and the triggers that hold what was written."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import assistant.tables
import diagnostics.tables
import kb.tables
import web.wechat.tables
from core.adapters import tables
from core.adapters.database import SqlDatabase, make_engine
from core.bootstrap import build_system, migrate
from core.domain.errors import UnavailableError
from core.settings import Settings
from tests.core.world import World

ALL = [
    tables.metadata,
    web.wechat.tables.metadata,
    assistant.tables.metadata,
    kb.tables.metadata,
    diagnostics.tables.metadata,
]
APPEND_ONLY = ("history", "movement", "audit")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(var=tmp_path, database_url=database_url)


def test_from_nothing_they_lead_to_the_tables_in_the_code(settings: Settings) -> None:
    migrate(settings)
    engine = make_engine(settings.database_url)
    # SQLite gives defaults back in another spelling
    options = {
        "compare_type": True,
        "compare_server_default": engine.dialect.name != "sqlite",
        "include_name": lambda name, kind, _parents: (
            (kind, name) != ("index", "ix_document_words")
        ),  # PostgreSQL's alone
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, ALL) == []
    engine.dispose()


def test_checks_are_the_same_too(settings: Settings) -> None:
    """Autogenerate does not look at CHECK constraints, and the ledger rests on them."""
    migrate(settings)
    engine = make_engine(settings.database_url)
    inspector = sa.inspect(engine)
    for metadata in ALL:
        for table in metadata.sorted_tables:
            wanted = {c.name for c in table.constraints if isinstance(c, sa.CheckConstraint) and c.name}
            assert {c["name"] for c in inspector.get_check_constraints(table.name)} == wanted, table.name
    engine.dispose()


def test_twice_is_once(settings: Settings) -> None:
    migrate(settings)
    migrate(settings)
    build_system(settings).database.engine.dispose()  # type: ignore[attr-defined]


def test_a_database_that_was_never_migrated_says_so(settings: Settings) -> None:
    engine = make_engine(settings.database_url)
    with pytest.raises(UnavailableError) as caught:
        build_system(settings, engine=engine)
    engine.dispose()
    assert caught.value.code == "not_migrated"
    assert "python -m core migrate" in caught.value.message


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_was_written_is_never_changed_or_deleted(each_world: World, table: str) -> None:
    before = each_world.everything()
    assert before[table]
    written = tables.metadata.tables[table]
    column = written.c[0]
    changes = (sa.update(written).values({column: column}), sa.delete(written))
    for change in changes:
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), each_world.engine.begin() as connection:
            connection.execute(change)
    assert each_world.everything() == before


@pytest.mark.postgres
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_nor_emptied_at_once(postgres_world: World, table: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), postgres_world.engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {table}")


@pytest.mark.parametrize(
    ("column", "value"),
    [("frozen_fen", -1), ("used_fen", -1), ("frozen_fen", 10**15), ("used_fen", 10**15), ("total_fen", -1)],
)
def test_the_database_itself_refuses_a_balance_that_cannot_be(
    each_world: World, column: str, value: int
) -> None:
    with pytest.raises(sa.exc.IntegrityError), each_world.engine.begin() as connection:
        connection.execute(
            sa.update(tables.indicator).where(tables.indicator.c.id == 1).values({column: value})
        )


def test_what_is_read_together_belongs_together(each_world: World) -> None:
    """A report that takes several looks sees one state, whatever is written meanwhile."""
    database = SqlDatabase(each_world.engine)
    with database.read() as tx:
        first = tx.records.broken_audit()
        rows = tx.connection.execute(sa.select(sa.func.count()).select_from(tables.audit)).scalar_one()
        each_world.plan()
        again = tx.connection.execute(sa.select(sa.func.count()).select_from(tables.audit)).scalar_one()
        assert (rows, first, tx.records.broken_audit()) == (again, [], [])

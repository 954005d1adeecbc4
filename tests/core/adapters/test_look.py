"""What is read within a look is of one moment, until its thread writes; nothing stays open behind it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from core.adapters.database import SqlDatabase
from core.domain.accounts import Account, Role
from core.domain.errors import UnavailableError
from tests.support import small_world

AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


class _Told:
    """Notices of one account, as a sign of what is seen."""

    def __init__(self, database: SqlDatabase, who: Account) -> None:
        self.database, self.who = database, who

    def tell(self, said: str) -> None:
        with self.database.write() as tx:
            tx.records.notify([self.who.id], "", said, AT)

    def elsewhere(self, said: str) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self.tell, said).result()

    def seen(self) -> list[str]:
        with self.database.read() as tx:
            return [notice.text for notice in tx.records.notices(self.who.id)]

    @property
    def open_connections(self) -> int:
        return self.database.engine.pool.checkedout()  # type: ignore[attr-defined]  # of a QueuePool


@pytest.fixture
def told(small_url: str, tmp_path: Path) -> Iterator[_Told]:
    world = small_world.build(small_url, tmp_path)
    database = world.system.database
    assert isinstance(database, SqlDatabase)
    yield _Told(database, world.crew[Role.HANDLER])
    database.engine.dispose()


def test_a_look_is_of_one_moment_until_the_thread_writes(told: _Told) -> None:
    with told.database.look():
        before = told.seen()
        told.elsewhere("一")
        assert told.seen() == before, "somebody else's writing does not move what is looked at"
        assert told.open_connections == 1
        told.tell("二")
        assert told.seen() == [*before, "一", "二"], "what was written here is seen here"
        told.elsewhere("三")
        assert told.seen()[-1] == "三", "after a write every read is of its own moment"
    assert told.open_connections == 0


def test_writing_while_something_is_being_read_leaves_the_reader_its_moment(told: _Told) -> None:
    with told.database.look():
        with told.database.read() as tx:
            before = [notice.text for notice in tx.records.notices(told.who.id)]
            told.tell("一")
            assert [notice.text for notice in tx.records.notices(told.who.id)] == before
            assert told.seen() == [*before, "一"]
        assert told.open_connections == 0
        assert told.seen() == [*before, "一"]
    assert told.open_connections == 0


def test_a_look_in_a_look_ends_with_the_outer_one(told: _Told) -> None:
    with told.database.look():
        before = told.seen()
        with told.database.look():
            told.elsewhere("一")
        assert told.seen() == before
    assert told.seen() == [*before, "一"]


def test_reading_goes_on_after_a_statement_that_failed(told: _Told) -> None:
    with told.database.look():
        before = told.seen()
        with (
            pytest.raises((OperationalError, ProgrammingError, UnavailableError)),
            told.database.read() as tx,
        ):
            tx.connection.execute(text("SELECT nothing_of_that_name FROM notice"))
        assert told.seen() == before
    assert told.open_connections == 0

"""Prepared statements give what SQLAlchemy gives: values, errors, the transaction; and listeners still see them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, bindparam, delete, event, insert, select, update
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError, ProgrammingError

from core.adapters.database import make_engine
from core.adapters.prepared import Prepared
from core.adapters.tables import idempotency, metadata
from tests.support import small_world

AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
ROW = {"account_id": 1, "key": "k'1%s:x", "digest": "d" * 64, "result": {"说": ["了", None, 1]}, "at": AT}
ADD = Prepared(insert(idempotency))
FIND = Prepared(
    select(idempotency).where(idempotency.c.key == bindparam("sought"), idempotency.c.account_id > 0)
)
COUNT_UP = Prepared(
    update(idempotency)
    .where(idempotency.c.key == bindparam("sought"))
    .values(account_id=idempotency.c.account_id + bindparam("more"))
)
DROP = Prepared(delete(idempotency).where(idempotency.c.key == bindparam("sought")))


@pytest.fixture
def engine(small_url: str, tmp_path: Any) -> Iterator[Engine]:
    small_world.build(small_url, tmp_path).system.database.engine.dispose()
    made = make_engine(small_url)
    yield made
    made.dispose()


@pytest.mark.parametrize("listened", [False, True])
def test_values_come_back_as_they_went(engine: Engine, *, listened: bool) -> None:
    seen: list[str] = []
    if listened:
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    with engine.begin() as connection:
        ADD.change(connection, ROW)
        found = FIND.one(connection, {"sought": ROW["key"]})
        direct = connection.execute(select(idempotency)).one()
        assert found._asdict() == ROW == dict(direct._mapping)
        assert COUNT_UP.change(connection, {"sought": ROW["key"], "more": 1}) == 1
        assert FIND.one(connection, {"sought": ROW["key"]}).account_id == 2
        assert COUNT_UP.change(connection, {"sought": "another", "more": 1}) == 0
        assert DROP.change(connection, {"sought": ROW["key"]}) == 1
        assert FIND.rows(connection, {"sought": ROW["key"]}) == []
        with pytest.raises(NoResultFound):
            FIND.one(connection, {"sought": ROW["key"]})
    assert bool(seen) == listened


def test_it_is_part_of_the_transaction(engine: Engine) -> None:
    with engine.connect() as connection:
        ADD.change(connection, ROW)  # begins, where nothing else has
        connection.rollback()
        assert FIND.first(connection, {"sought": ROW["key"]}) is None


def test_errors_are_those_of_sqlalchemy(engine: Engine) -> None:
    with engine.connect() as connection:
        ADD.change(connection, ROW)
        with pytest.raises(IntegrityError):
            ADD.change(connection, ROW)
    with engine.begin() as connection:
        metadata.tables["idempotency"].drop(connection)
    with (
        engine.connect() as connection,
        pytest.raises((OperationalError, ProgrammingError), match="idempotency"),
    ):
        FIND.first(connection, {"sought": "x"})

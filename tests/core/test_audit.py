"""The chain over the audit: whatever is changed in it is found."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from core.adapters.database import SqlDatabase, make_engine
from core.adapters.record_store import RecordStore, chain_hash
from core.adapters.tables import audit, audit_head, metadata

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)
MIDDLE = (audit.c.region == "here") & (audit.c.seq == 3)


@pytest.fixture
def database(database_url: str) -> Iterator[SqlDatabase]:
    engine = make_engine(database_url)
    metadata.create_all(engine)
    database = SqlDatabase(engine)
    for number in range(1, 6):
        for region in ("here", "there"):
            with database.write() as tx:
                tx.records.audit(
                    region, AT, "15029910100001", "submit", f"JH-{number}", {"意见": "同意", "n": number}
                )
    yield database
    engine.dispose()


def found_after(database: SqlDatabase, tamper: Callable[[Connection], object]) -> list[str]:
    with database.engine.connect() as connection:
        tamper(connection)
        return RecordStore(connection).broken_audit()


def test_an_untouched_chain_verifies(database: SqlDatabase) -> None:
    assert found_after(database, lambda _: None) == []


def test_every_field_is_covered(database: SqlDatabase) -> None:
    for column in audit.columns:
        value: Any = 99 if column.name == "seq" else "x" * 7
        found = found_after(
            database, lambda c, n=column.name, v=value: c.execute(update(audit).where(MIDDLE).values({n: v}))
        )
        assert found, column.name
        assert column.name in {"region", "seq"} or any("here 第" in line for line in found)


@pytest.mark.parametrize("seq", range(1, 6))
def test_a_removed_row_is_missed(database: SqlDatabase, seq: int) -> None:
    gone = delete(audit).where(audit.c.region == "here", audit.c.seq == seq)
    assert found_after(database, lambda c: c.execute(gone))


def test_a_chain_that_vanished_as_a_whole_is_missed(database: SqlDatabase) -> None:
    assert found_after(database, lambda c: c.execute(delete(audit).where(audit.c.region == "here")))
    assert found_after(database, lambda c: c.execute(delete(audit_head)))
    assert found_after(database, lambda c: c.execute(update(audit_head).values(seq=4)))


def test_a_row_rewritten_with_a_fresh_hash_does_not_fit_its_neighbour(database: SqlDatabase) -> None:
    def rewrite(connection: Connection) -> None:
        row = dict(connection.execute(select(audit).where(MIDDLE)).mappings().one())
        row["body"] = "{}"
        connection.execute(update(audit).where(MIDDLE).values(body="{}", hash=chain_hash(row)))

    assert found_after(database, rewrite) == ["here 第 4 条：与上一条接不上"]


def test_swapped_rows_are_found(database: SqlDatabase) -> None:
    def swap(connection: Connection) -> None:
        for old, new in ((2, 90), (3, 2), (90, 3)):
            connection.execute(
                update(audit).where(audit.c.region == "here", audit.c.seq == old).values(seq=new)
            )

    assert found_after(database, swap)

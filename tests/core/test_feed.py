"""The public feed: whoever polls on from the last place seen misses nothing and gets nothing twice."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from core.domain.errors import NotFoundError
from core.domain.publishing import Content
from core.service import publications
from core.service.ports import Transaction
from core.service.publication_ports import Publication
from tests.support import small_world
from tests.support.small_world import World

WRITERS, EACH = 16, 6


@pytest.fixture
def world(small_url: str, tmp_path: Path) -> Iterator[World]:
    built = small_world.build(small_url, tmp_path)
    yield built
    built.system.database.engine.dispose()


def add(tx: Transaction, document: int, address: str, region: str = "neimenggu") -> None:
    content = Content((("项目名称", "打印机"),), ())
    tx.publications.add(
        document,
        Publication(address, region, "JH-1", "公告", "打印机", "示范单位", content, datetime.now(UTC)),
    )


def follow(world: World, after: int, limit: int = 7) -> list[Publication]:
    return list(publications.feed(world.system, after, limit=limit))


def test_sixteen_writers_and_one_who_polls(world: World) -> None:
    document, finished, seen = world.enter("p").id, threading.Event(), []

    def write(writer: int) -> None:
        for number in range(EACH):
            with world.system.database.write() as tx:
                for part in range(1 + number % 2):
                    add(tx, document, f"{writer}-{number}-{part}")
                tx.documents.next_number(f"other {writer}")  # goes on working before it commits

    def poll() -> None:
        while True:
            over = finished.is_set()
            found = follow(world, seen[-1].seq if seen else 0)
            seen.extend(found)
            if over and not found:
                return

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reader = pool.submit(poll)
        for done in [pool.submit(write, writer) for writer in range(WRITERS)]:
            done.result(60)
        finished.set()
        reader.result(60)
    wanted = {f"{w}-{n}-{p}" for w in range(WRITERS) for n in range(EACH) for p in range(1 + n % 2)}
    assert [one.seq for one in seen] == list(range(1, len(wanted) + 1)), "in order, without a gap"
    assert {one.address for one in seen} == wanted


@pytest.mark.postgres
def test_what_was_begun_first_and_committed_last_comes_last(tmp_path: Path, postgres_url: str) -> None:
    """Ids and times are taken when an act begins; a reader that went by them would skip the slow one for ever."""
    world = small_world.build(postgres_url, tmp_path)
    document = world.enter("p").id
    with world.system.database.write() as slow:
        add(slow, document, "slow")
        with world.system.database.write() as quick:
            add(quick, document, "quick")
        assert [one.address for one in follow(world, 0)] == ["quick"]
    assert [(one.seq, one.address) for one in follow(world, 1)] == [(2, "slow")]
    world.system.database.engine.dispose()


def test_what_was_taken_back_leaves_no_gap(world: World) -> None:
    document = world.enter("p").id

    def fail() -> None:
        with world.system.database.write() as tx:
            add(tx, document, "never")
            add(tx, document, "never")

    with pytest.raises(IntegrityError):
        fail()
    with world.system.database.write() as tx:
        add(tx, document, "one")
        add(tx, document, "two", "fujian")
    assert [(one.seq, one.address) for one in follow(world, 0)] == [(1, "one"), (2, "two")]
    assert follow(world, 2) == []
    assert [one.address for one in publications.feed(world.system, 0, region="fujian")] == ["two"]
    with pytest.raises(NotFoundError):
        publications.feed(world.system, 0, region="nowhere")

"""kill -9 between any two statements of an act: after restart it is whole or absent, and the books are right."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core.adapters.tables import metadata
from core.domain.accounts import Role
from tests.support import small_world
from tests.support.children import ACTS, NUMBER, die_at
from tests.support.small_world import TO_COMPLETED, TO_FILED, World

BEFORE: dict[str, tuple[str, ...]] = {
    "create": (),
    "submit": (),
    "sign": TO_COMPLETED,
    "file": (*TO_COMPLETED, "sign"),
    "void": TO_FILED,
    "repair": ("submit", "pass", "pass"),
    "deliver": TO_FILED,
}
AFTER = {
    "create": "entry", "submit": "unit_second", "sign": "completed", "file": "filed", "void": "void",
    "repair": "office_first", "deliver": "dispatched",
}  # fmt: skip


@pytest.fixture
def world(small_url: str, tmp_path: Path) -> Iterator[World]:
    built = small_world.build(small_url, tmp_path)
    yield built
    built.system.database.engine.dispose()


def everything(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    with world.system.database.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def ready(world: World, act: str) -> None:
    world.plan("p", *BEFORE[act])
    if act == "void":
        world.act(NUMBER, "cancel", role=Role.HANDLER, key="cancel", reason="录错了")
        with world.system.database.write() as tx:  # the dispatch that was on its way is another story
            for message in tx.outbox.due(world.system.clock(), 9):
                tx.outbox.delivered(message)


def kill_everywhere(url: str, var: Path, act: str, version: int, absent: Callable[[], None]) -> int:
    """How many places there were to die at; after each, `absent` looks."""
    at = 1
    while die_at(url, var, act, version, at):
        absent()
        at += 1
    return at - 1


EVERY_ACT = [("sqlite", act) for act in sorted(set(ACTS) - {"deliver"})]
# Each process costs PostgreSQL a connection: there the acts that move money and messages.
SOME_ACTS = [
    pytest.param("postgresql", act, marks=pytest.mark.postgres) for act in ("submit", "file", "void")
]


@pytest.mark.parametrize(("small_url", "act"), [*EVERY_ACT, *SOME_ACTS], indirect=["small_url"])
def test_an_act_is_whole_or_absent(world: World, small_url: str, tmp_path: Path, act: str) -> None:
    ready(world, act)
    before = everything(world)
    version = world.find(NUMBER).version

    def absent() -> None:
        assert everything(world) == before

    assert kill_everywhere(small_url, tmp_path, act, version, absent) > 10
    after = everything(world)
    assert after != before
    assert world.find(NUMBER).node == AFTER[act]
    assert world.problems() == []
    assert not die_at(small_url, tmp_path, act, version, 10**6), "its answer was lost, so it is asked again"
    assert everything(world) == after


def test_a_delivery_is_marked_and_acted_on_or_neither(world: World, small_url: str, tmp_path: Path) -> None:
    ready(world, "deliver")

    def absent() -> None:
        document = world.find(NUMBER)
        assert document.node == "filed"
        assert world.problems() == []
        with world.system.database.write() as tx:  # the lease of the dead one runs out
            tx.connection.exec_driver_sql("UPDATE outbox SET due = at")
            assert [m.document_id for m in tx.outbox.due(world.system.clock(), 9)] == [document.id]

    assert kill_everywhere(small_url, tmp_path, "deliver", 0, absent) > 20
    assert world.find(NUMBER).node == "dispatched"
    assert world.problems() == []
    with world.system.database.read() as tx:
        assert tx.outbox.due(world.system.clock(), 9) == []

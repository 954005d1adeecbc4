"""Two at once on PostgreSQL, where writers do not queue up by themselves: each waits for the other, then sees what it did."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from core.domain.errors import BlockedError, ConflictError, DomainError
from core.service import acts, once, planning, repairs
from core.service.planning import RepairPlan
from tests.core.world import World, new_key, perform_in

PATIENCE = 20  # seconds until the test gives up
WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def in_a_thread(work: Callable[[], object]) -> Future[object]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future


def until_somebody_waits(world: World, future: Future[object]) -> None:
    with world.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        deadline = time.monotonic() + PATIENCE
        while not future.done() and not watcher.execute(WAITING).scalar_one():
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.01)


def meanwhile(world: World, first: Callable[[Any], object], second: Callable[[], object]) -> Future[object]:
    """`first` in a transaction that stays open until `second`, in a thread of its own, waits for it."""
    with world.system.database.write() as tx:
        first(tx)
        future = in_a_thread(second)
        until_somebody_waits(world, future)
    future.exception(timeout=PATIENCE)
    return future


def error_of(future: Future[object]) -> DomainError:
    error = future.exception(PATIENCE)
    assert isinstance(error, DomainError), error or future.result()
    return error


def test_no_order_comes_onto_a_plan_that_is_being_taken_back(postgres_world: World) -> None:
    world = postgres_world
    number = world.plan(node="dispatched")
    future = meanwhile(
        world,
        lambda tx: perform_in(world, tx, world["handler"], number, "mall_return", {}),
        lambda: world.order(number),
    )
    assert isinstance(error_of(future), BlockedError)
    assert world.document(number).node == "filed"


def test_a_plan_is_not_taken_back_while_an_order_comes_onto_it(
    postgres_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is held up just before its commit, where the number of its request is kept."""
    world = postgres_world
    number = world.plan(node="dispatched")
    kept, go_on = threading.Event(), threading.Event()
    keep = once.keep

    def slowly(*arguments: Any) -> None:
        keep(*arguments)
        kept.set()
        assert go_on.wait(PATIENCE)

    monkeypatch.setattr(once, "keep", slowly)
    order = in_a_thread(lambda: world.order(number))
    assert kept.wait(PATIENCE)
    monkeypatch.setattr(once, "keep", keep)
    back = in_a_thread(lambda: world.act("handler", number, "mall_return"))
    until_somebody_waits(world, back)
    go_on.set()
    assert str(order.result(PATIENCE)) in str(error_of(back))
    assert world.document(number).node == "dispatched"


def test_of_two_acts_on_one_document_the_second_finds_it_moved(postgres_world: World) -> None:
    world = postgres_world
    number = world.plan(node="supervising")
    version = world.document(number).version

    def withdraw() -> object:
        return acts.perform(
            world.system, world["handler"], number, "withdraw", version=version, arguments={}, key=new_key()
        )

    future = meanwhile(
        world, lambda tx: perform_in(world, tx, world["supervising"], number, "pass", {}), withdraw
    )
    error = error_of(future)
    assert isinstance(error, ConflictError)
    assert error.code == "moved"
    assert world.document(number).node == "office_first"
    world.sound()


def test_of_two_clicks_the_second_is_told_what_the_first_did(postgres_world: World) -> None:
    world = postgres_world
    number, key = world.plan(node="unit_second"), new_key()
    version = world.document(number).version
    arguments = (world["reviewer"], number, "pass")

    def first(tx: Any) -> None:
        acts.perform_in(world.system, tx, *arguments, version=version, arguments={}, key=key)

    def second() -> acts.ActResult:
        return acts.perform(world.system, *arguments, version=version, arguments={}, key=key)

    result = meanwhile(world, first, second).result()
    assert isinstance(result, acts.ActResult)
    assert result.repeated
    assert result.document.node == "supervising"
    world.sound()


def test_of_two_repairs_begun_at_once_one_is_running(postgres_world: World) -> None:
    world = postgres_world
    number = world.plan(node="office_first")
    shown = planning.plan_to(world.system, world["handler"], number, "editable")
    assert isinstance(shown, RepairPlan)

    def begin(who: str) -> repairs.Repair:
        return repairs.start(world.system, world[who], number, "editable", shown.fingerprint, key=new_key())

    with ThreadPoolExecutor(2) as pool:
        begun = list(pool.map(begin, ["handler", "reviewer"]))
    states = sorted(repairs.get(world.system, world["handler"], item.id).state for item in begun)
    assert states == ["running", "stopped"]


@pytest.mark.postgres
def test_plans_entered_at_once_get_numbers_of_their_own(postgres_world: World) -> None:
    world = postgres_world
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda _: world.plan(), range(12)))
    last = sorted(int(number.rsplit("-", 1)[1]) for number in numbers)
    assert last == list(range(last[0], last[0] + 12))
    world.sound()

"""Many writers at once, in several processes and threads: never over, and exactly as many admitted as fit."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.domain.accounts import Role
from core.domain.errors import ConflictError, DomainError
from core.service import acts
from tests.support import small_world
from tests.support.children import Job, at_once
from tests.support.small_world import PRICE_FEN, World

PROCESSES, FIT = 64, 13


@pytest.fixture
def world(small_url: str, tmp_path: Path) -> Iterator[World]:
    built = small_world.build(small_url, tmp_path, total_fen=FIT * PRICE_FEN + PRICE_FEN - 1)
    yield built
    built.system.database.engine.dispose()


def test_64_processes_on_one_indicator_and_on_one_document(
    world: World, small_url: str, tmp_path: Path
) -> None:
    """All submit the same plan, then all another one under the same key, then each a plan of its own."""
    own = [world.enter(f"p{number}") for number in range(PROCESSES)]
    shared, keyed = world.enter("shared"), world.enter("keyed")
    jobs = [
        [
            Job(shared.number, shared.version, f"shared {index}"),
            Job(keyed.number, keyed.version, "one key"),
            Job(plan.number, plan.version, f"own {index}"),
        ]
        for index, plan in enumerate(own)
    ]
    first, second, third = zip(*at_once(small_url, tmp_path, jobs), strict=True)
    assert Counter(first) == {"done": 1, ConflictError.code: PROCESSES - 1}
    assert Counter(second) == {"done": 1, "repeated": PROCESSES - 1}
    assert Counter(third) == {"done": FIT - 2, "insufficient_funds": PROCESSES - FIT + 2}
    nodes = [world.find(plan.number).node for plan in own]
    assert nodes == ["unit_second" if outcome == "done" else "entry" for outcome in third]
    assert world.indicator().frozen_fen == FIT * PRICE_FEN
    assert world.problems() == []


def attempts(world: World, number: str, keys: list[str]) -> list[str]:
    version = world.find(number).version

    def attempt(key: str) -> str:
        try:
            done = acts.perform(
                world.system,
                world.crew[Role.HANDLER],
                number,
                "submit",
                version=version,
                arguments={},
                key=key,
            )
        except DomainError as error:
            return error.code
        return "repeated" if done.repeated else "done"

    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(attempt, keys))


def test_one_of_many_acts_on_the_same_document_is_done(world: World) -> None:
    number = world.enter("p").number
    outcomes = Counter(attempts(world, number, [f"key-{n}" for n in range(12)]))
    assert outcomes == {"done": 1, ConflictError.code: 11}
    assert world.indicator().frozen_fen == PRICE_FEN
    assert world.problems() == []


def test_a_key_used_many_times_at_once_acts_once(world: World) -> None:
    number = world.enter("p").number
    outcomes = Counter(attempts(world, number, ["the key"] * 12))
    assert outcomes == {"done": 1, "repeated": 11}
    assert attempts(world, number, ["the key"]) == ["key_reused"], "another version is another request"
    assert world.indicator().frozen_fen == PRICE_FEN
    assert world.problems() == []

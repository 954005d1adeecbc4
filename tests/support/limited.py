"""Process data of a made-up rule: the second review of a plan has a limit with every kind of step, and copies."""

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.domain.accounts import Role
from core.service import documents, escalating, lists, notices
from core.service.page_ports import Query
from tests.support.clock import Clock
from tests.support.process_data import change_plans, copied
from tests.support.small_world import World

CHANGES = """    - set_node:
        id: unit_second
        copies: [{role: supervising, of: parent}]
        limit:
          days: 3
          steps:
            - {after: -1, remind: true}
            - {after: 0, remind: true}
            - {after: 2, tell: [{role: office_first, of: office}]}
            - {after: 3, take: give_back}
    - add_action:
        id: give_back
        label: 超期退回
        from: [unit_second]
        to: unit_first
        by: [{role: integration, of: system}]
        form: [reason]
        hidden: true
"""


def data(folder: Path, changes: str = CHANGES) -> Path:
    """One region's process data, with limits for its plans."""
    copy = copied(folder)
    change_plans(copy, changes)
    return copy


FRIDAY = datetime(2026, 11, 20, 2, tzinfo=UTC)  # 10:00 in Shanghai


def escalate(world: World) -> None:
    while escalating.escalate_due(world.system, limit=3):
        pass


def at_once(worlds: list[World], work: Callable[[World], None]) -> None:
    start = threading.Barrier(len(worlds))

    def run(one: World) -> None:
        start.wait()
        work(one)

    threads = [threading.Thread(target=run, args=(one,)) for one in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


_keys = itertools.count()


def new_key() -> str:
    return f"limited-{next(_keys)}"


def plan(world: World, *steps: str) -> str:
    return world.plan(new_key(), *steps).number


def due(world: World, number: str, role: Role = Role.HANDLER) -> Any:
    return documents.get(world.system, world.crew[role], number).summary.due


def heard(world: World, role: Role, number: str, word: str = "") -> list[str]:
    """What a role was told of a document."""
    unseen = notices.unseen(world.system, world.crew[role])
    return [one.text for one in unseen if one.number == number and word in one.text]


def recorded(world: World, number: str) -> list[str]:
    with world.system.database.read() as tx:
        return [one.text for one in tx.terms.nudges(world.find(number).id)]


def listed(world: World, role: Role, folder: str, **more: Any) -> list[str]:
    query = Query(folder, order=lists.order_of(folder), **more)
    return [line.number for line in lists.find(world.system, world.crew[role], query)]


@pytest.fixture
def world(limited_world: tuple[World, Clock]) -> World:
    """For files about limits: the world that they share …"""
    return limited_world[0]


@pytest.fixture
def clock(limited_world: tuple[World, Clock]) -> Clock:
    """… and its clock, on a Friday."""
    limited_world[1].at = FRIDAY
    return limited_world[1]

"""What child processes do in crash and hammer tests. They are forked from a clean server that has all this loaded."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import event

from core.adapters import catalogue_file, processes
from core.domain.accounts import Role
from core.domain.errors import DomainError
from core.service import acts, exchange, repairs
from core.service.planning import RepairPlan, plan_to
from tests.support import small_world
from tests.support.small_world import World

processes.load()  # cached here, so that no child reads them again
catalogue_file.load()

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])
NUMBER = "JH-150299-2026-000001"


class _Deaf:
    """Takes every message and forgets it."""

    def send(self, system: str, topic: str, body: object, key: str) -> None:
        pass


def _repair(world: World) -> None:
    handler = world.crew[Role.HANDLER]
    plan = plan_to(world.system, handler, NUMBER, "editable")
    assert isinstance(plan, RepairPlan)
    repairs.start(world.system, handler, NUMBER, "editable", plan.fingerprint, key="repair")


def _act(action: str, role: Role) -> Callable[[World, int], None]:
    return lambda world, version: world.act(NUMBER, action, role=role, key="act", version=version)


# By name: what is done to the plan NUMBER, seen at a version.
ACTS: dict[str, Callable[[World, int], object]] = {
    "create": lambda world, _: world.enter("second"),
    "submit": _act("submit", Role.HANDLER),
    "sign": _act("sign", Role.HANDLER),
    "file": _act("file", Role.HANDLER),
    "void": _act("cancel_pass", Role.REVIEWER),
    "repair": lambda world, _: _repair(world),
    "deliver": lambda world, _: exchange.deliver_due(world.system, _Deaf()),
}


def _die_at(url: str, var: Path, act: str, version: int, at: int) -> None:
    world = small_world.reopen(url, var)
    engine = world.system.database.engine
    passed = 0

    def tick(*_: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute", tick)
    event.listen(engine, "commit", tick)
    ACTS[act](world, version)
    os._exit(0)


def die_at(url: str, var: Path, act: str, version: int, at: int) -> bool:
    """Do `act` in a process that is killed before its `at`-th statement or commit; whether it got that far."""
    child = CONTEXT.Process(target=_die_at, args=(url, var, act, version, at))
    child.start()
    child.join(60)
    code = child.exitcode
    child.close()
    assert code in {0, -signal.SIGKILL}, code
    return code != 0


@dataclass(frozen=True)
class Job:
    """One submit of a plan, seen at a version, under a key."""

    number: str
    version: int
    key: str


def _one_after_the_other(world: World, jobs: Sequence[Job], place: int, gate: Barrier, said: Any) -> None:
    outcomes = []
    for job in jobs:
        gate.wait(60)
        try:
            done = acts.perform(
                world.system, world.crew[Role.HANDLER], job.number, "submit", version=job.version, arguments={},
                key=job.key,
            )  # fmt: skip
            outcomes.append("repeated" if done.repeated else "done")
        except DomainError as error:
            outcomes.append(error.code)
    said.put((place, outcomes))


def _fork_all(url: str, var: Path, jobs: Sequence[Sequence[Job]]) -> list[list[str]]:
    """One process builds the world and forks the others: building it in each would cost more than all they do."""
    world = small_world.reopen(url, var)
    world.system.database.engine.dispose()  # connections are not shared
    fork = multiprocessing.get_context("fork")
    gate, said = fork.Barrier(len(jobs)), fork.SimpleQueue()
    children = [
        fork.Process(target=_one_after_the_other, args=(world, row, place, gate, said))
        for place, row in enumerate(jobs)
    ]
    for child in children:
        child.start()
    outcomes = dict(said.get() for _ in jobs)
    for child in children:
        child.join(60)
    return [outcomes[place] for place in range(len(jobs))]


def at_once(url: str, var: Path, jobs: Sequence[Sequence[Job]]) -> list[list[str]]:
    """A process for each row of `jobs`; all do their first one at once, then their second …: `done` or the error's code."""
    with ProcessPoolExecutor(1, mp_context=CONTEXT) as pool:
        return pool.submit(_fork_all, url, var, jobs).result(120)

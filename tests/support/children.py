"""What child processes do in crash and hammer tests. They are forked from a clean server that has all this loaded."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import event

from core.adapters import catalogue_file, processes
from core.domain.accounts import Role
from core.domain.errors import DomainError
from core.service import exchange, repairs
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


_gate: Barrier


def _wait_at(gate: Barrier) -> None:
    global _gate  # noqa: PLW0603 - how a pool's processes get what cannot be pickled
    _gate = gate


def _submit_all(url: str, var: Path, numbers: Sequence[str]) -> list[str]:
    world = small_world.reopen(url, var)

    def submit(number: str) -> str:
        try:
            world.act(number, "submit", role=Role.HANDLER, key=f"submit-{number}")
        except DomainError as error:
            return error.code
        return "admitted"

    with ThreadPoolExecutor(len(numbers)) as pool:
        _gate.wait(60)
        result = list(pool.map(submit, numbers))
    world.system.database.engine.dispose()
    return result


def submit_at_once(url: str, var: Path, numbers: Sequence[str], *, workers: int = 4) -> list[str]:
    """Submit all these plans at once, in threads of several processes: `admitted` or the error's code for each."""
    parts = [numbers[index::workers] for index in range(workers)]
    gate = CONTEXT.Barrier(workers)
    with ProcessPoolExecutor(workers, mp_context=CONTEXT, initializer=_wait_at, initargs=(gate,)) as pool:
        futures = [pool.submit(_submit_all, url, var, part) for part in parts]
        found = [
            dict(zip(part, future.result(120), strict=True))
            for part, future in zip(parts, futures, strict=True)
        ]
    merged = {number: outcome for each in found for number, outcome in each.items()}
    return [merged[number] for number in numbers]

"""Single figures: the planner's longest path, loading all process data, a list of 10,000 lines with bad cells.

Goals: under 1 ms, under 1 s, under 5 s. Each is the best of several, because each is the same work every time.
"""

import io
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from openpyxl import Workbook

from core.adapters import processes
from core.adapters.spreadsheet import Xlsx
from core.domain import forms, planner
from core.domain.accounts import Role
from core.domain.documents import Situation
from core.domain.errors import InvalidError
from core.domain.planner import Given, NoWay, Subject
from core.domain.process import Process
from core.service import filling, list_import
from tests.support import small_world

LINES, BAD_EVERY = 10_000, 100
HEAD = ("采购品目*", "标的名称*", "数量*", "计量单位", "单价*", "需求描述")


def main() -> None:
    """Print the three figures beside their goals."""
    reached = [
        _said("规划最长的路", *_longest(), 0.001),
        _said("读入全部流程数据", _best(lambda: processes.book.__wrapped__(processes.DATA)), "", 1.0),
        _list(),
    ]
    if not all(reached):
        sys.exit(1)


def _said(what: str, seconds: float, more: str, goal: float) -> bool:
    state = "达到" if seconds < goal else "未达到"
    print(f"{what}　{seconds * 1000:9.2f} ms{more}（目标 {goal * 1000:.0f} ms，{state}）", flush=True)
    return seconds < goal


def _best(work: Callable[[], object], times: int = 5) -> float:
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return min(spent)


def _longest() -> tuple[float, str]:
    """Of all ways from the start of a process to where it may end, the one with the most steps."""
    ways = [(steps, process, goal) for process, goal in _goals() if (steps := _steps(process, goal))]
    steps, process, goal = max(ways, key=lambda way: way[0])
    subjects = (_subject(process),)
    spent = _best(lambda: planner.plan(subjects, goal, _stranger), 50)
    return spent, f"（{process.region}/{process.kind} 到 {goal}，{steps} 步）"


def _goals() -> list[tuple[Process, str]]:
    book = processes.load()
    return [(process, goal) for process in book.processes.values() for goal in process.goals]


def _stranger(_index: int, _actors: object) -> int:
    return planner.OTHER


def _subject(process: Process) -> Subject:
    situation = Situation(
        form=forms.names(process.form.fields, {}), variant=process.variant, node=process.start
    )
    given = Given("", process, situation)
    return Subject(given, (process.start,), frozenset())


def _steps(process: Process, goal: str) -> int:
    found = planner.plan((_subject(process),), goal, _stranger)
    return 0 if isinstance(found, NoWay) else len(found.steps)


def _list() -> bool:
    """Every hundredth line has a quantity that is none, and each of them is named."""
    with tempfile.TemporaryDirectory() as folder:
        world = small_world.build(f"sqlite:///{folder}/list.db", Path(folder))
        number = world.enter("p").number
        fill = partial(filling.existing, world.system, world.crew[Role.HANDLER], number)
        content = _sheet()
        started = time.perf_counter()
        report = list_import.check(world.system, fill, "lines", content, Xlsx())
        spent = time.perf_counter() - started
        wrong = [cell for cell in report.wrong if cell.column == "C"]
        assert len(wrong) == LINES // BAD_EVERY, report.wrong[:3]
        try:
            list_import.refuse(report)
        except InvalidError:
            pass
        else:
            raise AssertionError
        world.system.database.engine.dispose()  # type: ignore[attr-defined]
    return _said(f"清单 {LINES:,} 行", spent, f"（{len(wrong)} 个错格都指出来）", 5.0)


def _sheet() -> bytes:
    book = Workbook(write_only=True)
    page = book.create_sheet()
    page.append(HEAD)
    for line in range(LINES):
        quantity: object = "三" if line % BAD_EVERY == 0 else 3
        page.append(["A02021003 激光打印机", f"激光打印机 {line}", quantity, "台", 1800.5, "双面"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


if __name__ == "__main__":
    main()

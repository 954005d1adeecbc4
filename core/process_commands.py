"""`python -m core diff | migrate`: what a change of the process data does to ways and to open documents."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.adapters import processes
from core.bootstrap import build_system, migrate
from core.domain.errors import DomainError, InvalidError
from core.domain.process import Process
from core.domain.process_diff import (
    Change,
    Difference,
    How,
    Key,
    Part,
    WayChange,
    differences,
    value_differences,
)
from core.domain.values import Values
from core.domain.ways import Way
from core.service import migration
from core.service.planning import GOAL_LABELS
from core.settings import Settings

CURRENT = "current"
WELL, IMPOSSIBLE, FAILED = 0, 1, 2
_PARTS = {
    Part.PROCESS: "流程", Part.NODE: "环节", Part.ACTION: "操作", Part.CONDITION: "条件", Part.FIELD: "字段",
    Part.GOAL: "目标", Part.VALUE: "数值",
}  # fmt: skip
_HOW = {
    How.ADDED: "增加", How.DROPPED: "去掉", How.CHANGED: "改了", How.LONGER: "变长", How.SHORTER: "变短",
    How.IMPOSSIBLE: "走不通了", How.POSSIBLE: "走得通了",
}  # fmt: skip


def add_diff_arguments(parser: argparse.ArgumentParser) -> None:
    """Two sides to compare."""
    where = f"流程数据的目录、登记过的版本号，或 {CURRENT}（现在的数据）"
    parser.add_argument("old", metavar="OLD", help=where)
    parser.add_argument("new", metavar="NEW", nargs="?", default=CURRENT, help=f"{where}；不写就是 {CURRENT}")
    parser.add_argument("--json", action="store_true", help="输出 JSON")
    parser.epilog = "退出码：0 没有走不通的，1 有原来走得通、现在走不通的，2 读不了"


def run_diff(given: argparse.Namespace) -> int:
    """Print what changed; 1 where something became impossible, 2 where a side cannot be read."""
    try:
        old, new = _sides(given.old, given.new)
        found = differences(old.processes, new.processes) + value_differences(old.values, new.values)
    except DomainError as error:
        print(error.message, file=sys.stderr)
        return FAILED
    if given.json:
        print(json.dumps([_plain(item) for item in found], ensure_ascii=False, indent=2))
    else:
        for item in found:
            print("\n".join(_said(item)))
        closed = sum(item.impossible for item in found)
        changed = sum(bool(item.kind) for item in found)
        print(f"有变化的流程 {changed} 个，其中有走不通的 {closed} 个" if found else "没有变化")
    return IMPOSSIBLE if any(item.impossible for item in found) else WELL


@dataclass(frozen=True)
class _Side:
    """What is compared; a kept version has no values of its region."""

    processes: dict[Key, Process]
    values: Mapping[str, Values]


def _sides(old: str, new: str) -> tuple[_Side, _Side]:
    """A kept version is one process: it is compared with the same kind and variant of the other side."""
    sides = [_side(old), _side(new)]
    one = next((side.processes for side in sides if len(side.processes) == 1), None)
    if one is not None:
        (key,) = one
        sides = [
            replace(side, processes={k: p for k, p in side.processes.items() if k == key}) for side in sides
        ]
    return sides[0], sides[1]


def _side(name: str) -> _Side:
    if name == CURRENT:
        return _of_book(processes.load())
    if Path(name).is_dir():
        return _folder(Path(name))
    system = build_system()
    with system.database.read() as tx:
        process = system.processes.version(name, tx)
    return _Side({(process.region, process.kind, process.variant): process}, {})


def _of_book(book: processes.ProcessBook) -> _Side:
    return _Side(book.processes, book.values)


def _folder(folder: Path) -> _Side:
    if not (folder / "processes" / "base").is_dir() or not (folder / "regions").is_dir():
        said = f"{folder} 不是流程数据：要有 processes/base 和 regions 两个目录"
        raise InvalidError(said, code="no_process_data", fields={"folder": str(folder)})
    return _of_book(processes.load(folder.resolve()))


def _said(item: Difference) -> list[str]:
    versions = f"{item.before or '没有'} → {item.after or '没有'}"
    process = f"{item.region}/{item.kind}/{item.variant} {item.label}（{versions}）"
    lines = [process if item.kind else f"{item.region} {item.label}"]
    lines += [_change(change) for change in item.changes]
    lines += [_way_change(way) for way in item.ways]
    return lines if len(lines) > 1 else [*lines, "  只是次序或写法不同"]


def _change(item: Change) -> str:
    details = f"：{'；'.join(item.details)}" if item.details else ""
    label = GOAL_LABELS.get(item.id, item.label) if item.part is Part.GOAL else item.label
    name = label if item.part in {Part.CONDITION, Part.VALUE} else f"{label}（{item.id}）"
    return f"  {_PARTS[item.part]}{_HOW[item.how]}：{name}{details}"


def _way_change(item: WayChange) -> str:
    goal = GOAL_LABELS.get(item.goal, item.goal)
    return f"  路{_HOW[item.how]}：从“{item.node_label}”到{goal}：{way_said(item.before)} → {way_said(item.after)}"


def add_migrate_arguments(parser: argparse.ArgumentParser) -> None:
    """The database alone, or open documents too."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--preview", action="store_true", help="只看：哪些未办结单据能搬到新版流程，哪些不能、为什么"
    )
    what.add_argument("--move", action="store_true", help="把能搬的未办结单据搬到新版流程；可以重复运行")
    parser.add_argument("--region", default="", help="只看或只搬这个区域的单据")
    parser.add_argument("--json", action="store_true", help="输出 JSON，一行一张单据")


def run_migrate(given: argparse.Namespace) -> int:
    """Bring the database's structure up to date, or show or move open documents of earlier versions."""
    if not given.preview and not given.move:
        settings = Settings.from_environment()
        migrate(settings)
        print("数据库结构已是最新")
        left = migration.waiting(build_system(settings))
        if left:
            print(f"{left} 张未办结单据还在旧版流程上：--preview 看能不能搬，--move 搬")
        return WELL
    system = build_system()
    moved = stayed = 0
    for one in (migration.move if given.move else migration.preview)(system, given.region):
        moved, stayed = moved + (not one.why), stayed + bool(one.why)
        print(json.dumps(asdict(one), ensure_ascii=False) if given.json else _move_said(one, done=given.move))
    if not given.json:
        print(
            f"{'搬了' if given.move else '能搬'} {moved} 张，不能搬 {stayed} 张"
            if moved or stayed
            else "没有要搬的单据"
        )
    return WELL


def _move_said(item: migration.Move, *, done: bool) -> str:
    name = f"{item.number} {item.title}（{item.before} → {item.after or '没有'}）"
    if item.why:
        return f"不能搬 {name}：在“{item.source_label}”，{item.why}"
    where = (
        f"“{item.source_label}”"
        if item.source == item.target
        else f"“{item.source_label}”→“{item.target_label}”"
    )
    return f"{'搬了' if done else '能搬'} {name}：{where}"


def way_said(way: Way | None) -> str:
    """`2 步（撤销 → 退回）`."""
    if way is None:
        return "走不通"
    public = f"，其中 {way.public} 步对外公开、不能收回" if way.public else ""
    return f"{len(way.acts)} 步（{' → '.join(way.acts)}{public}）" if way.acts else "已经是"


def _plain(item: Difference) -> dict[str, Any]:
    return {**asdict(item), "impossible": item.impossible}

"""`python -m core diff`: what came and went, and which ways became longer, shorter, impossible."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core import process_commands
from core.__main__ import main
from core.adapters import processes
from core.adapters.process_build import dump, restore
from core.adapters.process_registry import ProcessRegistry
from core.domain.process_diff import How, difference, differences
from tests.core.world import World
from tests.support.commands import call

PLAN, REGION = "processes/base/plan.yaml", "regions/neimenggu.yaml"
SMALL = "region: neimenggu\nlabel: 内蒙古\nprocesses:\n  plan: []\n  mall_order: []\n"


def folder(at: Path) -> Path:
    """Two bases, and a region that changes nothing of them."""
    (at / "processes/base").mkdir(parents=True)
    (at / "regions").mkdir()
    for name in (PLAN, "processes/base/mall_order.yaml"):
        shutil.copyfile(processes.DATA / name, at / name)
    (at / REGION).write_text(SMALL, encoding="utf-8")
    return at


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    return folder(tmp_path / "old"), folder(tmp_path / "new")


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: object) -> tuple[int, str]:
        done = call(main, capsys, "diff", *arguments)
        return done.returncode, done.said

    return run_it


def test_the_same_data_has_no_difference(run: Run, sides: tuple[Path, Path]) -> None:
    assert run(*sides) == (0, "没有变化\n")


def test_a_station_more_makes_ways_longer_and_its_absence_shorter(run: Run, sides: tuple[Path, Path]) -> None:
    old, new = sides
    station = "  second:\n    label: 会签\n    type: review\n    lane: 采购单位\n    actors: [{role: supervising, of: parent}]\n    funds: frozen\n"  # noqa: E501
    edit(new / PLAN, "nodes:\n", f"nodes:\n{station}")
    edit(new / PLAN, "    chain: [unit_second, completed]\n", "    chain: [unit_second, second, completed]\n")
    edit(
        new / PLAN,
        "    from: [unit_second]\n    to: $chosen\n",
        "    from: [unit_second, second]\n    to: $chosen\n",
    )
    code, said = run(old, new)
    assert code == 0
    assert "环节增加：会签（second）" in said
    assert (
        "路变长：从“计划录入”到审核办结：2 步（送审 → 审核通过） → 3 步（送审 → 审核通过 → 审核通过）" in said
    )
    code, said = run(new, old)
    assert code == 0
    assert "环节去掉：会签（second）" in said
    assert "路变短：从“计划录入”到审核办结：3 步" in said


def test_what_cannot_be_reached_any_more_fails(run: Run, sides: tuple[Path, Path]) -> None:
    old, new = sides
    edit(
        new / PLAN,
        "  return:\n    label: 退回\n    from: [unit_second]\n",
        "  return:\n    label: 退回\n    from: [unit_first]\n",
    )
    code, said = run(old, new)
    assert code == 1
    assert "路走不通了：从“采购单位复审”到可以修改：1 步（退回） → 走不通" in said
    assert "操作改了：退回（return）：去向：unit_second=$chosen → unit_first=$chosen" in said
    code, said = run(new, old)
    assert code == 0
    assert "路走得通了：从“采购单位复审”到可以修改：走不通 → 1 步（退回）" in said


def test_conditions_and_fields_that_came_and_went(run: Run, sides: tuple[Path, Path]) -> None:
    old, new = sides
    edit(
        new / PLAN,
        "    guards: [form_complete]\n",
        "    requires: [{must: amount_fen > 0, say: 金额还是 0 元}]\n",
    )
    code, said = run(old, new)
    assert code == 0
    assert "条件去掉：操作“送审”要 form_complete" in said
    assert "条件增加：操作“送审”：金额还是 0 元" in said


def test_a_process_that_is_gone_fails_and_json_says_the_same(run: Run, sides: tuple[Path, Path]) -> None:
    old, new = sides
    edit(old / PLAN, "  project: 项目采购计划\n", "  project: 项目采购计划\n  twin: 又一种计划\n")
    code, said = run(old, new, "--json")
    found = {item["variant"]: item for item in json.loads(said)}
    assert list(found) == ["twin"]
    assert code == 1
    assert found["twin"]["impossible"]
    assert found["twin"]["after"] == ""
    assert found["twin"]["changes"][0]["how"] == "dropped"


def test_a_threshold_that_changed_is_said_beside_the_processes(run: Run, sides: tuple[Path, Path]) -> None:
    for side, limit in zip(sides, (500, 600), strict=True):
        law = f"values:\n  line: [{{value: {limit}, since: 2026-01-01, source: 某通知}}]\nprocesses:\n"
        edit(side / REGION, "processes:\n", law)
    lines = ["neimenggu 数值", "  数值改了：line：自 2026-01-01：500 → 600"]
    assert run(*sides) == (0, "\n".join([*lines, "有变化的流程 0 个，其中有走不通的 0 个", ""]))


def test_a_renamed_node_is_the_same_node(sides: tuple[Path, Path]) -> None:
    old, new = sides
    text = (new / PLAN).read_text(encoding="utf-8").replace("unit_second", "head_review")
    (new / PLAN).write_text(f"{text}renamed: {{unit_second: head_review}}\n", encoding="utf-8")
    found = differences(processes.load(old).processes, processes.load(new).processes)
    assert found
    for item in found:
        assert not item.impossible
        assert item.changes == ()
        assert item.ways == ()


def test_a_way_through_a_public_act_counts_as_longer(sides: tuple[Path, Path]) -> None:
    old, new = sides
    edit(new / PLAN, "    label: 作废草稿\n", "    label: 作废草稿\n    cost: public\n")
    key = ("neimenggu", "plan", "mall")
    found = difference(processes.load(old).processes[key], processes.load(new).processes[key])
    assert found is not None
    assert {(way.how, way.goal) for way in found.ways} == {(How.LONGER, "void")}


def test_a_kept_version_against_the_current_data(run: Run, commanded: World, tmp_path: Path) -> None:
    """The database keeps what documents run on; the data file has moved on."""
    old = folder(tmp_path / "old")
    kept = processes.load(old).get("neimenggu", "plan", "mall")
    with commanded.system.database.write() as tx:
        tx.records.keep_processes([kept])
    code, said = run(kept.version)
    assert code == 0
    assert f"neimenggu/plan/mall 采购计划·电子卖场采购计划（{kept.version} → " in said
    assert "环节增加：主管单位审核（supervising）" in said
    assert "有变化的流程 1 个" in said
    code, said = run("current", kept.version)
    assert "环节去掉：主管单位审核（supervising）" in said


@pytest.mark.parametrize("side", ["nowhere", "."])
def test_a_side_that_cannot_be_read(
    run: Run, side: str, commanded: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = run(side)
    assert code == process_commands.FAILED
    assert said


def test_what_a_process_does_not_use_makes_no_new_version() -> None:
    """The engine may learn something new without moving every document to another version."""
    process = processes.load().get("neimenggu", "plan", "mall")
    assert "renamed" not in dump(process)
    assert "alone" not in dump(process)


def test_open_documents_are_shown_moved_and_then_none_is_left(
    commanded: World, capsys: pytest.CaptureFixture[str]
) -> None:
    book, key = processes.load(), ("neimenggu", "plan", "mall")
    earlier = restore(dump(book.processes[key]).replace("审核通过", "同意"))
    with commanded.system.database.write() as tx:
        tx.records.keep_processes([earlier])
    old = ProcessRegistry(replace(book, processes={**book.processes, key: earlier}))
    number = replace(commanded, system=replace(commanded.system, processes=old)).plan(node="supervising")

    def said(*arguments: str) -> str:
        assert main(["migrate", *arguments]) == 0
        return capsys.readouterr().out

    assert "1 张未办结单据还在旧版流程上：--preview 看能不能搬，--move 搬" in said()
    assert said("--preview", "--region", "fujian") == "没有要搬的单据\n"
    line = f"{number} 激光打印机（{earlier.version} → {book.processes[key].version}）：“主管单位审核”"
    assert said("--preview") == f"能搬 {line}\n能搬 1 张，不能搬 0 张\n"
    assert json.loads(said("--preview", "--json"))["target"] == "supervising"
    assert said("--move") == f"搬了 {line}\n搬了 1 张，不能搬 0 张\n"
    assert said("--move") == "没有要搬的单据\n"
    assert said() == "数据库结构已是最新\n"

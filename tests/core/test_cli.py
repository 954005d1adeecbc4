"""`python -m core`: what it prints and with which exit code."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

import core
from core.__main__ import main
from core.adapters import tables
from core.adapters.database import make_engine
from core.settings import Settings
from tests.core.world import World
from tests.support.commands import Done, call

ROOT = Path(core.__file__).parents[1]


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command with its environment."""

    def run_it(*arguments: str, **environment: str) -> Done:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return call(main, capsys, *arguments)

    return run_it


@pytest.fixture
def database(world: World, template: Settings) -> dict[str, str]:
    return {"CAIGOU_DATABASE_URL": str(world.engine.url), "CAIGOU_VAR": str(template.var)}


def test_check_names_every_process_and_its_way(run: Run) -> None:
    done = run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "neimenggu/plan/mall" in done.stdout
    assert "计划录入 → 采购单位初审 → 采购单位复审 → 主管单位审核" in done.stdout
    assert "流程数据没有错误" in done.stdout


def test_check_refuses_a_broken_file_with_all_its_mistakes(tmp_path: Path) -> None:
    """A copy of the package with two mistakes in its data, started as people start it."""
    shutil.copytree(ROOT / "core", tmp_path / "core", ignore=shutil.ignore_patterns("__pycache__", "fonts"))
    plan = tmp_path / "core/data/processes/base/plan.yaml"
    text = plan.read_text(encoding="utf-8")
    plan.write_text(
        text.replace("to: cancel_review", "to: gone").replace("start: entry", "start: begin"),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "core", "check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"{plan}:4: [neimenggu/plan] 起点“begin”不是节点" in done.stderr
    assert "动作“cancel”提到不存在的节点“gone”" in done.stderr
    assert "Traceback" not in done.stderr


def test_show_prints_the_resolved_process(run: Run) -> None:
    done = run("show", "--region", "neimenggu", "--kind", "plan")
    assert done.returncode == 0
    for part in ("项目采购计划", "电子卖场采购计划", "无过程采购计划", "[office_first] 业务科室初审",
                 "备案（file）→ filed 条件 signed", "撤销（withdraw）→ unit_second 由 handler@unit、reviewer@unit"):  # fmt: skip
        assert part in done.stdout


def test_show_says_what_there_is(run: Run) -> None:
    done = run("show", "--region", "nowhere", "--kind", "plan")
    assert done.returncode == 1
    assert "neimenggu/plan" in done.stderr


def test_plan_prints_the_steps(run: Run, world: World, database: dict[str, str]) -> None:
    number = world.plan(node="office_first")
    done = run("plan", "--document", number, "--goal", "editable", **database)
    assert done.returncode == 0
    first, second = done.stdout.splitlines()
    assert first.startswith(f"1. {number} 撤销：业务科室初审 → 采购单位复审")
    assert "办理人：王芳（采购单位负责人 02）" in second
    assert "要填：意见、退回到" in second


def test_plan_says_why_there_is_no_way_and_what_instead(
    run: Run, world: World, database: dict[str, str]
) -> None:
    done = run("plan", "--document", world.plan(node="completed"), "--goal", "editable", **database)
    assert done.returncode == 1
    assert "走不到：计划已经终审办结" in done.stdout
    assert "可以改为：作废（void）" in done.stdout


@pytest.mark.parametrize(
    ("document", "goal", "said"),
    [("JH-0", "void", "没有找到编号为“JH-0”的单据"), ("", "fly", "没有“fly”这个目标")],
)
def test_plan_for_what_does_not_exist(
    run: Run, world: World, database: dict[str, str], document: str, goal: str, said: str
) -> None:
    done = run("plan", "--document", document or world.plan(), "--goal", goal, **database)
    assert done.returncode == 1
    assert said in done.stdout + done.stderr


def test_audit_finds_what_was_changed(run: Run, world: World, database: dict[str, str]) -> None:
    well = run("audit", **database)
    assert (well.returncode, well.stdout.strip()) == (0, "审计链完整，账目与流水一致")
    with world.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        row = tables.audit.c
        connection.execute(
            sa.update(tables.audit).where(row.region == "neimenggu", row.seq == 3).values(account="x")
        )
        connection.execute(sa.update(tables.indicator).where(tables.indicator.c.id == 1).values(frozen_fen=1))
    ill = run("audit", **database)
    assert ill.returncode == 1
    assert "neimenggu 第 3 条：内容被改过" in ill.stdout
    assert "的余额与流水不一致" in ill.stdout


def test_before_migrating_it_says_what_to_do_and_then_works(run: Run, tmp_path: Path) -> None:
    own = {"CAIGOU_DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}", "CAIGOU_VAR": str(tmp_path)}
    before = run("audit", **own)
    assert before.returncode == 1
    assert "python -m core migrate" in before.stderr
    assert run("migrate", **own).returncode == 0
    assert run("audit", **own).returncode == 0
    engine = make_engine(own["CAIGOU_DATABASE_URL"])
    assert "document" in sa.inspect(engine).get_table_names()
    engine.dispose()


@pytest.mark.parametrize("arguments", [[], ["fly"], ["plan"], ["show", "--region", "neimenggu"]])
def test_a_command_that_is_none_shows_how(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "usage" in done.stderr

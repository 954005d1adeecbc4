"""`python -m core import-budget`: a template, a file, the same file again, and what is wrong with another."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from core.__main__ import main
from tests.core.world import World
from tests.support.commands import call


def test_a_budget_from_a_file(commanded: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, unit = tmp_path / "budget.xlsx", commanded["handler"].unit

    def run(*arguments: object) -> tuple[int, str]:
        done = call(main, capsys, "import-budget", *arguments)
        return done.returncode, done.said

    assert run("--template", file)[0] == 0
    assert run("--template", file)[0] == 1, "what is there is not written over"
    book = load_workbook(file)
    book.worksheets[0].append([unit.division, unit.code, 2026, "X-1", "新指标", 500])
    book.save(file)
    assert run(file) == (0, "新增 1 条；总额增加 500.00 元\n")
    assert run(file) == (0, "没有变化 1 条；总额增加 0.00 元\n")
    book.worksheets[0]["B2"] = "NOBODY"
    book.save(file)
    code, said = run(file)
    assert (code, "第 2 行 B 列（预算单位编码）：没有这个单位" in said) == (1, True)
    assert run(tmp_path / "none.xlsx")[0] == 1
    commanded.sound()

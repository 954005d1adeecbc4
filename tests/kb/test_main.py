"""The command line, in processes of its own where exit codes matter."""

import json
import os
import subprocess
import sys
from functools import partial

import pytest
from openpyxl import load_workbook

from core.adapters.yaml_reader import read_model
from kb import Entry
from kb.__main__ import main
from kb.parameters import load_parameters
from tests.kb.made_up import entry_data
from tests.support.commands import call


@pytest.fixture
def run(capsys):
    return partial(call, main, capsys)


def run_apart(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kb", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(content):
    negatives = {
        "far": [f"今天第{number}顿吃什么" for number in range(15)],
        "near": ["代理费谁付", "保证金多少"],
    }
    entries = {"a": entry_data("a", "盖章"), "b": entry_data("b", "付款"), "c": entry_data("c", "验收")}
    return content(entries, negatives=negatives)


def test_check_passes_on_the_projects_content():
    done = run_apart("check")
    assert done.returncode == 0, done.stderr
    assert "知识库无误" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_mistake():
    """As `python -m kb check --remarks | head -1`: the other end is closed before anything is said."""
    for arguments in ([*["kb", "check", "--remarks"]], [*["assistant", "ask", "--explain"], "计划录错了"]):
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, "")


def test_check_names_mistakes_and_fails(content):
    broken = content({"a": entry_data("a", "盖章", links=["gone"])})
    done = run_apart("--content", str(broken), "check")
    assert done.returncode == 1
    assert "a.yaml:" in done.stderr
    assert "链接“gone”" in done.stderr


def test_wrong_calls_exit_with_two():
    assert run_apart("dance").returncode == 2
    assert run_apart().returncode == 2


def test_fit_evaluate_and_bench_on_a_folder_of_its_own(run, folder, tmp_path):
    fitted = run("--content", folder, "fit")
    assert fitted.returncode == 0, fitted.stderr
    parameters = load_parameters(folder)
    assert 0 <= parameters.of("here").clarify < 1
    assert 0 < parameters.of("here").answer <= 1
    assert parameters.of("here") == parameters.pooled  # too few questions for thresholds of its own
    assert run("--content", folder, "fit").stdout == fitted.stdout
    questions = tmp_path / "q.jsonl"
    lines = [
        {"region": "here", "q": "验收怎么弄啊", "expect": ["c"], "style": "short"},
        {"region": "here", "q": "今天晚上吃什么", "expect": [], "style": "far"},
        {"region": "there", "q": "x", "expect": ["y"], "style": "short"},
    ]
    questions.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    report = json.loads(run("--content", folder, "evaluate", questions, "--json").stdout)
    assert report["lines"][0]["recall_at_1"] == 1.0
    assert report["left_out"] == {"there": 1}
    table = run("--content", folder, "evaluate", questions, "--region", "here", "--missed")
    assert "召回@1" in table.stdout
    assert "there" not in table.stdout
    assert "p99" in run("--content", folder, "bench").stdout


def test_evaluate_without_a_file_says_so(run, tmp_path):
    done = run("evaluate", tmp_path / "none.jsonl")
    assert done.returncode == 1
    assert "文件读不出来" in done.stderr
    assert "Traceback" not in done.stderr


def test_import_previews_and_writes_only_when_told(run, tmp_path):
    file = tmp_path / "f.csv"
    file.write_text("id,问题,答案\nx-1,怎么申请食堂饭卡,去后勤\n", "utf-8")
    shown = run("import", file, "--region", "shanxi", "--out", tmp_path / "out")
    assert shown.returncode == 0, shown.stderr
    assert "新增 1" in shown.stdout
    assert not (tmp_path / "out").exists()
    again = run("import", file, "--region", "shanxi", "--out", tmp_path / "out", "--write")
    assert "已写草稿" in again.stdout
    assert (tmp_path / "out" / "shanxi" / "x-1.yaml").is_file()


def test_an_import_that_cannot_be_says_why(run, tmp_path):
    done = run("import", tmp_path / "none.xlsx", "--region", "shanxi")
    assert (done.returncode, "文件读不出来" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    file = tmp_path / "f.csv"
    file.write_text("问题,答案\n怎么申请食堂饭卡,去后勤\n", "utf-8")
    done = run("import", file)
    assert done.returncode == 1
    assert "请用 --region 说明是哪个地区的：anhui、fujian、neimenggu、shanxi、xuchang" in done.stderr


def test_a_workbook_out_and_back_shows_only_what_people_changed(run, folder, tmp_path):
    file = tmp_path / "out.xlsx"
    assert "3 个主题" in run("--content", folder, "export", file).stdout
    run("--content", folder, "fit")
    assert "无变化 3" in run("--content", folder, "import", file).stdout
    book = load_workbook(file)
    book["条目"]["C2"] = "章怎么盖"
    book.save(file)
    shown = run("--content", folder, "import", file, "--write", "--out", tmp_path / "drafts")
    assert "here/a [有改动] 章怎么盖" in shown.stdout
    assert "标题：去掉 1 行，增加 1 行" in shown.stdout
    written = read_model(tmp_path / "drafts" / "here" / "a.yaml", Entry)[0]
    before = read_model(folder / "here" / "a.yaml", Entry)[0]
    assert written == before.model_copy(update={"title": "章怎么盖"})
    assert not (tmp_path / "drafts" / "here" / "b.yaml").exists()

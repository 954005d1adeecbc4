"""The command line: one question, a batch, and what it says when it cannot."""

import json
from pathlib import Path

import pytest

from assistant.__main__ import main
from tests.assistant.world import LOGINS, World

CONTRACT = {"kind", "sources", "confidence", "candidates", "choices", "reply"}


def test_one_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "计划录错了"]) == 0
    assert "追踪" in capsys.readouterr().out


def test_json_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--json", "--region", "neimenggu", "单位账号是多少"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == CONTRACT
    assert (found["kind"], found["sources"]) == ("answer", ["nm-5"])
    assert 0 <= found["confidence"] <= 1
    assert len(found["candidates"]) <= 5
    assert set(found["candidates"][0]) == {"sources", "score", "title"}


def test_a_batch_keeps_its_order_whatever_the_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "questions.jsonl"
    lines = [
        json.dumps({"region": "neimenggu", "q": "计划不要了怎么作废"}),
        "not json",
        "",
        json.dumps({"region": "mars", "q": "怎么作废计划"}),
        json.dumps({"region": "neimenggu", "q": 3}),
        json.dumps(["neimenggu"]),
        json.dumps({"region": "neimenggu", "q": "你好", "id": 7}),
        json.dumps({"region": "neimenggu", "q": "今天晚饭吃什么好"}),
        json.dumps({"region": "neimenggu", "q": ""}),
        json.dumps({"region": "neimenggu", "q": "\ud800字"}),
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    assert main(["ask", "--batch", str(file)]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(found) == len(lines)
    kinds = [row.get("kind", row.get("error", {}).get("code")) for row in found]
    assert kinds == [
        "answer", "bad_line", "bad_line", "not_found", "bad_line", "bad_line", "smalltalk", "unknown", "smalltalk",
        kinds[-1],
    ]  # fmt: skip
    assert all(set(row) in (CONTRACT, {"error"}) for row in found)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "--region", "mars", "你好"], "mars"),
        (["ask"], "请写出问题"),
        (["ask", "--batch", "nowhere.jsonl"], "nowhere.jsonl"),
        (["ask", "--batch", "x", "--account", "y"], "--batch"),
        (["ask", "--explain", "--json", "你好"], "--explain"),
    ],
)
def test_what_cannot_be_answered_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_explain_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--explain", "单位账号是多少"]) == 0
    verdict, first, closest, *_ = capsys.readouterr().out.splitlines()
    assert "直接回答" in verdict
    assert first.startswith("1. nm-5 ")
    assert "最像的" in closest


def test_as_an_account(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = world.system.database.engine.url.render_as_string()  # type: ignore[attr-defined]
    monkeypatch.setenv("CAIGOU_DATABASE_URL", url)
    assert main(["ask", "--account", LOGINS["handler"], f"{world.number('激光打印机')} 录错了"]) == 0
    assert "撤销" in capsys.readouterr().out
    assert main(["ask", "--account", LOGINS["handler"], "--json", "你好"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "smalltalk"
    assert main(["ask", "--account", "999", "你好"]) == 2
    assert "999" in capsys.readouterr().err
    assert main(["ask", "--account", LOGINS["handler"], "--region", "shanxi", "你好"]) == 2
    assert "shanxi" in capsys.readouterr().err

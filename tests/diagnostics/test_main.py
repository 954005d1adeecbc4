import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from diagnostics import __main__ as command
from diagnostics import result, table
from diagnostics.arguments import REGION_VARIABLE
from tests.diagnostics.conftest import issue
from tests.diagnostics.test_token import NOW, jwt
from tests.support.commands import Done, call

Run = Callable[..., Done]
EXPIRED = "2020-01-01T00:00:00+08:00"


@pytest.fixture(autouse=True)
def _one_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REGION_VARIABLE, "neimenggu")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return partial(call, command.main, capsys)


def test_the_whole_command_on_a_real_token(make_key: Callable[..., Path]) -> None:
    module = make_key(issue(timedelta(days=-3650), timedelta(days=36500)))
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "diagnostics", "run", "--region", "neimenggu", "--offline", "--json"),
            *("--module", str(module), "--token-expires", EXPIRED),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr == ""
    document = json.loads(finished.stdout)
    assert document["exit_code"] == 1
    assert document["root_cause"]["finding"] == "token_expired"
    found = {item["probe"]: item["finding"] for item in document["results"]}
    assert found["driver"] == "driver_works"
    assert found["cert_dates"] == "cert_valid"
    assert found["token"] == "token_expired"


def test_the_table_names_the_root_cause_first(run: Run) -> None:
    code, out, _ = run(
        "run", "--offline", "--region", "neimenggu", "--only", "token", "--token-expires", EXPIRED
    )
    assert code == 1
    lines = out.splitlines()
    cause = next(line for line in lines if line.startswith("根本原因："))
    assert "登录凭证已过期" in cause
    assert lines.index(cause) < next(i for i, line in enumerate(lines) if line.startswith("状态"))
    assert "相关知识：nm-13" in lines


def test_well_is_zero(run: Run) -> None:
    code, out, err = run(
        "run", "--offline", "--only", "token", "--token-expires", "2999-01-01T00:00:00Z", "--json"
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["root_cause"] is None


def test_a_token_may_come_on_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(jwt({"exp": NOW.timestamp()}) + "\n"))
    _, out, _ = run(
        "run", "--offline", "--only", "token", "--token", "-", "--json", "--fact", f"reference_time={EXPIRED}"
    )
    assert json.loads(out)["results"][0]["probe"] == "clock"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "缺少参数"),
        (("fly",), "不能是 'fly'"),
        (("run", "--fast"), "不认识的参数 --fast"),
        (("run", "--module"), "--module 后面要有值"),
        (("run", "--region", "atlantis"), "没有区划“atlantis”"),
        (("run", "--only", "token,colour"), "没有名为“colour”的检查项"),
        (("run", "--token-expires", "明天"), "带时区"),
        (("run", "--fact", "colour"), "名=值"),
        (("run", "--fact", "colour=red"), "不认识的事实“colour”"),
        (("explain", "colour"), "没有名为“colour”的检查项"),
    ],
)
def test_bad_arguments_are_two_and_a_sentence(run: Run, arguments: tuple[str, ...], words: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_the_doctors_own_failure_is_two_without_a_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("internal text")

    monkeypatch.setattr(command, "run", broken)
    code, out, err = run("run", "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == "doctor_failed"
    assert "internal text" not in out + err


def test_the_region_has_to_be_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REGION_VARIABLE)
    code, _, err = run("list")
    assert code == 2
    assert "--region" in err
    assert "shanxi" in err


def test_list_and_explain_name_every_probe(run: Run) -> None:
    code, out, _ = run("list")
    assert code == 0
    for name in command.PROBES:
        assert name in out
        assert run("explain", name)[0] == 0
    assert "token_expired（nm-13）" in run("explain", "token")[1]
    told = run("explain", "cert_dates")[1]
    assert "0471-962366" in told
    assert "〔证书序列号〕" in told
    assert "{" not in told


def test_the_schema_describes_what_is_printed(run: Run) -> None:
    code, out, _ = run("schema")
    assert code == 0
    _, printed, _ = run("run", "--offline", "--only", "token", "--json")
    assert set(json.loads(out)["required"]) <= set(json.loads(printed)) <= set(json.loads(out)["properties"])


def test_columns_line_up_with_chinese_text() -> None:
    lines = table.columns([("状态", "说明"), ("ok", "x"), ("a", "y")])
    assert lines == ["状态  说明", "ok    x", "a     y"]


def test_exit_codes_are_the_contract() -> None:
    assert (result.EXIT_WELL, result.EXIT_FAILURE, result.EXIT_DOCTOR) == (0, 1, 2)

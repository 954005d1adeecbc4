import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
from pydantic import TypeAdapter

import diagnostics
from core.domain.errors import InvalidError, NotFoundError
from diagnostics import catalogue
from diagnostics.probe import Context, Row
from diagnostics.probes import PROBES
from tests.diagnostics.conftest import NOW

Gather = Callable[[Context], Sequence[Row]]


@pytest.fixture
def gathering(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Gather], None]:
    """`gathering(probe, function)` lets a probe gather something else."""

    def put(name: str, gather: Gather) -> None:
        monkeypatch.setitem(PROBES, name, replace(PROBES[name], gather=gather))

    return put


@pytest.fixture
def forever() -> Iterator[Gather]:
    release = threading.Event()

    def wait(_: Context) -> Sequence[Row]:
        release.wait(30)
        return []

    yield wait
    release.set()


def check(only: Sequence[str] | None = None, **facts: object) -> diagnostics.Report:
    return diagnostics.run("neimenggu", only=only, facts=facts, now=NOW, offline=True)


def test_what_is_asked_brings_what_it_depends_on_in_causal_order() -> None:
    report = check(["cert_dates", "token"])
    order = list(catalogue.load("neimenggu").probes)
    names = [result.probe for result in report.results]
    assert set(names) >= {"clock", "driver", "ukey", "pin_state", "cert_dates", "token"}
    assert names == sorted(names, key=order.index)
    assert report.asked == ("cert_dates", "token")


def test_two_failures_have_one_root_cause_the_earlier(gathering: Callable[[str, Gather], None]) -> None:
    gathering("ukey", lambda _: [dict.fromkeys(PROBES["ukey"].facts) | {"state": "absent"}])
    gathering("driver", lambda _: [dict.fromkeys(PROBES["driver"].facts) | {"outcome": "ok", "library": "x"}])
    report = check(["cert_dates", "token"], token_expires_at=NOW - timedelta(hours=1))
    assert report.root_cause is not None
    assert report.root_cause.probe == "ukey"
    assert report.of("token").status == "fail"
    assert report.of("cert_dates").blocked_by == "ukey"
    assert report.of("pin_state").blocked_by == "ukey"


def test_a_gap_that_blocks_is_said_for_what_was_asked() -> None:
    report = check(["cert_dates"])
    assert report.of("cert_dates").blocked_by == "driver"
    assert report.exit_code == 0
    assert "没有在系统目录里找到" in report.say()


def test_a_probe_that_hangs_is_given_up(
    gathering: Callable[[str, Gather], None], limit: Callable[..., None], forever: Gather
) -> None:
    gathering("clock", forever)
    limit(clock=0.1)
    report = check(["token"], token_expires_at=NOW + timedelta(hours=1))
    assert report.of("clock").finding == "timed_out"
    assert report.of("token").finding == "token_valid"


def test_the_whole_run_has_a_limit(
    gathering: Callable[[str, Gather], None], limit: Callable[..., None], forever: Gather
) -> None:
    gathering("clock", forever)
    gathering("token", forever)
    limit(whole=0.2)
    report = check(["token"])
    assert [result.finding for result in report.results] == ["timed_out", "timed_out"]


@pytest.mark.parametrize("rows", [[], [{"unknown": 1}], [{"source": "caller"}]])
def test_a_probe_that_gathers_something_undeclared_is_our_failure(
    gathering: Callable[[str, Gather], None], rows: list[Row]
) -> None:
    gathering("token", lambda _: rows)
    report = check(["token"])
    assert report.of("token").doctor_error
    assert report.exit_code == 2


def test_a_broken_probe_does_not_hide_a_failure(gathering: Callable[[str, Gather], None]) -> None:
    def broken(_: Context) -> Sequence[Row]:
        raise ZeroDivisionError

    gathering("clock", broken)
    report = check(["token"], token_expires_at=NOW - timedelta(hours=1))
    assert "ZeroDivisionError" in report.of("clock").summary
    assert report.exit_code == 1


def test_progress_tells_each_result_once() -> None:
    seen: list[str] = []
    report = diagnostics.run("neimenggu", offline=True, progress=lambda result: seen.append(result.probe))
    assert sorted(seen) == sorted(result.probe for result in report.results)


def test_what_cannot_be_run_is_refused_by_name() -> None:
    with pytest.raises(NotFoundError, match="atlantis"):
        diagnostics.run("atlantis")
    with pytest.raises(InvalidError, match="token2"):
        check(["token2"])
    with pytest.raises(InvalidError, match="colour"):
        check(["token"], colour="red")
    with pytest.raises(InvalidError, match="时区"):
        diagnostics.run("neimenggu", now=datetime(2026, 3, 2))  # noqa: DTZ001 – the mistake under test


def test_authorities_are_found_in_the_folder_that_a_server_has_them_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIGOU_TRUST", str(tmp_path))
    with pytest.raises(InvalidError):
        diagnostics.run("neimenggu", only=())
    (tmp_path / "root.pem").touch()
    diagnostics.run("neimenggu", only=())


def test_the_json_form_reads_back_as_the_same_report() -> None:
    report = check(["token"], token_expires_at=NOW - timedelta(hours=1))
    document = report.to_dict()
    assert document.pop("exit_code") == 1
    assert document.pop("say") == report.say()
    assert TypeAdapter(diagnostics.Report).validate_python(document) == report


def test_no_run_leaves_threads_handles_or_children(empty_softhsm: Path) -> None:
    def whole() -> None:
        diagnostics.run("neimenggu", module=empty_softhsm, now=NOW, offline=True)

    whole()
    process = psutil.Process()
    before, handles = threading.active_count(), process.num_fds()
    for _ in range(5):
        whole()
    for thread in threading.enumerate():
        if thread.name.startswith("probe-"):
            thread.join(10)
    assert threading.active_count() <= before
    assert process.num_fds() <= handles
    assert not [
        child for child in process.children(recursive=True) if "pkcs11_child" in " ".join(child.cmdline())
    ]

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diagnostics
from core.domain.errors import InvalidError
from diagnostics.held import lasting
from diagnostics.probes.token import TOKEN_VARIABLE, expiry_of_jwt
from tests.diagnostics.conftest import NOW


def check(**facts: object) -> diagnostics.Report:
    return diagnostics.run("neimenggu", only=["token"], facts=facts, now=NOW, offline=True)


def jwt(payload: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(payload)}.c2lnbmF0dXJl"


@pytest.mark.covers("nm-13")
@pytest.mark.parametrize(
    ("left", "status", "finding", "words"),
    [
        (timedelta(hours=2), "ok", "token_valid", "还剩 120 分钟"),
        (timedelta(seconds=601), "ok", "token_valid", "还剩 10 分钟"),
        (timedelta(minutes=10), "warn", "token_short", "还剩 10 分钟"),
        (timedelta(seconds=61), "warn", "token_short", "还剩 1 分钟"),
        (timedelta(seconds=60), "warn", "token_ending", "不足 1 分钟"),
        (timedelta(seconds=-60), "warn", "token_ending", "正在到期"),
        (timedelta(seconds=-61), "fail", "token_expired", "过期 1 分钟"),
        (timedelta(minutes=-45), "fail", "token_expired", "过期 45 分钟"),
    ],
)
def test_expiry_is_said_in_minutes(left: timedelta, status: str, finding: str, words: str) -> None:
    report = check(token_expires_at=NOW + left)
    result = report.of("token")
    assert (result.status, result.finding, result.topic) == (
        status,
        finding,
        None if status == "ok" else "nm-13",
    )
    assert words in report.say()


@pytest.mark.parametrize("minutes", [-5000, -2, -0.5, 0.5, 5, 90])
def test_what_the_server_judges_by_itself_is_what_a_run_would_say(minutes: float) -> None:
    expires = NOW + timedelta(minutes=minutes)
    run, own = check(token_expires_at=expires, reference_time=NOW), lasting("neimenggu", expires, NOW)
    assert own.say() == run.say()
    assert own.exit_code == run.exit_code
    found = [(one.probe, one.status, one.finding, one.evidence, one.topic) for one in own.results]
    assert found == [(one.probe, one.status, one.finding, one.evidence, one.topic) for one in run.results]


@pytest.mark.covers("nm-13")
def test_an_expired_token_is_the_root_cause_and_the_form_is_kept() -> None:
    report = check(token_expires_at=(NOW - timedelta(minutes=5)).isoformat())
    assert report.root_cause is not None
    assert report.root_cause.probe == "token"
    assert report.exit_code == 1
    assert "不要关闭填写中的页面" in report.say()
    assert "重新登录" in report.say()


def test_expiry_from_a_token_which_is_never_shown() -> None:
    token = jwt({"exp": (NOW - timedelta(minutes=7)).timestamp(), "sub": "张三"})
    report = check(token="Bearer " + token)
    assert "过期 7 分钟" in report.say()
    shown = json.dumps(report.to_dict(), ensure_ascii=False)
    assert token.split(".")[1] not in shown
    assert "张三" not in shown


def test_a_token_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, jwt({"exp": (NOW + timedelta(hours=1)).timestamp()}))
    assert check().of("token").finding == "token_valid"


@pytest.mark.parametrize("payload", [{}, {"exp": True}, {"exp": "soon"}, {"exp": 1e300}, [], "exp", None])
def test_a_token_without_a_usable_expiry_is_unreadable(payload: object) -> None:
    result = check(token=jwt(payload)).of("token")
    assert (result.status, result.finding) == ("unknown", "token_unreadable")


def test_without_a_token_there_is_nothing_to_check() -> None:
    report = check()
    assert report.of("token").status == "skip"
    assert "没有提供登录凭证" in report.say()


def test_our_clock_is_corrected_by_what_was_measured() -> None:
    # Two minutes fast: by our clock the token is a minute and a half over, by the right one it is not.
    report = check(token_expires_at=NOW - timedelta(seconds=90), reference_time=NOW - timedelta(seconds=120))
    assert report.of("clock").finding == "clock_right"
    assert report.of("token").finding == "token_ending"


@pytest.mark.parametrize(
    ("off", "finding", "words"),
    [
        (timedelta(minutes=20), "clock_ahead", "快 20 分钟"),
        (timedelta(minutes=-20), "clock_behind", "慢 20 分钟"),
        (timedelta(hours=5, minutes=1), "clock_ahead", "快 5 小时 1 分钟"),
        (timedelta(days=-9800), "clock_behind", "慢 9800 天"),
    ],
)
def test_a_wrong_clock_is_the_cause_before_the_token(off: timedelta, finding: str, words: str) -> None:
    report = check(token_expires_at=NOW - timedelta(hours=1), reference_time=NOW - off)
    assert report.root_cause is not None
    assert report.root_cause.finding == finding
    assert words in report.say()
    assert report.of("token").blocked_by == "clock"


@pytest.mark.parametrize(
    "value", ["soon", "2026-03-02T12:00:00", NOW.replace(tzinfo=None), None, float("nan")]
)
def test_a_time_without_zone_or_sense_is_refused(value: object) -> None:
    with pytest.raises(InvalidError) as caught:
        check(token_expires_at=value)
    assert caught.value.code == "bad_fact"


@settings(deadline=None)
@given(st.text())
def test_any_text_as_token_yields_a_moment_or_nothing(text: str) -> None:
    assert expiry_of_jwt(text) is None


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_payload_yields_a_moment_or_nothing(value: object) -> None:
    moment = expiry_of_jwt(jwt({"exp": value}))
    assert moment is None or moment.utcoffset() == timedelta(0)

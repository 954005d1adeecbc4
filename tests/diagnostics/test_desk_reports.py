"""Reports and pages from outside: whatever is sent ends as a report of ours or as a refusal, never as a fault."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diagnostics
from core.domain.errors import DomainError, InvalidError
from diagnostics import catalogue, desk_reports, page, report

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
GOOD: dict[str, Any] = json.loads(
    report.to_json(diagnostics.run("neimenggu", only=["token", "service"], now=NOW, offline=True))
)
SEEN = {
    "clock_s": NOW.timestamp(), "cookies": True, "agent": "reached", "secure": True, "kernel": 150,
    "permission": "granted",
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inside for place in places(item, (*path, key)))]


def with_change(path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(GOOD)
    if not path:
        return value
    at: Any = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def test_our_own_report_is_read_as_it_was() -> None:
    found = desk_reports.read("neimenggu", GOOD)
    assert [each.probe for each in found.results] == [each["probe"] for each in GOOD["results"]]
    assert found.say() == GOOD["say"]


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(places(GOOD)), value=JSON)
def test_a_changed_report_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    try:
        found = desk_reports.read("neimenggu", with_change(path, value))
    except InvalidError:
        return
    known = catalogue.load("neimenggu")
    for result in found.results:
        assert result.title == known.probes[result.probe].title
        assert result.topic == known.region.topics.get(result.finding)
        assert len(result.summary) <= desk_reports.TEXT_LIMIT
    json.dumps(found.to_dict(), default=str)
    report.to_html(found, here=False)


@given(JSON)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(InvalidError):
        desk_reports.read("neimenggu", value)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["results"].append(d["results"][0]),
        lambda d: d["results"][0].update(status="fail"),
        lambda d: d["results"][0].update(finding="blocked", status="fail"),
        lambda d: d.update(asked=["ukey"]),
        lambda d: d["results"][0].update(evidence=[{"name": "a", "label": "a", "value": 1}] * 300),
        lambda d: d.update(padding="x" * desk_reports.MOST_BYTES),
    ],
)
def test_what_our_doctor_never_says_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    changed = copy.deepcopy(GOOD)
    change(changed)
    with pytest.raises(InvalidError):
        desk_reports.read("neimenggu", changed)


def test_secrets_in_a_foreign_report_are_taken_out() -> None:
    changed = copy.deepcopy(GOOD)
    secrets = "PIN=13572468 张三 110101199003074512 13912345678 abcdefgh12.ijklmnop34.qrst"
    changed["results"][0]["summary"] = changed["results"][0]["remedy"] = secrets
    changed["results"][0]["evidence"] = [{"name": "x", "label": secrets, "value": secrets}]
    kept = json.dumps(desk_reports.read("neimenggu", changed).to_dict(), ensure_ascii=False, default=str)
    for secret in ("13572468", "110101199003074512", "13912345678", "abcdefgh12.ijklmnop34"):
        assert secret not in kept


@given(JSON)
def test_what_no_page_sends_is_refused(value: Any) -> None:
    with pytest.raises(InvalidError):
        page.read(value)


@given(
    clock=st.floats(0, 10**11),
    agent=st.sampled_from(["reached", "refused", "absent", "unasked"]),
    secure=st.booleans(),
    cookies=st.booleans(),
    kernel=st.none() | st.integers(1, 9999),
    permission=st.sampled_from(["granted", "denied", "prompt", "untold"]),
    left=st.none() | st.integers(-(10**6), 10**6),
)
def test_every_page_comes_to_one_finding(
    *,
    clock: float,
    agent: str,
    secure: bool,
    cookies: bool,
    kernel: int | None,
    permission: str,
    left: int | None,
) -> None:
    told = {"clock_s": clock, "agent": agent, "secure": secure, "cookies": cookies, "kernel": kernel}
    seen = page.read({**told, "permission": permission})
    ends = None if left is None else NOW + timedelta(minutes=left)
    for region in catalogue.regions():
        found = page.look(region, seen, NOW, ends)
        assert not found.doctor_error
        assert found.status == "ok" or found.remedy
        cause = page.joined(found, None)
        assert (cause is None) is (found.status == "ok")


@pytest.mark.covers("nm-27")
@pytest.mark.parametrize(
    ("given", "finding"),
    [
        ({}, "page_reached"),
        ({"clock_s": NOW.timestamp() + 299}, "page_reached"),
        ({"clock_s": NOW.timestamp() - 301}, "page_clock"),
        ({"cookies": False}, "page_cookies"),
        ({"agent": "absent", "secure": False, "kernel": 142}, "page_http"),
        ({"agent": "absent", "secure": False, "kernel": 141}, "page_agent_absent"),
        ({"agent": "absent", "permission": "denied"}, "page_denied"),
        ({"agent": "refused"}, "page_origin"),
        ({"agent": "absent", "permission": "prompt"}, "page_unasked"),
        ({"agent": "absent", "permission": "untold"}, "page_untold"),
        ({"agent": "unasked", "permission": "prompt"}, "page_well"),
    ],
)
def test_what_the_browser_tells(given: dict[str, object], finding: str) -> None:
    found = page.look("neimenggu", page.read(SEEN | given), NOW, NOW + timedelta(hours=1))
    assert found.finding == finding
    assert found.topic == ("nm-27" if finding in ("page_denied", "page_http") else None)


def test_a_region_without_checks_is_not_found() -> None:
    with pytest.raises(DomainError):
        desk_reports.read("nowhere", GOOD)

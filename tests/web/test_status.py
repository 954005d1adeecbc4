"""The state of the platform: who sees it, what it says, what Prometheus reads."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from assistant.desk import Desk
from core.adapters.database import SqlDatabase
from core.service.system import System
from diagnostics.result import Result, Status
from diagnostics.watch_store import Span, WatchStore
from tests.web.conftest import HANDLER, SUPPORT, Browser, Clock
from tests.web.echo import app_over
from web.status import WIDTH, board

MALL = "counterpart:mall"


@pytest.fixture
def store(system: System) -> WatchStore:
    assert isinstance(system.database, SqlDatabase)
    return WatchStore(system.database.engine)


@pytest.fixture
def app(system: System, store: WatchStore) -> Flask:
    return app_over(system, desk=Desk(system), watch=store)


@pytest.fixture
def seen(store: WatchStore, clock: Clock) -> Callable[..., None]:
    """`seen(status, ago, finding, summary)` keeps what a worker found then."""
    store.enrol({MALL: "对接系统 · 电子卖场"}, clock())

    def keep(status: Status, ago: timedelta = timedelta(0), summary: str = "电子卖场应答正常") -> None:
        result = Result("counterpart", "对接系统", status, f"f_{status}", summary, remedy="请联系运维")
        store.record(MALL, result, clock() - ago, timedelta(hours=1))

    return keep


def test_only_staff_see_it(browse: Callable[[str], Browser]) -> None:
    assert browse(HANDLER).get("/status").status_code == 403
    assert browse(HANDLER).get("/status/now").status_code == 403
    assert browse(SUPPORT).get("/status").status_code == 200


def test_before_the_first_check_it_says_so(browse: Callable[[str], Browser]) -> None:
    assert "还没有检查过" in browse(SUPPORT).get("/status").text


def test_a_failure_is_shown_with_its_cure_and_its_timeline(
    browse: Callable[[str], Browser], seen: Callable[..., None]
) -> None:
    seen("ok", timedelta(hours=3))
    seen("fail", timedelta(minutes=1), "电子卖场没有应答（联系不上）")
    seen("fail", timedelta(0), "电子卖场没有应答（联系不上）")
    page = browse(SUPPORT).get("/status").text
    assert "1 项故障" in page
    assert "请联系运维" in page
    bars = re.findall(r'<rect class="(\w+)" x="([\d.]+)" y="0" width="([\d.]+)"', page)
    assert [name for name, _, _ in bars] == ["none", "ok", "fail"]
    assert float(bars[1][1]) == pytest.approx(WIDTH * 21 / 24, abs=5)
    assert "最近的变化" in page
    assert 'href="/status"' in browse(SUPPORT).get("/status?window=week").text
    assert "7 天" in browse(SUPPORT).get("/status/now?window=week").text


def test_a_worker_that_stopped_is_noticed(
    browse: Callable[[str], Browser], seen: Callable[..., None], clock: Clock
) -> None:
    seen("ok")
    browser = browse(SUPPORT)
    assert "看后台进程" not in browser.get("/status").text
    clock.ahead += timedelta(minutes=10)
    assert "看后台进程" in browser.get("/status").text


def test_everything_can_be_checked_now(
    browse: Callable[[str], Browser], store: WatchStore, seen: Callable[..., None], clock: Clock
) -> None:
    assert store.claim(MALL, clock(), clock() + timedelta(hours=1))
    assert store.due(clock()) == []
    browser = browse(SUPPORT)
    answer = browser.post("/status/again", dict(browser.form("/status", "/status/again")))
    assert answer.status_code == 303
    assert store.due(clock()) == [MALL]


def test_prometheus_reads_the_same(app: Flask, seen: Callable[..., None]) -> None:
    client = app.test_client()
    assert "caigou_check_status{" not in client.get("/metrics").text
    seen("ok", timedelta(minutes=2))
    seen("warn", summary="电子卖场的时钟不一致")
    text = client.get("/metrics").text
    assert f'caigou_check_status{{check="{MALL}"}} 1.0' in text
    assert 'caigou_check_changes_total{kind="warn"} 1.0' in text
    assert 'caigou_check_changes_total{kind="fail"} 0.0' in text
    assert "caigou_check_seen_timestamp_seconds" in text


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3000), st.integers(0, 600), st.sampled_from(["ok", "warn", "fail", "unknown"])
        )
    )
)
def test_bars_stay_on_the_line(found: list[tuple[int, int, Status]]) -> None:
    at = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
    spans = []
    for ago, lasted, status in found:
        end = at - timedelta(minutes=ago)
        began = end - timedelta(minutes=lasted)
        spans.append(Span(MALL, status, "f", "s", "", began, end, 1, ""))
    rows = board(spans[-1:], spans, {MALL: "x"}, at, timedelta(days=1))
    for bar in (bar for row in rows for bar in row.bars):
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.02
    assert all(row.share is None or 0 <= row.share <= 1 for row in rows)

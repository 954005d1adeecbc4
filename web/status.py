"""The state of the platform for staff: each check with what was found, its cure, and a timeline; and its metrics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from werkzeug.wrappers import Response

from core.domain.rights import Capability
from core.service import rights
from diagnostics.result import SEVERITY, WORDS
from diagnostics.watch import GAPS, rules
from diagnostics.watch_store import Span, WatchStore
from web.parts import house, system
from web.security import actor, require_session
from web.words import when

pages = Blueprint("status", __name__, url_prefix="/status")
pages.before_request(require_session)

WINDOWS = {"day": ("24 小时", timedelta(days=1)), "week": ("7 天", timedelta(days=7))}
WIDTH = 1000  # of a timeline, in its own units
_LEAST = 2.0  # width of the shortest state, so that it can be seen
_CHANGES = 30
_VALUES = {"ok": 0, "warn": 1, "fail": 2, "skip": -1, "unknown": -1}


@dataclass(frozen=True)
class Bar:
    """One state on a timeline: place and width in units of `WIDTH`; `tip` says it in words."""

    x: float
    width: float
    status: str
    tip: str


@dataclass(frozen=True)
class Row:
    """One check. `stale`: it should have come again by now and did not; `share` of the known time it was well."""

    title: str
    now: Span
    stale: bool
    bars: Sequence[Bar]
    share: float | None


def _store() -> WatchStore:
    found = house().parts.watch
    assert found is not None, "registered only with a store"  # noqa: S101
    return found


@pages.get("")
def page() -> str:
    """All checks, the worst first."""
    rights.require(system(), actor(), Capability.RUN_SERVER_DIAGNOSTICS)
    return render_template("status.html", **_shown())


@pages.get("/now")
def now() -> str:
    """The checks alone, for the page to look again."""
    rights.require(system(), actor(), Capability.RUN_SERVER_DIAGNOSTICS)
    return render_template("_status.html", **_shown())


@pages.post("/again")
def again() -> Response:
    """Everything is checked as soon as a worker looks."""
    rights.require(system(), actor(), Capability.RUN_SERVER_DIAGNOSTICS)
    _store().hurry(system().clock())
    flash("已通知后台进程，几秒后会有新的结果")
    return redirect(url_for(".page", window=_window()), 303)


def _window() -> str:
    given = request.values.get("window", "day")
    return given if given in WINDOWS else "day"


def _shown() -> dict[str, object]:
    store, at = _store(), system().clock()
    titles = store.titles()
    window = _window()
    found = board(
        store.latest(), store.spans(titles, at - WINDOWS[window][1]), titles, at, WINDOWS[window][1]
    )
    return {
        "rows": found,
        "counts": {status: sum(row.now.status == status for row in found) for status in WORDS},
        "stale": [row for row in found if row.stale],
        "changes": [(titles.get(each.probe, each.probe), each) for each in store.alerts(_CHANGES)],
        "words": WORDS,
        "window": window,
        "windows": WINDOWS,
        "begin": at - WINDOWS[window][1],
        "at": at,
        "width": WIDTH,
    }


def board(
    latest: Sequence[Span], spans: Sequence[Span], titles: dict[str, str], at: datetime, window: timedelta
) -> list[Row]:
    """Rows in order of severity, then as they are called."""
    rows = [
        Row(
            titles[span.probe],
            span,
            at - span.seen_at > GAPS * rules().every(span.probe),
            [_bar(each, at, window) for each in spans if each.probe == span.probe],
            _share([each for each in spans if each.probe == span.probe], at - window),
        )
        for span in latest
        if span.probe in titles
    ]
    return sorted(rows, key=lambda row: (-SEVERITY[row.now.status], row.title))


def _bar(span: Span, at: datetime, window: timedelta) -> Bar:
    begin = max(0.0, (span.began_at - (at - window)) / window * WIDTH)
    # A state holds until the next look would have come.
    lasts = min(span.seen_at + rules().every(span.probe), at)
    end = min(float(WIDTH), (lasts - (at - window)) / window * WIDTH)
    width = max(_LEAST, end - begin)
    begin = min(begin, WIDTH - width)
    tip = f"{when(span.began_at)} 至 {when(span.seen_at)}　{WORDS[span.status]}：{span.summary}"
    return Bar(round(begin, 2), round(width, 2), span.status, tip)


def _share(spans: Sequence[Span], since: datetime) -> float | None:
    lengths = {"ok": 0.0, "else": 0.0}
    for span in spans:
        if span.status in ("ok", "warn", "fail"):
            length = (span.seen_at - max(span.began_at, since)).total_seconds()
            lengths["ok" if span.status != "fail" else "else"] += max(1.0, length)
    known = sum(lengths.values())
    return lengths["ok"] / known if known else None


class Metrics(Collector):
    """What the worker found, read from the database when Prometheus asks."""

    def __init__(self, store: WatchStore) -> None:
        """Over the store of checks."""
        self._store = store

    def describe(self) -> Iterator[Metric]:
        """Nothing: the database is not asked when the application is built."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """States, when they were seen, how long it took, and how many changes there were."""
        states = GaugeMetricFamily(
            "caigou_check_status", "0 ok, 1 warn, 2 fail, -1 not known", labels=["check"]
        )
        seen = GaugeMetricFamily("caigou_check_seen_timestamp_seconds", "Last look", labels=["check"])
        took = GaugeMetricFamily("caigou_check_duration_seconds", "Length of the last look", labels=["check"])
        for span in self._store.latest():
            states.add_metric([span.probe], _VALUES[span.status])
            seen.add_metric([span.probe], span.seen_at.timestamp())
            took.add_metric([span.probe], span.duration_ms / 1000)
        changes = CounterMetricFamily("caigou_check_changes", "Changes that were told", labels=["kind"])
        counts = self._store.counts()
        for kind in ("warn", "fail", "recovered"):
            changes.add_metric([kind], counts.get(kind, 0))
        yield from (states, seen, took, changes)

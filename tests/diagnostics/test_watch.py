"""Who is due is checked by one worker, states are kept as spans, changes alone are told."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from structlog.testing import capture_logs

from core.adapters.database import make_engine
from core.domain.errors import DataError
from diagnostics.own_facts import FACTS
from diagnostics.probe import Context, Row
from diagnostics.result import Result, Status
from diagnostics.tables import metadata
from diagnostics.watch import FILE, Target, Watch, rules
from diagnostics.watch_store import WatchStore, alert_of

START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STATUSES: Sequence[Status] = ("ok", "warn", "fail", "unknown")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    metadata.create_all(made)
    yield made
    made.dispose()


class World:
    """A clock and a backlog that a test sets."""

    def __init__(self, engine: Engine) -> None:
        self.now, self.looks, self.waits = START, 0, [0]
        self.store = WatchStore(engine)
        self.targets = [Target("outbox", "all", "待发消息", self.gather)]
        self.watch = Watch(self.store, lambda: self.targets, lambda: self.now)

    def gather(self, _: Context) -> Sequence[Row]:
        """The next of `waits`; the last one stays."""
        self.looks += 1
        minutes = self.waits.pop(0) if len(self.waits) > 1 else self.waits[0]
        return [{"waiting": 1, "oldest_minutes": minutes, "parked": 0}]

    def step(self, *waits: int, after: timedelta = MINUTE) -> int:
        self.waits = list(waits) or self.waits
        self.now += after
        return self.watch.round()


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


def test_each_is_checked_when_it_is_due_and_not_before(world: World) -> None:
    assert world.watch.round() == 1
    assert world.watch.round() == 0
    assert world.step(after=59 * timedelta(seconds=1)) == 0
    assert world.step(after=timedelta(seconds=1)) == 1
    world.store.hurry(world.now)
    assert world.watch.round() == 1


def test_a_state_that_lasts_is_one_span_and_a_change_another(world: World) -> None:
    for wait in (0, 0, 0, 20, 20, 90, 0):
        world.step(wait)
    spans = world.store.spans(["outbox:all"], START)
    assert [(span.status, span.alert) for span in spans] == [
        ("ok", ""), ("warn", "warn"), ("fail", "fail"), ("ok", "recovered"),
    ]  # fmt: skip
    assert spans[0].seen_at - spans[0].began_at == 2 * MINUTE
    assert [span.status for span in world.store.latest()] == ["ok"]
    assert [span.alert for span in world.store.alerts(9)] == ["recovered", "fail", "warn"]
    assert world.store.counts() == {"warn": 1, "fail": 1, "recovered": 1}


def test_changes_are_told_once_and_warnings_apart_from_failures(world: World) -> None:
    with capture_logs() as logs:
        for wait in (20, 20, 90, 90, 0, 0):
            world.step(wait)
    told = [(each["alert"], each["log_level"]) for each in logs if each["event"] == "platform_check"]
    assert told == [("warn", "warning"), ("fail", "error"), ("recovered", "info")]


def test_what_failed_once_is_looked_at_again_before_it_is_told(world: World) -> None:
    world.step(0)
    world.step(90, 0)  # gone at the second look
    assert world.looks == 3
    assert [span.status for span in world.store.latest()] == ["ok"]
    assert not world.store.alerts(9)


def test_time_without_checks_is_no_part_of_a_state(world: World) -> None:
    world.step(0)
    world.step(0, after=timedelta(hours=2))
    assert [span.seen_at - span.began_at for span in world.store.spans(["outbox:all"], START)] == [
        timedelta(0)
    ] * 2


def test_what_is_no_longer_checked_takes_no_turn(world: World) -> None:
    world.step(0)
    world.targets = []
    assert world.step() == 0
    assert world.store.titles() == {}
    assert world.store.latest() == []


def test_a_new_title_is_taken_over(world: World) -> None:
    world.step(0)
    world.targets = [Target("outbox", "all", "消息", world.gather)]
    world.step(0)
    assert world.store.titles() == {"outbox:all": "消息"}


def test_a_check_that_breaks_is_unknown_and_harms_no_other(world: World) -> None:
    def broken(_: Context) -> Sequence[Row]:
        raise OSError("no such thing")

    world.targets.append(Target("site", "x", "登录网站", broken))
    assert world.step(0) == 2
    assert {span.probe: span.status for span in world.store.latest()} == {
        "outbox:all": "ok", "site:x": "unknown",
    }  # fmt: skip


def test_of_many_workers_one_carries_a_check_out(engine: Engine) -> None:
    worlds = [World(engine) for _ in range(4)]
    together = threading.Barrier(len(worlds))

    def work(world: World) -> None:
        together.wait()
        for _ in range(5):
            world.step(0)

    threads = [threading.Thread(target=work, args=(world,)) for world in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(world.looks for world in worlds) == 5
    assert len(worlds[0].store.spans(["outbox:all"], START)) == 1


def test_old_states_are_forgotten(world: World) -> None:
    world.step(0)
    world.step(0, after=timedelta(days=91))
    assert len(world.store.spans(["outbox:all"], START)) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(STATUSES), max_size=12))
def test_only_a_change_of_verdict_is_told(statuses: list[Status]) -> None:
    engine = make_engine("sqlite://")
    metadata.create_all(engine)
    store, told = WatchStore(engine), []
    for minute, status in enumerate(statuses):
        result = Result("outbox", "x", status, f"f_{status}", "x")
        alert = store.record("outbox:all", result, START + minute * MINUTE, 3 * MINUTE)
        told += [(minute, alert)] if alert else []
    decided = [(minute, status) for minute, status in enumerate(statuses) if status != "unknown"]
    before = [("", "")] + [(str(minute), status) for minute, status in decided]
    expected = [
        (minute, "recovered" if status == "ok" else status)
        for (_, last), (minute, status) in zip(before, decided, strict=False)
        if status != last and not (status == "ok" and not last)
    ]
    assert told == expected
    engine.dispose()


def test_alert_of() -> None:
    assert alert_of(None, "ok") == ""
    assert alert_of("fail", "warn") == "warn"
    assert alert_of("fail", "unknown") == ""


def test_the_rules_are_whole() -> None:
    assert [probe.name for probe in rules().probes] == list(rules().every_s)
    assert set(rules().every_s) == set(FACTS)
    for probe in rules().probes:
        for rule in probe.rules:
            assert rule.remedy or rule.status in ("ok", "unknown"), rule.finding


def test_mistakes_in_the_rules_are_named_with_their_place(tmp_path: Path) -> None:
    bad = tmp_path / "own.yaml"
    bad.write_text(FILE.read_text().replace("{parked: {gt: 0}}", "{parked: {gt: many}, missing: {is: 1}}"))
    with pytest.raises(DataError) as caught:
        rules(bad)
    assert "missing" in caught.value.message
    assert "own.yaml:" in caught.value.message

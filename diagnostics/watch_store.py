"""Turns and states of the platform's own checks in SQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Engine, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.adapters.database import reader_of
from diagnostics.result import Result, Status
from diagnostics.tables import probe_span, probe_turn

KEPT = timedelta(days=90)
DECIDED = ("ok", "warn", "fail")
Alert = Literal["", "warn", "fail", "recovered"]


@dataclass(frozen=True)
class Span:
    """One state of one check, from when to when (UTC) it was seen so."""

    probe: str
    status: Status
    finding: str
    summary: str
    remedy: str
    began_at: datetime
    seen_at: datetime
    duration_ms: int
    alert: Alert


class WatchStore:
    """Over one engine."""

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; nothing is opened yet."""
        self._engine = engine
        self._reader = reader_of(engine)

    def enrol(self, titles: Mapping[str, str], now: datetime) -> None:
        """These checks and no others take turns; new ones are due at once."""
        with self._reader.connect() as connection:
            known = {row.probe: row.title for row in connection.execute(select(probe_turn))}
        if known == dict(titles):
            return
        for probe, title in titles.items():
            if probe not in known:
                self._add(probe, title, now)
        with self._engine.begin() as connection:
            connection.execute(delete(probe_turn).where(probe_turn.c.probe.not_in(list(titles))))
            for probe, title in titles.items():
                connection.execute(update(probe_turn).where(probe_turn.c.probe == probe).values(title=title))

    def _add(self, probe: str, title: str, now: datetime) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(probe_turn).values(probe=probe, title=title, due=now))
        except IntegrityError:
            return  # another worker was sooner

    def due(self, now: datetime) -> list[str]:
        """Checks whose turn it is, longest due first."""
        query = select(probe_turn.c.probe).where(probe_turn.c.due <= now).order_by(probe_turn.c.due)
        with self._reader.connect() as connection:
            return list(connection.scalars(query))

    def claim(self, probe: str, now: datetime, again: datetime) -> bool:
        """Take the turn; the next one comes at `again`. False where another worker has it."""
        mine = (probe_turn.c.probe == probe) & (probe_turn.c.due <= now)
        with self._engine.begin() as connection:
            return connection.execute(update(probe_turn).where(mine).values(due=again)).rowcount == 1

    def hurry(self, now: datetime) -> None:
        """All checks are due."""
        with self._engine.begin() as connection:
            connection.execute(update(probe_turn).where(probe_turn.c.due > now).values(due=now))

    def record(self, probe: str, result: Result, now: datetime, gap: timedelta) -> Alert:
        """Keep what was found; the alert where it is a change. After a `gap` without checks a new span begins."""
        newest = probe_span.c.probe == probe
        with self._engine.begin() as connection:
            # A slow look may end beside the next one: they queue up here. SQLite has one writer anyway.
            connection.execute(select(probe_turn).where(probe_turn.c.probe == probe).with_for_update())
            last = connection.execute(
                select(probe_span).where(newest).order_by(probe_span.c.id.desc()).limit(1)
            ).first()
            seen = {"seen_at": now, "summary": result.summary, "duration_ms": result.duration_ms}
            told = {**seen, "remedy": result.remedy or ""}
            same = last and (last.status, last.finding) == (result.status, result.finding)
            if last and same and now - last.seen_at <= gap:
                told["seen_at"] = max(now, last.seen_at)
                connection.execute(update(probe_span).where(probe_span.c.id == last.id).values(**told))
                return ""
            before = connection.scalar(
                select(probe_span.c.status)
                .where(newest, probe_span.c.status.in_(DECIDED))
                .order_by(probe_span.c.id.desc())
                .limit(1)
            )
            alert = alert_of(before, result.status)
            values = {"probe": probe, "status": result.status, "finding": result.finding, "began_at": now}
            connection.execute(insert(probe_span).values(**values, **told, alert=alert))
            return alert

    def prune(self, now: datetime) -> None:
        """Forget what is older than `KEPT`."""
        with self._engine.begin() as connection:
            connection.execute(delete(probe_span).where(probe_span.c.seen_at < now - KEPT))

    def titles(self) -> dict[str, str]:
        """Checks that take turns."""
        with self._reader.connect() as connection:
            return {row.probe: row.title for row in connection.execute(select(probe_turn))}

    def spans(self, probes: Collection[str], since: datetime) -> Sequence[Span]:
        """States that lasted until `since` or later, oldest first."""
        query = select(probe_span).where(probe_span.c.probe.in_(list(probes)), probe_span.c.seen_at >= since)
        with self._reader.connect() as connection:
            return [_span(row) for row in connection.execute(query.order_by(probe_span.c.id))]

    def latest(self) -> Sequence[Span]:
        """The newest state of each check that takes turns."""
        newest = (
            select(func.max(probe_span.c.id))
            .join(probe_turn, probe_turn.c.probe == probe_span.c.probe)
            .group_by(probe_span.c.probe)
        )
        query = select(probe_span).where(probe_span.c.id.in_(newest))
        with self._reader.connect() as connection:
            return [_span(row) for row in connection.execute(query)]

    def alerts(self, limit: int) -> Sequence[Span]:
        """Changes, newest first."""
        query = select(probe_span).where(probe_span.c.alert != "").order_by(probe_span.c.id.desc())
        with self._reader.connect() as connection:
            return [_span(row) for row in connection.execute(query.limit(limit))]

    def counts(self) -> Mapping[str, int]:
        """How many alerts of each kind are kept."""
        query = select(probe_span.c.alert, func.count().label("times")).where(probe_span.c.alert != "")
        with self._reader.connect() as connection:
            return {row.alert: row.times for row in connection.execute(query.group_by(probe_span.c.alert))}


def alert_of(before: str | None, now: str) -> Alert:
    """Whether `now` is a change against the last verdict; what could not be seen changes nothing."""
    if now not in DECIDED or now == before:
        return ""
    if now == "ok":
        return "recovered" if before else ""
    return "fail" if now == "fail" else "warn"


def _span(row: Row[Any]) -> Span:
    return Span(**{part.name: getattr(row, part.name) for part in fields(Span)})

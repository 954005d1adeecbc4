"""Replays that run aside while somebody looks at a page: started once, kept in the database, seen from every process."""

import hashlib
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.adapters.database import reader_of
from kb.entries import Library
from kb.evaluation import Question, read_questions
from kb.replay import Outcome, Replay, Turned, replay
from kb.tables import replay as table

_LOG = structlog.get_logger()
_LOST = timedelta(minutes=10)  # a process that was to answer by then has ended

Run = Callable[[Callable[[], None]], None]


@dataclass(frozen=True)
class Running:
    """Started, not done."""

    since: datetime


class Replays:
    """What an edit does to the answers."""

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], cache: Path, run: Run | None = None
    ) -> None:
        """`cache` holds the indexes of what is published and, in `evaluation/*.jsonl`, the evaluation sets."""
        self._engine, self._reader, self._clock = engine, reader_of(engine), clock
        self._cache = cache
        self._run = run or _in_a_thread

    def questions(self) -> list[Question]:
        """All evaluation sets; DataError names the lines that cannot be read."""
        files = sorted((self._cache / "evaluation").glob("*.jsonl"))
        return [one for file in files for one in read_questions(file)]

    def find(self, number: int, revisions: Collection[int]) -> Replay | Running | None:
        """The replay of these revisions over publication `number`; None where nobody asked, or its process ended."""
        with self._reader.connect() as connection:
            row = connection.execute(select(table).where(table.c.key == self._key(number, revisions))).first()
        if row is None:
            return None
        if row.done_at is None:
            return Running(row.started_at) if self._clock() - row.started_at < _LOST else None
        return Replay(row.asked, tuple(_turned(one) for one in row.turned))

    def start(
        self, number: int, revisions: Collection[int], region: str, before: Library, after: Library
    ) -> None:
        """Begin, unless somebody has."""
        if self.find(number, revisions) is not None:
            return
        key, questions = self._key(number, revisions), self.questions()
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(table).where(table.c.key == key))
                connection.execute(insert(table).values(key=key, started_at=self._clock()))
        except IntegrityError:
            return  # somebody else was quicker
        self._run(lambda: self._carry_out(key, region, before, after, questions))

    def _carry_out(
        self, key: str, region: str, before: Library, after: Library, questions: Sequence[Question]
    ) -> None:
        try:
            found = replay(before, after, region, questions, self._cache)
            values: dict[str, Any] = {
                "done_at": self._clock(),
                "asked": found.asked,
                "turned": [asdict(one) for one in found.turned],
            }
            with self._engine.begin() as connection:
                connection.execute(update(table).where(table.c.key == key).values(**values))
        except Exception:  # noqa: BLE001 - whatever it was, the page must be able to ask again
            _LOG.exception("replay_failed", region=region)
            with self._engine.begin() as connection:
                connection.execute(delete(table).where(table.c.key == key))

    def _key(self, number: int, revisions: Collection[int]) -> str:
        total = hashlib.sha256(repr((number, sorted(revisions))).encode())
        for file in sorted((self._cache / "evaluation").glob("*.jsonl")):
            total.update(file.read_bytes())
        return total.hexdigest()


def _in_a_thread(act: Callable[[], None]) -> None:
    threading.Thread(target=act, name="replay", daemon=True).start()


def _turned(row: dict[str, Any]) -> Turned:
    before, after = Outcome(**row["before"]), Outcome(**row["after"])
    return Turned(row["question"], tuple(row["expected"]), before, after, row["better"])

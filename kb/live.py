"""The published knowledge inside one process: kept current without a restart and without a failing request."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import structlog

from kb.entries import Library
from kb.retriever import Finding, Retriever, open_retriever
from kb.store import Store

_LOG = structlog.get_logger()
_EVERY = 2.0  # seconds between looks at the number


@dataclass(frozen=True)
class Snapshot:
    """A published state: its number, the day for which it holds, entries, and retrievers opened so far."""

    number: int
    day: date
    library: Library
    _retrievers: dict[str, Retriever] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _cache: Path | None = None

    def retriever(self, region: str) -> Retriever:
        """The region's retriever, opened when first asked; NotFoundError for a region without entries."""
        known = self._retrievers.get(region)
        if known is not None:
            return known
        # A lock for each: who asks in one region does not wait until another region's index is trained.
        with self._locks.setdefault(region, threading.Lock()):
            if region not in self._retrievers:
                self._retrievers[region] = open_retriever(region, self.library, cache_dir=self._cache)
            return self._retrievers[region]

    def find(self, region: str, text: str, prior: Mapping[str, float] | None = None) -> Finding:
        """What `text` asks; NotFoundError for a region without entries."""
        return self.retriever(region).find(text, prior=prior)

    def followed_by(self, number: int, day: date, library: Library) -> "Snapshot":
        """The next state, with a retriever for every region that has one here; unchanged regions keep theirs."""
        later = Snapshot(number, day, library, _cache=self._cache)
        for region, retriever in list(self._retrievers.items()):
            if region not in library.regions:
                continue
            if library.digest_of(region) == self.library.digest_of(region):
                later._retrievers[region] = retriever
            else:
                later.retriever(region)
        return later


class Live:
    """Gives the current snapshot. Looks at the number now and then; builds in a thread; swaps one reference."""

    def __init__(
        self,
        store: Store,
        base: Library,
        *,
        cache_dir: Path | None = None,
        every: float = _EVERY,
        clock: Callable[[], float] = time.monotonic,
        bring_in: bool = True,
    ) -> None:
        """Take what is published, the files where nothing is; `clock` in seconds, `every` between looks.

        `bring_in`: publish what the files have anew first. Only the process that serves does; a helper of it that is
        still of an older release would else put older files over newer ones.
        """
        self.store, self.base = store, base
        self._every, self._clock = every, clock
        self._looking = threading.Lock()
        if bring_in:
            store.sync(base)
        day = store.today()
        number, library = store.library(base)
        self._snapshot = Snapshot(number, day, library, _cache=cache_dir)
        self._looked = clock()

    def current(self) -> Snapshot:
        """What to answer from now. Never waits: a newer state is built aside and given once it is whole."""
        if self._clock() - self._looked >= self._every and self._looking.acquire(blocking=False):
            self._looked = self._clock()
            threading.Thread(target=self._follow, name="knowledge", daemon=True).start()
        return self._snapshot

    def find(self, region: str, text: str, prior: Mapping[str, float] | None = None) -> Finding:
        """What `text` asks, from the current snapshot."""
        return self.current().find(region, text, prior)

    def refresh(self) -> Snapshot:
        """Take what is published now, at once; for those who have just published."""
        with self._looking:
            self._take()
        return self._snapshot

    def close(self) -> None:
        """Wait for a look that is under way and begin no other: the database may be closed then."""
        self._looking.acquire()

    def _follow(self) -> None:
        try:
            self._take()
        except Exception:  # noqa: BLE001 - whatever fails, the old state goes on answering; the next look tries again
            _LOG.exception("knowledge_not_refreshed", number=self._snapshot.number)
        finally:
            self._looking.release()

    def _take(self) -> None:
        before, day = self._snapshot, self.store.today()
        if (self.store.number(), day) == (before.number, before.day):
            return
        number, library = self.store.library(self.base)
        self._snapshot = before.followed_by(number, day, library)
        _LOG.info("knowledge_refreshed", number=number)

"""Scheduled checks of what the platform itself stands on: who is due is checked, states are kept, changes are told."""

import json
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import structlog
from pydantic import TypeAdapter, ValidationError

from core.adapters import yaml_reader
from core.domain.errors import DataError
from diagnostics import catalogue_file
from diagnostics.catalogue import ProbeData, Region
from diagnostics.desk import Desk
from diagnostics.inventory import Inventory
from diagnostics.own_facts import FACTS, Gather
from diagnostics.probe import Context, Probe
from diagnostics.result import SEVERITY, Result
from diagnostics.runner import judge, timed_out
from diagnostics.watch_store import WatchStore

log = structlog.get_logger(__name__)

FILE = Path(__file__).with_name("own.yaml")
GAPS = 3  # rounds that may be missed before the time between counts as not checked
_AT_ONCE = 4
_GRACE_S = 1.0  # so that a look can say itself what took so long


@dataclass(frozen=True)
class Rules:
    """`own.yaml`: how often each kind is checked, in seconds, and how its facts are judged."""

    __pydantic_config__ = {"extra": "forbid", "strict": True}  # noqa: RUF012 - pydantic's way
    every_s: dict[str, int]
    probes: list[ProbeData]

    def of(self, kind: str) -> ProbeData:
        """The rules of one kind."""
        return next(probe for probe in self.probes if probe.name == kind)

    def every(self, probe: str) -> timedelta:
        """How often a check comes; its kind stands before the colon."""
        return timedelta(seconds=self.every_s[probe.partition(":")[0]])


@dataclass(frozen=True)
class Target:
    """One thing that is checked: kind, what tells it apart, how people call it, and how to look."""

    kind: str
    name: str
    title: str
    gather: Gather

    @property
    def probe(self) -> str:
        """Under which it is kept."""
        return f"{self.kind}:{self.name}"


@cache
def rules(file: Path = FILE) -> Rules:
    """DataError with every mistake."""
    located = yaml_reader.read(file)
    try:
        found = TypeAdapter(Rules).validate_json(json.dumps(located.value))
    except ValidationError as error:
        raise DataError(yaml_reader.problems_of(error, located)) from error
    known = {kind: Probe(kind, facts, lambda _: ()) for kind, facts in FACTS.items()}
    problems = list(catalogue_file.check_probes(found.probes, located, known, frozenset()))
    if set(found.every_s) != set(known):
        problems.append(located.problem(("every_s",), f"要写明每一种多久检查一次：{'、'.join(known)}"))
    if problems:
        raise DataError(problems)
    return found


class Watch:
    """The worker's side. Any number of workers may watch: each check is carried out by one of them."""

    def __init__(
        self, store: WatchStore, targets: Callable[[], Sequence[Target]], clock: Callable[[], datetime]
    ) -> None:
        """`targets` is asked in every round: units and their tokens come and go."""
        self._store = store
        self._targets = targets
        self._clock = clock

    def round(self) -> int:
        """Carry out what is due; how many were."""
        targets = {target.probe: target for target in self._targets()}
        now = self._clock()
        self._store.enrol({probe: target.title for probe, target in targets.items()}, now)
        mine = [
            targets[probe]
            for probe in self._store.due(now)
            if probe in targets and self._store.claim(probe, now, now + rules().every(probe))
        ]
        if not mine:
            return 0
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            list(pool.map(self._look, mine))
        self._store.prune(now)
        return len(mine)

    def _look(self, target: Target) -> None:
        result = check(target, self._clock())
        if SEVERITY[result.status] > SEVERITY["ok"]:
            # A line that failed once is no finding: what is told has been seen twice.
            again = check(target, self._clock())
            result = min(result, again, key=lambda each: SEVERITY[each.status])
        gap = GAPS * rules().every(target.probe)
        alert = self._store.record(target.probe, result, self._clock(), gap)
        if alert:
            tell = log.info if alert == "recovered" else log.warning if alert == "warn" else log.error
            tell(
                "platform_check", alert=alert, probe=target.probe, finding=result.finding, said=result.summary
            )


def check(target: Target, now: datetime) -> Result:
    """One look, judged; what takes longer than its kind may is left behind, and "unknown"."""
    data = rules().of(target.kind)
    context = Context(
        region=Region("own", "本平台"),
        words={},
        now=now,
        given={},
        offline=False,
        desk=Desk(),
        inventory=Inventory(()),
        deadline=time.monotonic() + data.limit_s,
    )
    probe = Probe(target.kind, FACTS[target.kind], target.gather)
    answers: queue.SimpleQueue[Result] = queue.SimpleQueue()
    looking = threading.Thread(
        target=lambda: answers.put(judge(probe, data, context).result), name=target.probe, daemon=True
    )
    looking.start()
    try:
        return answers.get(timeout=data.limit_s + _GRACE_S)
    except queue.Empty:
        return timed_out(data).result

"""Runs probes in causal order and names one root cause.

A probe starts as soon as its gates are decided; where one blocks, it is skipped with the name of the cause.
Each runs in a thread with a time limit. What can crash (vendor libraries) runs in children, not here.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path

from core.domain.errors import InvalidError
from diagnostics import catalogue, conditions, inventory, moments
from diagnostics.catalogue import Catalogue, ProbeData, Rule
from diagnostics.consent import Consent
from diagnostics.desk import Desk
from diagnostics.probe import Context, FactSpec, InputSpec, Probe, Row
from diagnostics.probes import PROBES
from diagnostics.redact import redact, scrub
from diagnostics.result import LEFT_OUT, SEVERITY, Fact, Report, Result, Scalar

MODULE_VARIABLE = "CAIGOU_PKCS11_MODULE"
TRUST_VARIABLE = "CAIGOU_TRUST"
MAX_SENTENCES = 3
Progress = Callable[[Result], None]


@dataclass(frozen=True)
class Verdict:
    """A result, what it gathered, and which probe blocks the ones behind it (itself, or its own cause)."""

    result: Result
    rows: tuple[Row, ...] = ()
    blocker: str | None = None


def run(  # noqa: PLR0913 – each is a condition of its own, given by name
    region: str,
    *,
    only: Sequence[str] | None = None,
    facts: Mapping[str, object] | None = None,
    module: Path | None = None,
    trust: Path | None = None,
    consent: Consent | None = None,
    now: datetime | None = None,
    offline: bool = False,
    desk: Desk | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check one desk; `only` runs these probes and what they depend on.

    `facts` are values the caller knows (see `inputs`), `module` a PKCS#11 library instead of the known ones,
    `trust` a PEM file of accepted authorities, `consent` allows one test signature, `now` is an aware datetime
    instead of the clock; `progress` is called with each result as it is decided.
    Raises NotFoundError (region), InvalidError (probe, fact, `now`, `trust`), DataError (rules).
    """
    if now is not None and now.utcoffset() is None:
        raise InvalidError("时间要带时区", fields={"now": "要带时区"})
    loaded = catalogue.load(region)
    chosen = _chosen(loaded, only)
    given = _given(facts or {})
    began, started = datetime.now(UTC), time.monotonic()
    desk = desk or Desk()
    context = Context(
        region=loaded.region,
        words=loaded.words,
        now=now or began,
        given=given,
        offline=offline,
        desk=desk,
        inventory=desk.keys or inventory.Inventory(_modules(loaded, module)),
        deadline=started + loaded.run_limit_s,
        trust=_trust(trust),
        consent=consent,
    )
    verdicts = _Run(loaded, chosen, context, progress or (lambda _: None)).verdicts()
    results = tuple(verdicts[name].result for name in loaded.probes if name in verdicts)
    root = next((result for result in results if result.status == "fail"), None)
    spent = round((time.monotonic() - started) * 1000)
    asked = tuple(dict.fromkeys(only)) if only is not None else tuple(loaded.probes)
    return Report(region, loaded.region.name, began, spent, asked, results, root)


def _trust(file: Path | None) -> Path | None:
    if file is None and (configured := os.environ.get(TRUST_VARIABLE)):
        file = Path(configured)
        if file.is_dir():  # a server has them in a folder
            file /= "root.pem"
    if file is not None and not file.is_file():
        raise InvalidError(
            f"没有发证机构证书文件 {file.name}，请给出 PEM 格式的文件", fields={"trust": "文件不存在"}
        )
    return file


def inputs() -> dict[str, str]:
    """Names of the values a caller may give, with their Chinese explanation."""
    return {name: spec.label for name, spec in _input_specs().items()}


def _input_specs() -> dict[str, InputSpec]:
    return {name: spec for probe in PROBES.values() for name, spec in probe.inputs.items()}


def _chosen(loaded: Catalogue, only: Sequence[str] | None) -> set[str]:
    if only is None:
        return set(loaded.probes)
    for name in only:
        if name not in loaded.probes:
            known = "、".join(loaded.probes)
            raise InvalidError(
                f"没有名为“{name}”的检查项，可用：{known}", code="unknown_probe", fields={"only": name}
            )
    return set(only).union(*(loaded.ancestors(name) for name in only))


def _given(facts: Mapping[str, object]) -> Mapping[str, datetime | str]:
    known = _input_specs()
    given: dict[str, datetime | str] = {}
    for name, value in facts.items():
        if name not in known:
            raise InvalidError(
                f"不认识的事实“{name}”，可用：{'、'.join(known)}", code="unknown_fact", fields={"facts": name}
            )
        read = known[name].read(value)
        if read is None:
            raise InvalidError(
                f"事实“{name}”读不懂，应为{known[name].label}", code="bad_fact", fields={name: "格式不对"}
            )
        given[name] = read
    return given


def _modules(loaded: Catalogue, module: Path | None) -> list[Path]:
    if module is None and (configured := os.environ.get(MODULE_VARIABLE)):
        module = Path(configured)
    if module is not None:
        return [module]
    names = [driver.library for driver in loaded.region.drivers]
    return inventory.find_modules(names, inventory.system_folders())


class _Run:
    """One run: which probes are decided, and the threads that decide them."""

    def __init__(self, loaded: Catalogue, chosen: set[str], context: Context, progress: Progress) -> None:
        self.loaded, self.chosen, self.context, self.progress = loaded, chosen, context, progress
        self.done: dict[str, Verdict] = {}
        self.answers: queue.SimpleQueue[tuple[str, Verdict]] = queue.SimpleQueue()
        self.limits: dict[str, float] = {}

    def verdicts(self) -> dict[str, Verdict]:
        order = TopologicalSorter({name: self.loaded.probes[name].gates for name in sorted(self.chosen)})
        order.prepare()
        while order.is_active():
            for name in order.get_ready():
                self._start(name)
            for name, verdict in self._next():
                self.done[name] = verdict
                self.progress(verdict.result)
                order.done(name)
        return self.done

    def _start(self, name: str) -> None:
        data = self.loaded.probes[name]
        blocker = next((self.done[gate].blocker for gate in data.gates if self.done[gate].blocker), None)
        deadline = min(time.monotonic() + data.limit_s, self.context.deadline)
        self.limits[name] = deadline
        if blocker:
            self.answers.put((name, _skipped(data, blocker, self.loaded.probes[blocker].title)))
            return
        if missing := PROBES[name].missing():
            self.answers.put((name, _left_out(data, missing)))
            return
        parents = {gate: self.done[gate].rows for gate in data.gates}
        # A probe gets a little less than we wait, so that it can still say itself what took so long.
        context = replace(self.context, deadline=deadline - 0.1 * data.limit_s, parents=parents)
        threading.Thread(
            target=lambda: self.answers.put((name, judge(PROBES[name], data, context))),
            name=f"probe-{name}",
            daemon=True,
        ).start()

    def _next(self) -> list[tuple[str, Verdict]]:
        """At least one more decided probe: one that answered, or those whose time is over."""
        while True:
            waiting = {name: at for name, at in self.limits.items() if name not in self.done}
            try:
                name, verdict = self.answers.get(timeout=max(0.0, min(waiting.values()) - time.monotonic()))
            except queue.Empty:
                over = [name for name, at in waiting.items() if at <= time.monotonic()]
                if over:
                    return [(name, timed_out(self.loaded.probes[name])) for name in over]
                continue
            if name in waiting:  # else it answers after it was given up
                return [(name, verdict)]


def judge(probe: Probe, data: ProbeData, context: Context) -> Verdict:
    """Gather and judge; a mistake of ours becomes "unknown" with `doctor_error`."""
    started = time.monotonic()
    try:
        rows = tuple(probe.gather(context))
        verdict = _judged(probe, data, context, rows)
    except Exception as error:  # noqa: BLE001 – one broken check must not take the others with it
        verdict = Verdict(
            Result(
                data.name,
                data.title,
                "unknown",
                "check_broken",
                f"检查“{data.title}”的程序自身出错（{type(error).__name__}），这一项没有结论",
                doctor_error=True,
            )
        )
    spent = round((time.monotonic() - started) * 1000)
    return replace(verdict, result=replace(verdict.result, duration_ms=spent))


def _judged(probe: Probe, data: ProbeData, context: Context, rows: tuple[Row, ...]) -> Verdict:
    if not rows or any(set(row) != set(probe.facts) for row in rows):
        raise ValueError(f"{probe.name}: rows do not carry exactly the declared facts")
    ruled = [(next(rule for rule in data.rules if conditions.holds(rule.when, row)), row) for row in rows]
    worst = max(SEVERITY[rule.status] for rule, _ in ruled)
    leading = [(rule, row) for rule, row in ruled if SEVERITY[rule.status] == worst]
    rule, row = leading[0]
    sentences = list(dict.fromkeys(_fill(each.say, probe, data, seen, context) for each, seen in leading))
    more = f"等 {len(sentences)} 项" if len(sentences) > MAX_SENTENCES else ""
    result = Result(
        data.name,
        data.title,
        rule.status,
        rule.finding,
        "；".join(sentences[:MAX_SENTENCES]) + more,
        tuple(_evidence(probe.facts, rows)),
        _fill(rule.remedy, probe, data, row, context) if rule.remedy else None,
        context.region.topics.get(rule.finding),
        repair=rule.repair,
    )
    return Verdict(result, rows, data.name if _blocks(leading) else None)


def _blocks(leading: Sequence[tuple[Rule, Row]]) -> bool:
    return any(rule.blocking for rule, _ in leading)


def _fill(template: str, probe: Probe, data: ProbeData, row: Row, context: Context) -> str:
    shown = {name: _word(row[name], spec) for name, spec in probe.facts.items() if spec.redact != "hidden"}
    called = {name: data.values.get(name, {}).get(word, word) for name, word in shown.items()}
    return template.format_map({**context.words, **called})


def _word(value: Scalar, spec: FactSpec) -> str:
    if value is None:
        return "未知"
    if isinstance(value, bool):
        return "是" if value else "否"
    if spec.minutes and isinstance(value, int):
        return moments.span(value)
    return str(redact(value, spec.redact))


def _evidence(specs: Mapping[str, FactSpec], rows: Sequence[Row]) -> list[Fact]:
    return [
        Fact(name, spec.label, _shown(row[name], spec), item)
        for item, row in enumerate(rows, start=1)
        for name, spec in specs.items()
        if spec.redact != "hidden" and row[name] is not None
    ]


def _shown(value: Scalar, spec: FactSpec) -> Scalar:
    return _word(value, spec) if isinstance(value, str) else value


def _skipped(data: ProbeData, blocker: str, title: str) -> Verdict:
    summary = f"“{title}”这一项没有通过，先解决它再检查这一项"
    return Verdict(Result(data.name, data.title, "skip", "blocked", summary, blocked_by=blocker), (), blocker)


def _left_out(data: ProbeData, missing: Sequence[str]) -> Verdict:
    summary = f"这里的 Python 没有 {'、'.join(missing)}，这一项没有做"
    return Verdict(Result(data.name, data.title, "skip", LEFT_OUT, summary))


def timed_out(data: ProbeData) -> Verdict:
    """No verdict within the time of the probe."""
    summary = scrub(f"检查“{data.title}”没有在 {data.limit_s:g} 秒内完成，这一项没有结论")
    spent = round(data.limit_s * 1000)
    return Verdict(Result(data.name, data.title, "unknown", "timed_out", summary, duration_ms=spent))

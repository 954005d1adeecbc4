"""Reads and checks `catalogue/base.yaml` and `catalogue/<region>.yaml`.

Every name a rule uses is checked against the probe's declared facts, so a rule cannot fail at run time.
"""

import json
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from core.adapters import yaml_reader
from core.adapters.yaml_reader import Located
from core.domain.errors import DataError
from diagnostics import conditions
from diagnostics.catalogue import BASE, OPEN_PAGE, REPAIRS, Base, ProbeData, Region, Rule
from diagnostics.probe import Probe

M = TypeVar("M", Base, Region)
FINDING = re.compile(r"[a-z][a-z0-9_]*\Z")
MAX_PROBE_S, MAX_RUN_S = 10, 60


def read(folder: Path, region: str) -> tuple[Base, Region]:
    """Both files; DataError with every mistake as `file:line: sentence`."""
    from diagnostics.probes import PROBES

    base, base_file = _model(folder / f"{BASE}.yaml", Base)
    local, local_file = _model(folder / f"{region}.yaml", Region)
    problems = [
        *_check_base(base, base_file, PROBES, set(base.words)),
        *_check_repairs(base, base_file, set(REPAIRS)),
        *_check_region(local, local_file, base),
    ]
    if problems:
        raise DataError(problems)
    return base, local


def placeholders(template: str) -> list[str] | None:
    """Names in `{}`; None if the template is not made of plain names."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return None
    names = [name for _, name, _, _ in parts if name is not None]
    plain = all(name.isidentifier() for name in names) and not any(spec or conv for _, _, spec, conv in parts)
    return names if plain else None


def _model(file: Path, kind: type[M]) -> tuple[M, Located]:
    located = yaml_reader.read(file)
    try:
        # Through JSON, because strict validation takes no mapping for a dataclass otherwise.
        return TypeAdapter(kind).validate_json(json.dumps(located.value, default=str)), located
    except ValidationError as error:
        raise DataError(yaml_reader.problems_of(error, located)) from error


def _check_base(
    base: Base, located: Located, known: Mapping[str, Probe], words: AbstractSet[str]
) -> Iterator[str]:
    if not 0 < base.run_limit_s <= MAX_RUN_S:
        yield located.problem(("run_limit_s",), f"应在 0 到 {MAX_RUN_S} 秒之间")
    yield from check_probes(base.probes, located, known, words)


def check_probes(
    probes: Sequence[ProbeData], located: Located, known: Mapping[str, Probe], words: AbstractSet[str]
) -> Iterator[str]:
    """Every mistake in `probes`; they stand under that name in the file."""
    seen: set[str] = set()
    findings: set[str] = set()
    for index, data in enumerate(probes):
        path = ("probes", index)
        if data.name in seen:
            yield located.problem((*path, "name"), f"检查项“{data.name}”重复")
        for gate in data.gates:
            if gate not in seen:
                yield located.problem((*path, "gates"), f"前提“{gate}”不存在，或没有排在“{data.name}”之前")
        seen.add(data.name)
        if data.name not in known:
            yield located.problem((*path, "name"), f"没有名为“{data.name}”的检查程序")
            continue
        yield from _check_probe(data, located, path, known[data.name], words, findings)
    yield from (
        located.problem(("probes",), f"检查程序“{name}”没有写进数据") for name in sorted(set(known) - seen)
    )


def _check_probe(
    data: ProbeData,
    located: Located,
    path: tuple[str | int, ...],
    probe: Probe,
    words: AbstractSet[str],
    findings: set[str],
) -> Iterator[str]:
    if not 0 < data.limit_s <= MAX_PROBE_S:
        yield located.problem((*path, "limit_s"), f"应在 0 到 {MAX_PROBE_S} 秒之间")
    for name in sorted(set(data.values) - set(probe.facts)):
        yield located.problem((*path, "values", name), f"检查项“{probe.name}”没有名为“{name}”的事实")
    for place, rule in enumerate(data.rules):
        where = (*path, "rules", place)
        if rule.finding in findings:
            yield located.problem((*where, "finding"), f"结论“{rule.finding}”重复")
        findings.add(rule.finding)
        yield from _check_rule(rule, located, where, probe, words)
    if not data.rules or data.rules[-1].when:
        yield located.problem(
            (*path, "rules", len(data.rules) - 1), "最后一条规则不能带条件：其余情形也要有结论"
        )


def _check_rule(
    rule: Rule, located: Located, where: tuple[str | int, ...], probe: Probe, words: AbstractSet[str]
) -> Iterator[str]:
    if not FINDING.match(rule.finding):
        yield located.problem((*where, "finding"), "结论的名字只用小写字母、数字和下划线")
    for name, comparisons in rule.when.items():
        spec = probe.facts.get(name)
        if spec is None:
            yield located.problem((*where, "when", name), f"检查项“{probe.name}”没有名为“{name}”的事实")
            continue
        for operator, value in comparisons.items():
            if sentence := conditions.mistake(spec.kind, operator, value):
                yield located.problem((*where, "when", name, operator), sentence)
    shown = {name for name, spec in probe.facts.items() if spec.redact != "hidden"} | words
    for key, template in (("say", rule.say), ("remedy", rule.remedy or "")):
        names = placeholders(template)
        if names is None:
            yield located.problem((*where, key), "花括号里只能写一个事实或用词的名字")
            continue
        for name in sorted(set(names) - shown):
            yield located.problem((*where, key), f"“{{{name}}}”不是可显示的事实，也不是 words 里的用词")


def _check_repairs(base: Base, located: Located, known: AbstractSet[str]) -> Iterator[str]:
    for index, data in enumerate(base.probes):
        for place, rule in enumerate(data.rules):
            if rule.repair is not None and rule.repair not in known:
                where = ("probes", index, "rules", place, "repair")
                yield located.problem(
                    where, f"没有名为“{rule.repair}”的修复，可用：{'、'.join(sorted(known))}"
                )
            if (rule.repair == OPEN_PAGE) is (rule.page is None):
                yield located.problem(
                    ("probes", index, "rules", place), f"page 与 repair: {OPEN_PAGE} 要一起写"
                )


def _check_region(local: Region, located: Located, base: Base) -> Iterator[str]:
    if local.region != located.file.stem:
        yield located.problem(("region",), f"应与文件名一致：{located.file.stem}")
    for word in local.words:
        if word not in base.words:
            yield located.problem(("words", word), f"没有规则使用的用词“{word}”，base.yaml 的 words 里没有它")
    findings = {rule.finding for probe in base.probes for rule in probe.rules}
    for finding in local.topics:
        if finding not in findings:
            yield located.problem(("topics", finding), f"没有名为“{finding}”的结论")

"""Reads `catalogue/base.yaml` (probes, their causes and rules) and `catalogue/<region>.yaml` (what is local).

Every name a rule uses is checked against the probe's declared facts, so a rule cannot fail at run time.
"""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from core.adapters.yaml_reader import Located, read_model
from core.domain.errors import DataError, NotFoundError
from diagnostics import conditions
from diagnostics.probe import Probe
from diagnostics.result import Status

FOLDER = Path(__file__).parent / "catalogue"
BASE = "base"
MIN_TITLE = 2


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Rule(_Strict):
    """When the facts are so: this finding, this verdict, these words. The first rule that holds decides."""

    finding: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    when: dict[str, dict[str, Any]] = Field(default_factory=dict)
    status: Status
    say: str = Field(min_length=MIN_TITLE)
    remedy: str | None = None
    blocks: bool | None = None  # default: a failure blocks what depends on it, nothing else does

    @property
    def blocking(self) -> bool:
        """Whether dependent probes are skipped."""
        return self.status == "fail" if self.blocks is None else self.blocks


class ProbeData(_Strict):
    """One probe as data; the place in the file is its place in the causal order."""

    name: str
    title: str = Field(min_length=MIN_TITLE)
    about: str
    gates: list[str] = Field(default_factory=list)
    limit_s: float = Field(gt=0, le=10)
    rules: list[Rule] = Field(min_length=1)


class _Base(_Strict):
    run_limit_s: float = Field(gt=0, le=60)
    probes: list[ProbeData]


class ServiceData(_Strict):
    """A Windows service by its service name, and the symptom seen when it does not run."""

    name: str
    symptom: str


class SealClient(_Strict):
    """The local seal component: its program, and its folder below the roaming profile folder."""

    folder: str
    program: str


class Driver(_Strict):
    """A vendor's PKCS#11 library by file name, looked for in the system folders."""

    vendor: str
    library: str


class Region(_Strict):
    """What differs between regions. `topics` maps a finding to the knowledge entry with its cure."""

    region: str
    name: str
    login_url: str
    words: dict[str, str] = Field(default_factory=dict)
    topics: dict[str, str] = Field(default_factory=dict)
    services: list[ServiceData] = Field(default_factory=list)
    seal_client: SealClient | None = None
    drivers: list[Driver] = Field(default_factory=list)


@dataclass(frozen=True)
class Catalogue:
    """One region's resolved data: probes in causal order by name."""

    region: Region
    run_limit_s: float
    probes: Mapping[str, ProbeData]

    def ancestors(self, name: str) -> set[str]:
        """All probes `name` depends on, directly or not."""
        gates = self.probes[name].gates
        return set(gates).union(*(self.ancestors(gate) for gate in gates))


def regions(folder: Path = FOLDER) -> list[str]:
    """Names of the regions that have data."""
    return sorted(file.stem for file in folder.glob("*.yaml") if file.stem != BASE)


@cache
def load(region: str, folder: Path = FOLDER) -> Catalogue:
    """Catalogue of one region; NotFoundError for an unknown one, DataError listing every mistake."""
    known = regions(folder)
    if region not in known:
        raise NotFoundError(
            f"没有区划“{region}”的诊断数据，现有：{'、'.join(known)}",
            code="unknown_region",
            fields={"region": region},
        )
    from diagnostics.probes import PROBES

    base, base_file = read_model(folder / f"{BASE}.yaml", _Base)
    local, local_file = read_model(folder / f"{region}.yaml", Region)
    problems = [
        *_check_base(base, base_file, PROBES, set(local.words)),
        *_check_region(local, local_file, base),
    ]
    if problems:
        raise DataError(problems)
    return Catalogue(local, base.run_limit_s, {probe.name: probe for probe in base.probes})


def placeholders(template: str) -> list[str] | None:
    """Names in `{}`; None if the template is not made of plain names."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return None
    names = [name for _, name, _, _ in parts if name is not None]
    plain = all(name.isidentifier() for name in names) and not any(spec or conv for _, _, spec, conv in parts)
    return names if plain else None


def _check_base(base: _Base, located: Located, known: Mapping[str, Probe], words: set[str]) -> Iterator[str]:
    seen: set[str] = set()
    findings: set[str] = set()
    for index, data in enumerate(base.probes):
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
        for place, rule in enumerate(data.rules):
            where = (*path, "rules", place)
            if rule.finding in findings:
                yield located.problem((*where, "finding"), f"结论“{rule.finding}”重复")
            findings.add(rule.finding)
            yield from _check_rule(rule, located, where, known[data.name], words)
        if data.rules[-1].when:
            yield located.problem(
                (*path, "rules", len(data.rules) - 1), "最后一条规则不能带条件：其余情形也要有结论"
            )
    yield from (
        located.problem(("probes",), f"检查程序“{name}”没有写进数据") for name in sorted(set(known) - seen)
    )


def _check_rule(
    rule: Rule, located: Located, where: tuple[str | int, ...], probe: Probe, words: set[str]
) -> Iterator[str]:
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
            yield located.problem((*where, key), f"“{{{name}}}”不是可显示的事实，区划数据里也没有这个用词")


def _check_region(local: Region, located: Located, base: _Base) -> Iterator[str]:
    if local.region != located.file.stem:
        yield located.problem(("region",), f"应与文件名一致：{located.file.stem}")
    findings = {rule.finding for probe in base.probes for rule in probe.rules}
    for finding in local.topics:
        if finding not in findings:
            yield located.problem(("topics", finding), f"没有名为“{finding}”的结论")

"""What a check found: frozen, redacted when made, and the same for people, chat and machines."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Literal

Status = Literal["ok", "warn", "fail", "skip", "unknown"]
Scalar = bool | int | float | str | None
SEVERITY: Mapping[Status, int] = {"fail": 4, "warn": 3, "unknown": 2, "ok": 1, "skip": 0}
WORDS: Mapping[Status, str] = {
    "ok": "正常",
    "warn": "注意",
    "fail": "故障",
    "skip": "跳过",
    "unknown": "未知",
}
LEFT_OUT = "left_out"  # finding of a probe whose modules are not installed here
PACKED_SCHEMA = "schema.json"
EXIT_WELL, EXIT_FAILURE, EXIT_DOCTOR = 0, 1, 2


@dataclass(frozen=True)
class Fact:
    """One thing seen. `item` counts from 1 where a probe looks at several (services, certificates)."""

    name: str
    label: str
    value: Scalar
    item: int = 1


@dataclass(frozen=True)
class Result:
    """Verdict of one probe. `finding` is stable; `blocked_by` names the probe whose failure made this skip.

    `repair` names what `diagnostics.repair` can do about it. `doctor_error` marks a check that
    broke by our own fault; its verdict is always "unknown".
    """

    probe: str
    title: str
    status: Status
    finding: str
    summary: str
    evidence: tuple[Fact, ...] = ()
    remedy: str | None = None
    topic: str | None = None
    blocked_by: str | None = None
    repair: str | None = None
    duration_ms: int = 0
    doctor_error: bool = False


@dataclass(frozen=True)
class Report:
    """All verdicts in causal order; `root_cause` is the first failure whose causes did not fail.

    `asked` names the probes that were asked for; `results` also holds those they depend on.
    """

    region: str
    region_name: str
    started_at: datetime
    duration_ms: int
    asked: tuple[str, ...]
    results: tuple[Result, ...]
    root_cause: Result | None

    def of(self, probe: str) -> Result:
        """Verdict of one probe; KeyError if it was not run."""
        for result in self.results:
            if result.probe == probe:
                return result
        raise KeyError(probe)

    @property
    def exit_code(self) -> int:
        """0 well, 1 a failure found, 2 a check broke by our own fault and no failure was found."""
        if self.root_cause:
            return EXIT_FAILURE
        return EXIT_DOCTOR if any(result.doctor_error for result in self.results) else EXIT_WELL

    def say(self) -> str:
        """Two to four Chinese sentences: the root cause, what it rests on, what to do."""
        return "".join(_sentence(part) for part in _parts(self))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; described by `schema()`."""
        document = asdict(self) | {"started_at": self.started_at.isoformat()}
        return document | {"exit_code": self.exit_code, "say": self.say()}


def schema() -> dict[str, Any]:
    """JSON Schema of `Report.to_dict()`; the single file carries it along."""
    packed = files("diagnostics").joinpath(PACKED_SCHEMA)
    if packed.is_file():
        made: dict[str, Any] = json.loads(packed.read_text(encoding="utf-8"))
        return made
    from pydantic import TypeAdapter

    described = TypeAdapter(Report).json_schema(mode="serialization")
    described["properties"] |= {"exit_code": {"enum": [0, 1, 2]}, "say": {"type": "string"}}
    return described


def _parts(report: Report) -> list[str]:
    if report.root_cause:
        return _cause(report, report.root_cause)
    asked = [report.of(name) for name in report.asked]
    if len(asked) < len(report.results):
        return [part for result in asked for part in _finding(_decisive(report, result))]
    # A check that holds up others matters more than one that only could not be made, and of these one with a cure.
    holding = {result.blocked_by for result in report.results}
    open_ones = [result for result in report.results if result.status in ("warn", "unknown")]
    open_ones.sort(key=lambda each: (each.status != "warn", each.probe not in holding, not each.remedy))
    undone = sum(result.finding == LEFT_OUT for result in report.results)
    rest = [f"另有 {undone} 项检查这里没有做，它们的情况不知道"] if undone else []
    if open_ones:
        return ["没有发现故障，但有一点要注意", *_finding(open_ones[0]), *rest]
    return ["已检查的项目都正常", *rest]


def _cause(report: Report, cause: Result) -> list[str]:
    parts = [f"原因：{cause.summary}"]
    if cause.remedy:
        parts.append(f"处理办法：{cause.remedy}")
    blocked = [result.title for result in report.results if result.blocked_by == cause.probe]
    if blocked:
        parts.append(f"先解决它，再检查{'、'.join(blocked)}")
    return parts


def _decisive(report: Report, result: Result) -> Result:
    return report.of(result.blocked_by) if result.blocked_by else result


def _finding(result: Result) -> list[str]:
    return [result.summary, f"建议：{result.remedy}"] if result.remedy else [result.summary]


def _sentence(text: str) -> str:
    return text if text.endswith(("。", "！", "？")) else text + "。"

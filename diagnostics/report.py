"""The report to hand over: one page to print and one file to send, both redacted once more."""

import html
import json
import platform
from importlib.resources import files
from string import Template
from typing import Any

from diagnostics import moments
from diagnostics.redact import scrub
from diagnostics.result import WORDS, Report, Result

FORMAT = "caigou-diagnosis/1"


def document(report: Report) -> dict[str, Any]:
    """JSON-ready: the report and the kind of machine; no names of machine or user."""
    machine = {
        "system": platform.system(),
        "release": platform.release(),
        "python": platform.python_version(),
    }
    made: dict[str, Any] = _scrubbed({"format": FORMAT, "machine": machine, **report.to_dict()})
    return made


def to_json(report: Report) -> str:
    """`document` as text."""
    return json.dumps(document(report), ensure_ascii=False, indent=2, default=list) + "\n"


def to_html(report: Report, *, here: bool = True) -> str:
    """One page that needs nothing from elsewhere and prints on A4; `here`: it is this machine that was checked."""
    page = Template(files("diagnostics").joinpath("report.html").read_text(encoding="utf-8"))
    return page.substitute(
        region=_safe(report.region_name),
        when=_safe(moments.shown(report.started_at)),
        machine=_safe(f"{platform.system()} {platform.release()}" if here else "来自对方的电脑"),
        verdict="fail" if report.root_cause else "ok",
        say=_safe(report.say()),
        rows="\n".join(_row(result) for result in report.results),
    )


def _row(result: Result) -> str:
    # What a check that is well rests on is in the file; the page has to stay one page.
    told = result.evidence if result.status in ("fail", "warn", "unknown") else ()
    facts = "；".join(f"{fact.label}：{_shown(fact.value)}" for fact in told)
    rests = f'<p class="facts">{_safe(facts)}</p>' if facts else ""
    remedy = f'<p class="remedy">处理：{_safe(result.remedy)}</p>' if result.remedy else ""
    topic = f'<span class="topic">{_safe(result.topic)}</span>' if result.topic else ""
    return (
        f'<tr class="{result.status}"><td>{WORDS[result.status]}</td><td>{_safe(result.title)}{topic}</td>'
        f"<td><p>{_safe(result.summary)}</p>{remedy}{rests}</td></tr>"
    )


def _shown(value: object) -> str:
    return {True: "是", False: "否"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _safe(text: str) -> str:
    return html.escape(scrub(text))


def _scrubbed(value: Any) -> Any:
    """A second look at every text: a probe that forgot to redact must not be what leaks."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(item) for item in value]
    return value

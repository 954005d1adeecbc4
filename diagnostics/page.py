"""What the page tells of its own browser, judged by the rules of `page.yaml`, and joined with a desk's report."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.adapters import yaml_reader
from core.domain.errors import DataError, InvalidError
from diagnostics import catalogue, catalogue_file
from diagnostics.catalogue import ProbeData
from diagnostics.desk import Desk
from diagnostics.inventory import Inventory
from diagnostics.probe import Context, FactSpec, Probe, Row
from diagnostics.result import Report, Result
from diagnostics.runner import judge

FILE = Path(__file__).with_name("page.yaml")
FIRST = ("page_clock", "page_cookies", "page_token")  # causes that lie before anything an agent could see
_MOST_OFF_S = 10**9

FACTS: Mapping[str, FactSpec] = {
    "off_minutes": FactSpec("与平台相差分钟数", int, minutes=True),
    "cookies": FactSpec("Cookie 可用", bool),
    "minutes_left": FactSpec("登录凭证剩余分钟数", int),
    "agent": FactSpec("诊断助手", str),
    "secure": FactSpec("网页走 https", bool),
    "kernel": FactSpec("浏览器内核版本", int),
    "permission": FactSpec("访问本机的权限", str),
}


class Seen(BaseModel):
    """What a page sends: nothing in it is believed further than that it is about this browser.

    `clock_s`: the browser's time, seconds since 1970; `agent`: absent also where a browser blocks without saying so.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    clock_s: float = Field(ge=0, le=_MOST_OFF_S * 100)
    cookies: bool
    agent: Literal["reached", "refused", "absent", "unasked"]
    secure: bool
    kernel: int | None = Field(default=None, ge=1, le=9999)
    permission: Literal["granted", "denied", "prompt", "untold"]


@dataclass(frozen=True)
class _Rules:
    __pydantic_config__ = {"extra": "forbid", "strict": True}  # noqa: RUF012 - pydantic's way
    probes: list[ProbeData]
    topics: dict[str, str] = field(default_factory=dict)


def read(document: object) -> Seen:
    """InvalidError for anything but what our own page sends."""
    try:
        return Seen.model_validate(document)
    except ValidationError as error:
        raise InvalidError("检测结果读不懂，请刷新网页后再试", fields={"page": "格式不对"}) from error


def look(region: str, seen: Seen, now: datetime, expires_at: datetime | None) -> Result:
    """The one finding of the page; `now` is the server's time, `expires_at` the end of the session."""
    local = catalogue.load(region)
    rules = _rules()
    row: Row = {
        "off_minutes": int(abs(seen.clock_s - now.timestamp()) // 60),
        "cookies": seen.cookies,
        "minutes_left": int((expires_at - now).total_seconds() // 60) if expires_at else None,
        "agent": seen.agent,
        "secure": seen.secure,
        "kernel": seen.kernel,
        "permission": seen.permission,
    }
    context = Context(
        region=local.region, words=local.words, now=now, given={}, offline=True, desk=Desk(), inventory=Inventory(()),
        deadline=time.monotonic() + 1,
    )  # fmt: skip
    found = judge(Probe("page", FACTS, lambda _: [row]), rules.probes[0], context).result
    return replace(found, topic=local.region.topics.get(rules.topics.get(found.finding, "")))


def joined(page: Result, report: Report | None) -> Result | None:
    """The one cause from both sides, in the order of cause; None where nothing is wrong as far as can be seen."""
    if page.status == "fail" and page.finding in FIRST:
        return page
    if report is not None:
        if report.root_cause is not None:
            return report.root_cause
        return next((each for each in report.results if each.status == "warn"), None)
    return page if page.status != "ok" else None


@cache
def _rules(file: Path = FILE) -> _Rules:
    located = yaml_reader.read(file)
    try:
        found: _Rules = TypeAdapter(_Rules).validate_json(json.dumps(located.value))
    except ValidationError as error:
        raise DataError(yaml_reader.problems_of(error, located)) from error
    known: dict[str, Any] = {"page": Probe("page", FACTS, lambda _: ())}
    if problems := list(catalogue_file.check_probes(found.probes, located, known, frozenset())):
        raise DataError(problems)
    return found

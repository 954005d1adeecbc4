"""Reports that desks send: read with suspicion, kept beside the conversation for the people who help."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine, Row, delete, func, insert, select

from core.adapters.database import reader_of
from core.domain.errors import BlockedError, InvalidError, NotFoundError
from diagnostics import catalogue
from diagnostics.redact import scrub
from diagnostics.result import LEFT_OUT, Fact, Report, Result
from diagnostics.tables import desk_report

MOST_BYTES = 64 * 1024
MOST_FACTS = 200
TEXT_LIMIT = 400
KEPT = timedelta(days=90)
MOST_A_DAY = 200  # of one account
UNJUDGED = frozenset({"blocked", "timed_out", "check_broken", LEFT_OUT})
Origin = Literal["page", "agent"]

_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


@dataclass(frozen=True)
class Kept:
    """A report as it was kept."""

    id: int
    origin: Origin
    at: datetime
    report: Report


def read(region: str, document: object) -> Report:
    """A report of this region made of what our catalogue knows; its cause, cures and topics are worked out anew.

    InvalidError for anything else: whoever sends it may have written it by hand.
    """
    try:
        report = _REPORT.validate_python(_plain(document))
    except (ValidationError, ValueError, RecursionError, TypeError) as error:
        raise _unreadable() from error
    loaded = catalogue.load(region)
    facts = sum(len(result.evidence) for result in report.results)
    names = [result.probe for result in report.results]
    if report.region != region or len(names) != len(set(names)) or facts > MOST_FACTS:
        raise _unreadable()
    order = {name: place for place, name in enumerate(loaded.probes)}
    named = {
        *report.asked,
        *(result.blocked_by for result in report.results if result.blocked_by is not None),
    }
    if not set(names) <= set(order) or not named <= set(names):
        raise _unreadable()
    results = tuple(
        sorted((_known(loaded, result) for result in report.results), key=lambda each: order[each.probe])
    )
    root = next((result for result in results if result.status == "fail"), None)
    return replace(report, region_name=loaded.region.name, results=results, root_cause=root)


def _known(loaded: catalogue.Catalogue, result: Result) -> Result:
    data = loaded.probes[result.probe]
    rule = next((rule for rule in data.rules if rule.finding == result.finding), None)
    if rule is None and (result.finding not in UNJUDGED or result.status in ("fail", "warn", "ok")):
        raise _unreadable()
    if rule is not None and rule.status != result.status:
        raise _unreadable()
    return replace(
        result,
        title=data.title,
        summary=_text(result.summary),
        remedy=_text(result.remedy) if result.remedy else None,
        evidence=tuple(_fact(fact) for fact in result.evidence),
        topic=loaded.region.topics.get(result.finding),
        repair=rule.repair if rule else None,
    )


def _fact(fact: Fact) -> Fact:
    value = _text(fact.value) if isinstance(fact.value, str) else fact.value
    return replace(fact, name=_text(fact.name), label=_text(fact.label), value=value)


def _text(text: str) -> str:
    return scrub(text)[:TEXT_LIMIT]


def _plain(document: object) -> object:
    """JSON types alone, within the size."""
    if not isinstance(document, dict) or len(json.dumps(document, allow_nan=False)) > MOST_BYTES:
        raise ValueError
    return document


def _unreadable() -> InvalidError:
    return InvalidError(
        "检测报告读不懂，没有采用。请用本平台下载的诊断助手再检测一次", fields={"report": "格式不对"}
    )


class DeskReports:
    """Over one engine."""

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; nothing is opened yet."""
        self._engine = engine
        self._reader = reader_of(engine)

    def keep(
        self, conversation_id: str, account_id: int, origin: Origin, report: Report, at: datetime
    ) -> None:
        """Keep one. BlockedError where the account has sent very many since yesterday."""
        mine = (desk_report.c.account_id == account_id) & (desk_report.c.at > at - timedelta(days=1))
        row = {"conversation_id": conversation_id, "account_id": account_id, "origin": origin, "at": at}
        body: Any = report.to_dict()
        with self._engine.begin() as connection:
            count = connection.scalar(select(func.count()).select_from(desk_report).where(mine)) or 0
            if count >= MOST_A_DAY:
                raise BlockedError("今天的检测次数太多了，请明天再试，或转人工", code="too_many_reports")
            connection.execute(delete(desk_report).where(desk_report.c.at < at - KEPT))
            connection.execute(insert(desk_report).values(**row, report=json.loads(json.dumps(body))))

    def get(self, conversation_id: str, number: int) -> Kept:
        """One of a conversation; NotFoundError for another one's."""
        query = select(desk_report).where(
            desk_report.c.id == number, desk_report.c.conversation_id == conversation_id
        )
        with self._reader.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFoundError("没有找到这份检测报告", fields={"report": "没有找到"})
        return _kept(row)

    def of(self, conversation_id: str, limit: int = 10) -> Sequence[Kept]:
        """Of one conversation, newest first."""
        query = select(desk_report).where(desk_report.c.conversation_id == conversation_id)
        with self._reader.connect() as connection:
            rows = connection.execute(query.order_by(desk_report.c.id.desc()).limit(limit)).all()
        return [_kept(row) for row in rows]


def _kept(row: Row[Any]) -> Kept:
    return Kept(row.id, row.origin, row.at, _REPORT.validate_python(row.report))

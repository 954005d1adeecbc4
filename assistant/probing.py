"""Answers from checks: what the server knows of certificates and sessions, and what a desk or its browser reported.

Only looks. Where the finding has a knowledge entry, the entry itself is the cure: cause and entry are one text.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from assistant import store
from assistant.cards import DeskCard, FactsCard, FindingCard, Reply, Row
from assistant.knowledge import Knowledge
from assistant.replies import say
from assistant.scene import Outcome, Scene, Viewer
from core.adapters.yaml_reader import read_model
from core.domain.accounts import Account, Session
from core.domain.calendar import day_of
from core.domain.errors import DataError, DomainError
from core.service import certificates
from core.service.identity_ports import Binding
from core.service.system import System
from diagnostics import catalogue
from diagnostics import page as pages
from diagnostics.held import held, lasting
from diagnostics.result import Report, Result
from kb import Entry
from kb import text as texts

FILE = Path(__file__).parent / "data" / "probing.yaml"
_TAIL = 4  # last characters of a serial that are shown
_SEALING_TOLD = "service_stopped"  # a region with an entry for it tells of the desk's seal parts
_HERE = frozenset({"token"})  # probes that judge the session, not the clerk's machine


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    within: int
    questions: dict[str, list[str]]
    symptoms: list[str]
    along: dict[str, list[str]]
    told_by_entry: list[str]
    repairs: dict[str, str]
    words: dict[str, str]


@lru_cache(maxsize=1)
def data(file: Path = FILE) -> _Data:
    """DataError with file and line for a pattern that cannot be read."""
    model, located = read_model(file, _Data)
    problems = []
    for name, patterns in {**model.questions, "symptoms": model.symptoms}.items():
        for at, pattern in enumerate(patterns):
            try:
                re.compile(pattern)
            except re.error as error:
                place = ("symptoms", at) if name == "symptoms" else ("questions", name, at)
                problems.append(located.problem(place, f"写法不对：{error}"))
    if problems:
        raise DataError(problems)
    return model


def _say(name: str, **slots: object) -> str:
    return data().words[name].format(**slots)


def wanted(text: str) -> str:
    """The probe that a question asks for; "" where it asks for none."""
    plain = texts.key(text)
    if len(plain) > data().within:
        return ""
    for name, patterns in data().questions.items():
        if any(re.search(pattern, plain) for pattern in patterns):
            return name
    return ""


def asked(scene: Scene) -> Outcome | None:
    """证书过期了吗, 我的锁绑在谁身上, token还剩多久: looked up; None where it is not asked, or by nobody known."""
    name = wanted(scene.heard.plain)
    if scene.viewer is None:
        return None
    if not name:
        return _symptom(scene)
    if name == "token":
        replies = session_replies(scene) or (Reply(_say("session_unknown")),)
    else:
        look = {"cert_dates": _dates, "cert_binding": _binding}[name]
        replies = (*look(scene, scene.viewer), offer(scene.region, (name,)))
    return Outcome(scene.state, replies)


def _symptom(scene: Scene) -> Outcome | None:
    """盖章没反应 where the region's notes tell nothing of it: the desk is checked; None for everything else."""
    plain = texts.key(scene.heard.plain)
    if not any(re.search(pattern, plain) for pattern in data().symptoms):
        return None
    try:
        told = _SEALING_TOLD in catalogue.load(scene.region).region.topics
    except DomainError:
        return None  # a region without checks
    if told:
        return None
    return Outcome(scene.state, (offer(scene.region, tuple(data().along["service"])),))


def of_entry(scene: Scene, entry: Entry) -> tuple[Reply, ...]:
    """Beside an entry with checks: the session's state from here, an offer to check the desk for everything else."""
    here = session_replies(scene) if _HERE & set(entry.probes) else ()
    elsewhere = [name for name in entry.probes if name not in _HERE or not here]
    wider = dict.fromkeys(name for probe in elsewhere for name in data().along.get(probe, [probe]))
    return (*here, *((offer(scene.region, tuple(wider)),) if wider else ()))


def offer(region: str, probes: Sequence[str]) -> Reply:
    """The card by which the page asks the desk."""
    card = DeskCard(_say("desk_title"), tuple(probes), _say("desk_hint", region=region))
    return Reply(_say("desk_offer"), card)


def session_replies(scene: Scene) -> tuple[Reply, ...]:
    """How long the session lasts, judged by the server's own clock; nothing where it is not known."""
    if scene.expires_at is None or scene.viewer is None:
        return ()
    try:
        report = lasting(scene.region, scene.expires_at, scene.viewer.system.clock())
    except DomainError:
        return ()  # a region without checks still has its answer
    return (Reply(report.say(), _card(report.of("token"), say("finding_title"))),)


def _dates(scene: Scene, viewer: Viewer) -> tuple[Reply, ...]:
    bound = certificates.mine(viewer.system, viewer.account)
    if not bound:
        return (Reply(_say("bound_none", login=viewer.account.login)),)
    now = viewer.system.clock()
    replies: list[Reply] = []
    for one in bound:
        result = held(scene.region, one.certificate.serial, one.certificate.not_after, now)
        text = _say("bound_each", owner=one.certificate.owner) + f"{result.summary}。"
        replies.append(Reply(text, _card(result, _say("dates_title"))))
        if result.topic and result.status == "fail":
            replies += _cure(scene.knowledge, scene.region, result.topic)
    return tuple(replies)


def _binding(scene: Scene, viewer: Viewer) -> tuple[Reply, ...]:
    del scene
    bound = certificates.mine(viewer.system, viewer.account)
    login = viewer.account.login
    text = _say("binding_some", login=login, count=len(bound)) if bound else _say("binding_none", login=login)
    rows = tuple(Row(one.certificate.owner, _bound_row(one)) for one in bound)
    return (Reply(text, FactsCard(_say("binding_title"), rows, page="/account#certificates")),)


def _bound_row(one: Binding) -> str:
    return _say(
        "binding_row",
        tail=one.certificate.serial[-_TAIL:],
        until=day_of(one.certificate.not_after),
        bound=day_of(one.bound_at),
    )


def facts(system: System, session: Session) -> Mapping[str, str]:
    """What the desk's agent needs to know of the account: the true time, the session's end, the one certificate bound."""
    bound = certificates.mine(system, session.account)
    told = {"reference_time": system.clock().isoformat(), "token_expires_at": session.expires_at.isoformat()}
    return told | ({"bound_serial": bound[0].certificate.serial} if len(bound) == 1 else {})


def told(
    system: System,
    knowledge: Knowledge,
    session: Session,
    conversation: str,
    report: Report | None,
    page: pages.Seen,
) -> tuple[Reply, ...]:
    """What was found, said into the conversation. NotFoundError for a conversation of somebody else."""
    kept, account = store.of(system), session.account
    kept.own(conversation, store.Owner(account.id))
    replies = examined(knowledge.settled(), account, report, page, system.clock(), session.expires_at)
    text = "\n".join(reply.text for reply in replies)
    kept.tell(conversation, text, system.clock(), role="assistant", replies=replies)
    return replies


def examined(
    knowledge: Knowledge,
    account: Account,
    report: Report | None,
    page: pages.Seen,
    now: datetime,
    ends: datetime,
) -> tuple[Reply, ...]:
    """What the desk's report and its browser come to: the one cause, its cure, and what can be done about it."""
    seen = pages.look(account.region, page, now, ends)
    cause = pages.joined(seen, report)
    if cause is None:
        return (_well(report),)
    rows = [Row(_say("seen"), _seen(report))]
    if cause.remedy and not (cause.topic and cause.probe in data().told_by_entry):
        rows.insert(0, Row(_say("cure"), cause.remedy))
    if cause.repair:
        rows.append(Row(_say("repair"), _repair(account.region, cause.repair)))
    if report and (behind := [each.title for each in report.results if each.blocked_by == cause.probe]):
        rows.append(Row(_say("blocked"), _say("blocked_value", titles="、".join(behind))))
    words = {"fail": "cause", "warn": "warning"}.get(cause.status, "open")
    lead = Reply(
        _say(words, summary=cause.summary), FindingCard(_say("cause_title"), cause.status, tuple(rows))
    )
    return (lead, *(_cure(knowledge, account.region, cause.topic) if cause.topic else ()))


def _well(report: Report | None) -> Reply:
    """Nothing is wrong as far as can be seen: what was asked for, as it is."""
    if report is None:
        return Reply(_say("well_page"))
    asked = [report.of(name) for name in report.asked]
    decisive = [report.of(each.blocked_by) if each.blocked_by else each for each in asked]
    told = {each.title: _as_is(each) for each in decisive if each.status != "skip"}
    rows = tuple(Row(title, summary) for title, summary in told.items())
    open_ones = any(each.status == "unknown" for each in decisive)
    card = FindingCard(_say("cause_title"), "unknown" if open_ones else "ok", rows)
    return Reply(_say("well_but" if open_ones else "well"), card)


def _as_is(result: Result) -> str:
    unclear = result.status == "unknown" and result.remedy
    return f"{result.summary}。{result.remedy}" if unclear else result.summary


def _seen(report: Report | None) -> str:
    if report is None:
        return _say("seen_page")
    well = sum(each.status == "ok" for each in report.results)
    unclear = sum(each.status in ("unknown", "skip") for each in report.results)
    return _say("seen_value", ok=well, open=unclear)


def _repair(region: str, name: str) -> str:
    what = data().repairs[name]
    return what if name == "renew_session" else _say("repair_how", what=what, region=region)


def _card(result: Result, title: str) -> FindingCard:
    rows = [Row("结果", result.summary)]
    if result.remedy:
        rows.append(Row("办法", result.remedy))
    return FindingCard(title, result.status, tuple(rows))


def _cure(knowledge: Knowledge, region: str, topic: str) -> tuple[Reply, ...]:
    """The entry itself; nothing where it was taken out of the answers."""
    from assistant.answering import general  # which offers checks beside entries, and so imports this module

    entry = knowledge.known(region, topic)
    return general(knowledge, entry) if entry else ()

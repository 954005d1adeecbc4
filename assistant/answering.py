"""From a question to an answer: what is meant, then the answer for the case that holds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from assistant import (
    certificates,
    items,
    leaning,
    looking,
    probing,
    reminding,
    repair,
    several,
    smalltalk,
    starting,
)
from assistant.cards import CaseItem, Choice, EntryCard, Reply
from assistant.choosing import OF_WHAT_IS, ask_topic, ask_which, candidates, finished, meant, offering
from assistant.conversation import Errand, Frame, Stage
from assistant.knowledge import Knowledge
from assistant.replies import say
from assistant.scene import Outcome, Scene, Viewer
from assistant.understanding import hear
from assistant.wording import commands, named
from core.domain.errors import NotFoundError
from core.service.views import DocumentSummary
from kb import Entry, Finding
from kb import text as words

_NONE_FITS = 0.8  # odds that no topic fits, from which it is said to be out of scope
_OTHERS = 3  # topics remembered for a correction
_LINKS = 3
_CLAUSES = re.compile(r"[，,；;。？?！!\s]+")

Kind = Literal["answer", "clarify", "unknown", "smalltalk"]


@dataclass(frozen=True)
class Judged:
    """What a message is for the public contract: its kind, the finding behind it, and the answer without an account."""

    kind: Kind
    finding: Finding | None
    replies: tuple[Reply, ...]

    def to_json(self) -> dict[str, Any]:
        """The finding's fields and kind; smalltalk has no sources."""
        empty = {"sources": [], "confidence": 1.0, "candidates": [], "choices": []}
        return {**(self.finding.to_json() if self.finding else empty), "kind": self.kind}


def judge(knowledge: Knowledge, region: str, text: str) -> Judged:
    """Answer for somebody unknown, without a database."""
    heard = hear(text)
    if small := smalltalk.reply(heard.act):
        return Judged("smalltalk", None, (small,))
    finding = knowledge.find(region, heard.plain)
    if finding.kind == "answer":
        entry = knowledge.entry(region, finding.candidates[0].topic)
        return Judged("answer", finding, general(knowledge, entry))
    if finding.kind == "clarify":
        choices = tuple(Choice(one.title, one.title) for one in finding.choices)
        return Judged("clarify", finding, (Reply(say("which_topic"), choices=choices),))
    return Judged("unknown", finding, (Reply(_unknown(finding)),))


def question(scene: Scene) -> Outcome:
    """Understand the message as a question, or as several, and answer it."""
    scene = scene.at(replace(scene.state, question=scene.heard.raw[:500]))
    if looked_up := items.asked(scene):
        return looked_up
    asked = several.questions(scene.knowledge, scene.region, scene.heard.raw)
    return _one_by_one(scene, asked) if asked else found(scene, leaning.find(scene))


def _one_by_one(scene: Scene, asked: tuple[str, ...]) -> Outcome:
    """Every question answered; the first that there is something to do for is gone on with, and said last."""
    told: list[Reply] = []
    doing: tuple[Reply, ...] = ()
    state = scene.state
    for part in asked:
        one = scene.at(state).hearing(hear(part))
        finding = scene.knowledge.find(scene.region, one.heard.plain)
        outcome = found(one, finding)
        if outcome.state.stack == state.stack:
            told += outcome.replies
        elif doing:
            told += general(scene.knowledge, scene.knowledge.entry(scene.region, finding.candidates[0].topic))
            continue
        else:
            doing = outcome.replies
        state = outcome.state
    lead = Reply(say("several", count=len(asked)))
    return Outcome(state, (lead, *told, *doing))


def found(scene: Scene, finding: Finding) -> Outcome:
    """Answer, ask back, or offer a person."""
    if finding.kind == "answer":
        others = tuple(one.topic for one in finding.candidates[1 : 1 + _OTHERS])
        state = replace(scene.state, others=others, unknowns=0)
        return topic(scene.at(state), finding.candidates[0].topic)
    if finding.kind == "clarify":
        choices = scene.knowledge.arranged(scene.heard.plain, finding)
        return ask_topic(scene, choices, say("which_topic"))
    return _nothing(scene, finding)


def _nothing(scene: Scene, finding: Finding) -> Outcome:
    """It is not known; a person is offered."""
    state = replace(scene.state, unknowns=scene.state.unknowns + 1)
    frame = Frame(Stage.OFFERING_PERSON)
    choices = (Choice("转人工", "转人工"), Choice("不用", "不"))
    return Outcome(state.push(frame), (Reply(_unknown(finding), choices=choices),))


def _unknown(finding: Finding) -> str:
    strange = finding.explanation is None or finding.explanation.none > _NONE_FITS
    return say("out_of_scope" if strange else "offer_person")


def topic(scene: Scene, name: str) -> Outcome:
    """The answer of one topic, for the asker's own case where it has one."""
    entry = scene.knowledge.known(scene.region, name)
    if entry is None:  # chosen from a list that was shown before the entry was taken out of the answers
        return _nothing(scene, Finding("unknown", (), 0.0, (), (), None))
    spoken_before = scene.state.topic
    inner = scene.at(replace(scene.state, topic=name))
    if scene.viewer is not None and entry.operation is not None:
        operation = entry.operation
        if (operation.kind, operation.action) == ("account", "number"):
            replies = (*general(scene.knowledge, entry), *looking.numbers(inner))
            return Outcome(inner.state, replies)
        if operation.kind == "certificate":
            found = certificates.answer(inner, scene.viewer, entry)
            return Outcome(
                found.state,
                (*general(scene.knowledge, entry), *probing.of_entry(scene, entry), *found.replies),
            )
        errand = _errand(scene.viewer, entry)
        if errand is not None and not _asks_otherwise(scene, errand):
            # Which document is meant depends on what was spoken of before, not on this topic.
            return _on_document(inner, scene.at(replace(scene.state, topic=spoken_before)), entry, errand)
    replies = general(scene.knowledge, entry)
    hint = entry.operation is not None and scene.viewer is None
    tail = (Reply(say("sign_in_first")),) if hint else ()
    return Outcome(inner.state, (*replies, *probing.of_entry(scene, entry), *tail))


def _asks_otherwise(scene: Scene, errand: Errand) -> bool:
    """Whether the rules are asked for, or whether it may still be changed where the topic leads on: 意向还能改吗."""
    plain, known = scene.heard.plain, commands()
    leads_on = errand.kind == "goal" and errand.goal not in OF_WHAT_IS
    asked = [part for part in _CLAUSES.split(plain) if hear(part).question] if leads_on else []
    # 怎么发布，发布后能改吗 asks for the way on as well.
    back = bool(asked) and all(named(known.goals, words.key(part)) == "editable" for part in asked)
    return back or any(word in plain for word in known.facts)


_PLAIN: dict[str, Literal["status", "paid", "seal"]] = {"track": "status", "query": "paid", "sign": "seal"}


def _errand(viewer: Viewer, entry: Entry) -> Errand | None:
    """What the core can do for a topic; None where it has no such document or goal."""
    operation = entry.operation
    if operation is None:
        return None
    plain = _PLAIN.get(operation.action or "")
    if plain is not None:
        return Errand(plain, topic=entry.id)
    processes = viewer.system.processes.variants(viewer.account.region, operation.kind)
    if operation.goal and any(operation.goal in process.goals for process in processes):
        return Errand("goal", goal=operation.goal, topic=entry.id)
    if any(operation.action in process.actions for process in processes):
        return Errand("act", action=operation.action or "", topic=entry.id)
    return None


def _on_document(scene: Scene, before: Scene, entry: Entry, errand: Errand) -> Outcome:
    viewer = scene.asker
    pool = candidates(viewer, entry)
    above = ""
    if scene.heard.numbers:
        number = scene.heard.numbers[0]
        if not viewer.sees(number) or viewer.look(number).summary.kind == (
            entry.operation and entry.operation.kind
        ):
            return begin(scene, replace(errand, number=number))
        above = number  # 给 HT-… 录验收: a document above those that the topic is about
        below = {item.number for item in viewer.look(number).linked}
        pool = [item for item in pool if item.number in below]
    elif errand.kind == "goal":
        pool = _in_full(scene, viewer, entry) or pool
    found = meant(before, pool, looks=errand.kind in {"status", "paid"})
    if not found:
        return _without_document(scene, viewer, entry, above)
    running = [one for one in found if _is_running(scene, one.number, entry.id)]
    if len(found) > 1 and not running and errand.kind == "goal":
        found = offering(viewer, found, scene.heard.plain, entry.title) or found
    if len(found) == 1 or running:
        return begin(scene, replace(errand, number=(running or found)[0].number))
    return ask_which(scene, found, errand)


def _in_full(scene: Scene, viewer: Viewer, entry: Entry) -> list[DocumentSummary]:
    """Open documents whose whole title the message names: the entry may be about another station of theirs."""
    said = words.key(scene.heard.plain)
    found = viewer.of_kind(entry.operation.kind if entry.operation else "plan")
    return [one for one in found if one.stage != "ended" and words.key(one.title) in said]


def _without_document(scene: Scene, viewer: Viewer, entry: Entry, above: str) -> Outcome:
    """The entry, and what there is to begin. Where such a document is done already, that is said first."""
    told = general(scene.knowledge, entry)
    started = starting.offer(scene, entry, above)
    if started is None:
        return Outcome(scene.state, (Reply(say("no_plan")), *told))
    done = finished(viewer, entry)
    lead = (
        [Reply(say("all_done", kind=done.kind_label, number=done.number, node=done.node_label))]
        if done
        else []
    )
    return Outcome(started.state, (*lead, *told, *started.replies))


def _is_running(scene: Scene, number: str, topic: str) -> bool:
    """Whether it is this document and topic that is being talked of."""
    top = scene.state.top
    return (
        top is not None
        and top.errand is not None
        and (top.errand.number, top.errand.topic) == (number, topic)
    )


_OF_A_NUMBER: Mapping[str, Callable[[Scene, str], Outcome]] = {
    "status": looking.track,
    "paid": looking.paid,
    "seal": looking.seal,
    "remind": reminding.propose,
}


def begin(scene: Scene, errand: Errand, slots: Mapping[str, str] | None = None) -> Outcome:
    """An errand whose document is known."""
    if not scene.asker.sees(errand.number):
        return looking.missing(scene, errand.number)
    if errand.kind == "enter":
        return starting.under(scene, errand)
    try:
        if errand.kind in _OF_A_NUMBER:
            return replace(_OF_A_NUMBER[errand.kind](scene, errand.number), about=errand.topic)
        return repair.propose(scene, errand, slots)
    except NotFoundError:
        return looking.missing(scene, errand.number)


def general(knowledge: Knowledge, entry: Entry) -> tuple[Reply, ...]:
    """The entry itself: short answer, all cases."""
    links = tuple(
        Choice(near.title, near.title)
        for name in entry.links[:_LINKS]
        if (near := knowledge.known(entry.region, name)) is not None
    )
    cases = tuple(CaseItem(case.when, case.steps) for case in entry.cases)
    return (Reply(entry.short, EntryCard(entry.title, cases, entry.fails, links, entry.id)),)

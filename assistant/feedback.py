"""What users asked without a good answer, by meaning, and how it becomes knowledge: a phrasing of an entry or a new draft."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from assistant import desk_store
from assistant.desk import DAYS
from assistant.handoff import is_contact
from assistant.masking import masked, unnumbered
from assistant.sql import engine_of
from core.domain.accounts import Account
from core.domain.errors import InvalidError
from core.domain.rights import Capability
from core.service import rights
from core.service.system import System
from kb import Entry
from kb.checks import MAX_SENTENCES, MAX_SHORT, MAX_TITLE, sentences
from kb.editing import Editing
from kb.questions import SetAside, compared, together
from kb.revisions import Revision

TEXT_LIMIT = 200
MOST = 300  # different questions looked at
_SUGGESTED = 3
_ANSWER_LIMIT = 1000
_ANSWERED = "简答和步骤取自客服结单时的答复"
_UNANSWERED = "还没有人答过，简答和步骤只写了找谁"
_PERSON, _HOW_TO_ASK = "这件事请找客服办。", "在对话里说“转人工”，客服看得到前面说过的话。"


@dataclass(frozen=True)
class Question:
    """What was asked. `topic` was answered and did not help; empty: nothing was."""

    text: str
    topic: str
    declined: bool
    reason: str
    at: datetime


@dataclass(frozen=True)
class Start:
    """What the draft of a new entry starts with, so that it can be kept as it is; `note` says where that is from."""

    title: str
    short: str
    steps: str
    note: str


@dataclass(frozen=True)
class Cluster:
    """Questions that mean the same, the newest first; `entries` are what the assistant would think of."""

    questions: Sequence[Question]
    entries: Sequence[Entry]
    start: Start

    @property
    def texts(self) -> tuple[str, ...]:
        """Different words for it."""
        return tuple(dict.fromkeys(one.text for one in self.questions))

    @property
    def down(self) -> int:
        """How often an answer was given and did not help."""
        return sum(bool(one.topic) for one in self.questions)

    @property
    def declined(self) -> bool:
        """Whether the assistant took all of it as none of its business."""
        return all(one.declined for one in self.questions)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What askers said was wrong."""
        return tuple(dict.fromkeys(one.reason for one in self.questions if one.reason))


class Feedback:
    """For keepers of the knowledge, in the region of their account; everybody else gets ForbiddenError."""

    def __init__(self, system: System, editing: Editing) -> None:
        """Over the running core and the console."""
        self._system, self._editing = system, editing
        self._desk = desk_store.of(system)
        self._aside = SetAside(engine_of(system), system.clock)

    def clusters(self, actor: Account, days: int = DAYS) -> list[Cluster]:
        """Of the last days, the most frequent first; what has become knowledge or was set aside is left out."""
        rights.require(self._system, actor, Capability.EDIT_KNOWLEDGE)
        asked = self._open(actor, self._system.clock() - timedelta(days=days))
        texts = list(dict.fromkeys(one.text for one in asked))[:MOST]
        snapshot = self._editing.live.current()
        retriever = snapshot.retriever(actor.region)
        answers = self._answers(actor.region)
        contact = next((one for one in snapshot.library.of_region(actor.region) if is_contact(one)), None)
        found = []
        for group in together(texts, retriever, snapshot.library):
            members = {texts[at] for at in group}
            questions = [one for one in asked if one.text in members]
            answered = [one.topic for one in questions if one.topic]
            thought = [one.topic for one in retriever.find(questions[0].text).candidates]
            known = snapshot.library.entries
            entries = [
                known[actor.region, topic]
                for topic in dict.fromkeys((*answered, *thought))
                if (actor.region, topic) in known
            ]
            start = _start(questions, answers, contact)
            found.append(Cluster(questions, entries[:_SUGGESTED], start))
        return sorted(found, key=lambda one: (one.declined, -len(one.questions)))

    def _answers(self, region: str) -> dict[str, str]:
        """What the staff answered to questions that were handed over, by what was asked; the newest answer."""
        closed = [one for one in self._desk.tickets(region) if one.state == "closed" and one.note]
        return {
            compared(_plain(one.question)): unnumbered(one.note, _ANSWER_LIMIT) for one in reversed(closed)
        }

    def _open(self, actor: Account, since: datetime) -> list[Question]:
        """Newest first."""
        lacking = [
            Question(_plain(row.text), "", row.lack == "declined", "", row.at)
            for row in self._desk.lacks(actor.region, since)
        ]
        down = [
            Question(_plain(row.question), row.topic, declined=False, reason=row.reason, at=row.at)
            for row in self._desk.bad(actor.region, since)
        ]
        aside, owners = self._aside.of(actor.region), self._owners(actor.region)
        return sorted(
            (one for one in (*lacking, *down) if _is_open(one, aside, owners)), key=_when, reverse=True
        )

    def _owners(self, region: str) -> dict[str, str]:
        """Topic of each phrasing that is published or drafted; drafts last, which will be published after."""
        _, items = self._editing.store.published()
        entries = [
            one.entry for one in (*items, *self._editing.store.waiting()) if one.entry.region == region
        ]
        return {
            compared(text): entry.id
            for entry in entries
            for text in (entry.title, *(text for _, _, text in entry.phrasings.items()))
        }

    def add_phrasings(self, actor: Account, topic: str, texts: Iterable[str]) -> Revision:
        """A draft of the entry that can be asked so, too: over the newest draft where there is one."""
        chosen = _chosen(texts)
        entry = self._editing.page(actor, actor.region, topic).newest
        known = {compared(text) for _, _, text in entry.phrasings.items()}
        fresh = [text for text in chosen if compared(text) not in known]
        if not fresh:
            raise InvalidError(f"这些问法“{entry.title}”里都有了", fields={"text": "已经有了"})
        phrasings = entry.phrasings.model_copy(update={"short": (*entry.phrasings.short, *fresh)})
        mine = [
            one for one in self._editing.waiting(actor)
            if one.entry.id == topic and one.state == "draft" and one.author == actor.login
        ]  # fmt: skip
        return self._editing.draft(
            actor,
            entry.model_copy(update={"phrasings": phrasings}),
            note=f"用户问过：{fresh[0][:60]}",
            instead_of=mine[-1].id if mine else None,
        )

    def set_aside(self, actor: Account, texts: Iterable[str]) -> None:
        """No entry is wanted for these."""
        rights.require(self._system, actor, Capability.EDIT_KNOWLEDGE)
        self._aside.add(actor.region, _chosen(texts), actor.login)


def _is_open(one: Question, aside: dict[str, datetime], owners: dict[str, str]) -> bool:
    """Set aside after it was asked, or by now a phrasing of an entry other than the one that did not help: dealt with."""
    same = compared(one.text)
    if not same or (same in aside and one.at <= aside[same]):
        return False
    return owners.get(same, one.topic) == one.topic


def _start(questions: Sequence[Question], answers: Mapping[str, str], contact: Entry | None) -> Start:
    """An answer that somebody of the staff gave to one of them; while there is none, whom to turn to."""
    title = questions[0].text[:MAX_TITLE]
    told = next((answers[same] for one in questions if (same := compared(one.text)) in answers), "")
    if told:
        steps = sentences(told)
        short = "".join(steps[:MAX_SENTENCES])
        if len(short) > MAX_SHORT:
            short = steps[0] if len(steps[0]) <= MAX_SHORT else f"{steps[0][: MAX_SHORT - 1]}…"
        return Start(title, short, "\n".join(steps), _ANSWERED)
    if contact is None:
        return Start(title, _PERSON, _HOW_TO_ASK, _UNANSWERED)
    return Start(title, contact.short, "\n".join(contact.cases[0].steps), _UNANSWERED)


def _chosen(texts: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(text.strip()[:TEXT_LIMIT] for text in texts if text.strip()))[:MOST]
    if not found:
        raise InvalidError("请至少选一种问法", fields={"text": "请选择"})
    return found


def _plain(text: str) -> str:
    """As it may become a phrasing: nobody's numbers belong into the knowledge."""
    return masked(text, TEXT_LIMIT)


def _when(one: Any) -> datetime:
    at: datetime = one.at
    return at

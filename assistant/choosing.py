"""Which document, which topic: candidates as a short list, and understanding how one of them is chosen."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from assistant.cards import Choice, DocumentItem, DocumentsCard, Reply
from assistant.conversation import Errand, Frame, Option, Stage
from assistant.replies import say
from assistant.scene import Outcome, Scene, Viewer
from assistant.topics import concerns
from assistant.understanding import LAST, Heard
from assistant.wording import commands
from core.domain.process import NodeType, Process
from core.service.views import DocumentSummary
from kb import Entry, Finding
from kb import text as words

SHOWN = 8  # documents in one list
LOOKED_AT = 20  # documents looked at closely for one that fits
_TAIL_EXACT = 4  # digits from which a tail is compared as written, not as a number
_NAME = 2  # characters of a name that are enough to mean it
_SHORT, _SHARE = 3, 0.6  # names up to 3 characters are said whole, of longer ones this share
# Goals of a document that is there already: entering another one would not lead to them.
OF_WHAT_IS = frozenset(
    {
        "editable", "void", "cancelled", "terminated", "closed", "changed", "fulfilled", "archived",
        "method_changed", "form_changed", "collected", "uncollected", "answered", "returned", "lots",
    }
)  # fmt: skip
_LOOKS = frozenset({"query", "track"})  # at what has ended too
_WORDS = re.compile(r"[\s（）()、，,]+")
_POINTS = re.compile(r"(?:那|这|就)?(?:个|条|份|单|张)?(?:吧|的)?\Z")
T = TypeVar("T")
_ORDER = {NodeType.REVIEW: 0, NodeType.WORK: 1, NodeType.PREPARE: 2, NodeType.END: 3}
_PRONOUNS = ("这条", "这个", "那条", "它", "这单", "刚才那")


def candidates(viewer: Viewer, entry: Entry) -> list[DocumentSummary]:
    """Live documents an entry can be about, those under review first. Where its cases name nodes, only those.

    Whoever only reviews is first asked about what waits for it, then about all that it may see.
    """
    kind = entry.operation.kind if entry.operation else "plan"
    return _fitting(viewer, entry, viewer.of_kind(kind)) or _fitting(viewer, entry, viewer.seen(kind))


def _fitting(viewer: Viewer, entry: Entry, documents: Sequence[DocumentSummary]) -> list[DocumentSummary]:
    types = {item.number: _node_type(viewer, item) for item in documents}
    live = [item for item in documents if concerns(entry, item.variant) and _is_live(viewer, entry, item)]
    states = {node for case in entry.cases for node in case.state}
    fitting = [item for item in live if item.node in states or _takes(viewer, entry, item)]
    found = [item for item in fitting if not _there(viewer, entry, item)]  # looks at each: of few, not of all
    if not found:
        if not states and entry.operation and entry.operation.action not in (None, *_LOOKS):
            return []  # nothing stands where the act is taken
        found = [item for item in live if not _there(viewer, entry, item)]
    return sorted(found, key=lambda item: (_ORDER[types[item.number]], -item.id))


def _is_live(viewer: Viewer, entry: Entry, item: DocumentSummary) -> bool:
    """Whether there is anything left to do with a document; what is only looked at may have ended well."""
    if entry.operation is not None and entry.operation.action in _LOOKS:
        return item.node != "void"
    process = _process(viewer, item)
    ways = [action for action in process.actions.values() if item.node in action.routes]
    return bool(ways) and (
        _node_type(viewer, item) is not NodeType.END or any(not action.hidden for action in ways)
    )


def _takes(viewer: Viewer, entry: Entry, item: DocumentSummary) -> bool:
    """Whether the act that a topic is about can be taken where a document is."""
    action = _process(viewer, item).actions.get((entry.operation and entry.operation.action) or "")
    return action is not None and item.node in action.routes


def _there(viewer: Viewer, entry: Entry, item: DocumentSummary) -> bool:
    """Whether a document is, or was once, where a topic of entering new ones leads to: it is not what is asked about."""
    goal = entry.operation.goal if entry.operation else None
    if not goal or goal in OF_WHAT_IS:
        return False
    process = _process(viewer, item)
    reached = {*process.goals.get(goal, ()), *process.finish}
    return item.node in reached or bool(reached & set(viewer.look(item.number).document.trail))


def finished(viewer: Viewer, entry: Entry) -> DocumentSummary | None:
    """The newest document of an entry's kind that went where the entry leads to, and stands there."""
    kind = entry.operation.kind if entry.operation else "plan"
    done = (one for one in viewer.of_kind(kind) if concerns(entry, one.variant) and one.stage == "finished")
    return next(done, None)


def _process(viewer: Viewer, item: DocumentSummary) -> Process:
    return viewer.system.processes.current(viewer.account.region, item.kind, item.variant)


def _node_type(viewer: Viewer, item: DocumentSummary) -> NodeType:
    node = _process(viewer, item).nodes.get(item.node)
    return node.type if node else NodeType.WORK


def meant(scene: Scene, found: Sequence[DocumentSummary], *, looks: bool) -> list[DocumentSummary]:
    """Those of `found` that the message, the page or the talk before points at; all of them where nothing does.

    Where it is only looked (`looks`), the document spoken of last is good enough.
    """
    by_number = {item.number: item for item in found}
    heard = scene.heard
    if scene.page_number in by_number:
        return [by_number[scene.page_number]]
    said = closest(found, lambda item: item.title, heard.plain)
    spoken = scene.state.number
    pointed = looks or not scene.state.topic or any(word in heard.plain for word in _PRONOUNS)
    if not said and spoken in by_number and pointed:
        return [by_number[spoken]]
    return said or list(found)


def offering(
    viewer: Viewer, found: Sequence[DocumentSummary], text: str, title: str
) -> list[DocumentSummary]:
    """Those on which the asker may take an act that the message names (拿回来: what can be withdrawn).

    A word of the topic's own `title` points at none of them: 结余指标怎么结项退回 is not about what can be returned.
    """
    named = {
        name
        for name, spoken in commands().acts.items()
        if any(word in text and word not in title for word in spoken)
    }
    if not named:
        return []
    return [
        item
        for item in found[:LOOKED_AT]
        if named & {offer.action for offer in viewer.look(item.number).offers}
    ]


def closeness(title: str, text: str) -> int:
    """Characters of the longest part of a document's title that stands in `text`; 0 where it is too little."""
    return len(part_of(title, text))


def part_of(title: str, text: str, *, least: int = 0) -> str:
    """The longest part of a document's title that stands in `text`; "" where it is too little to mean it.

    `least`: so many characters are enough, where nothing else is said that they could mean.
    """
    return max((_shared(word, text, least) for word in _WORDS.split(title)), key=len, default="")


def _shared(word: str, text: str, least: int) -> str:
    least = least or (len(word) if len(word) <= _SHORT else math.ceil(len(word) * _SHARE))
    for length in range(len(word), max(least, _NAME) - 1, -1):
        for at in range(len(word) - length + 1):
            if word[at : at + length] in text:
                return word[at : at + length]
    return ""


def closest(found: Sequence[T], title: Callable[[T], str], text: str) -> list[T]:
    """Those whose title is named best in `text`; empty where none is."""
    scored = [(closeness(title(one), text), one) for one in found]
    best = max((score for score, _ in scored), default=0)
    return [one for score, one in scored if score == best > 0]


def ask_which(scene: Scene, found: Sequence[DocumentSummary], errand: Errand, lead: str = "") -> Outcome:
    """A list to choose from."""
    shown = list(found[:SHOWN])
    options = tuple(Option(item.title, item.number, item.node_label) for item in shown)
    frame = Frame(
        Stage.CHOOSING_DOCUMENT, errand=errand, options=options, slots=dict(scene.heard.slots or {})
    )
    kind = _label(shown)
    more = len(shown) < len(found)
    text = say("which_plan_more", shown=len(shown), kind=kind) if more else say("which_plan", kind=kind)
    return Outcome(scene.state.push(frame), (Reply(lead + text, documents_card(shown, choosing=True)),))


def _label(found: Sequence[DocumentSummary]) -> str:
    """What documents of a list are called together."""
    labels = {one.kind_label for one in found}
    return labels.pop() if len(labels) == 1 else say("documents_any")


def documents_card(
    found: Sequence[DocumentSummary], *, choosing: bool = False, title: str = ""
) -> DocumentsCard:
    """A list of documents."""
    items = tuple(
        DocumentItem(one.number, one.title, one.node, one.node_label, one.number if choosing else "")
        for one in found
    )
    return DocumentsCard(title or say("documents_title", kind=_label(found)), items)


def chosen(heard: Heard, options: Sequence[Option]) -> list[Option]:
    """Options that the answer means: by number, position, the number's end, or part of the name."""
    if heard.numbers:
        return [one for one in options if one.value in heard.numbers]
    if heard.ordinal == LAST:
        return list(options[-1:])
    if 0 < heard.ordinal <= len(options):
        return [options[heard.ordinal - 1]]
    if heard.tail and (ending := [one for one in options if ends_with(one.value, heard.tail)]):
        return ending
    said = _POINTS.sub("", words.key(heard.plain))
    inside = [one for one in options if len(said) >= _NAME and said in words.key(one.title)]
    return inside if len(inside) == 1 else closest(options, lambda one: one.title, heard.plain) or inside


def ends_with(number: str, tail: str) -> bool:
    """Whether a document number ends in the digits `tail`; few digits are compared as the running number."""
    digits = "".join(char for char in number if char.isdigit())
    if len(tail) >= _TAIL_EXACT:
        return digits.endswith(tail)
    return digits[-6:].isdigit() and int(digits[-6:]) == int(tail)


def ask_topic(scene: Scene, finding: Finding, said: str) -> Outcome:
    """Up to four topics to tap, and a way out."""
    options = tuple(Option(one.title, one.topic) for one in finding.choices)
    frame = Frame(Stage.CHOOSING_TOPIC, options=options, slots=dict(scene.heard.slots or {}))
    other = Choice(say("which_topic_other"), say("which_topic_other"))
    choices = (*(Choice(one.title, one.title) for one in options), other)
    return Outcome(scene.state.push(frame), (Reply(said, choices=choices),))


def ask_instead(scene: Scene, topics: Sequence[str]) -> Outcome | None:
    """The topics that came second for the last question, after a correction; None where there are none."""
    known = [entry for topic in topics if (entry := scene.knowledge.known(scene.region, topic))]
    if not known:
        return None
    options = tuple(Option(entry.title, entry.id) for entry in known)
    choices = tuple(Choice(one.title, one.title) for one in options)
    other = Choice(say("which_topic_other"), say("which_topic_other"))
    state = replace(scene.state.push(Frame(Stage.CHOOSING_TOPIC, options=options)), others=())
    return Outcome(state, (Reply(say("which_instead"), choices=(*choices, other)),))

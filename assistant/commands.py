"""Acts asked for by name on a named document: 审核通过 JH-…, 退回 …，意见：…"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from assistant.cards import Reply
from assistant.choosing import LOOKED_AT, ask_which, closest, part_of
from assistant.conversation import Errand
from assistant.looking import missing, not_offered, seal, track
from assistant.repair import propose
from assistant.replies import say
from assistant.scene import Outcome, Scene, Viewer
from assistant.topics import leading
from assistant.understanding import MARKS
from assistant.wording import commands, judging, named, offered, stance
from core.service.views import DocumentSummary, DocumentView
from kb import text as words

_BARE_LIMIT = 12  # characters of a command without a number
_PART = 2  # characters of an act's name that are a word of their own: 提交 and 变更
# 备案了才发现…, 还没备案: how the document stands, not what is to be done
_TOLD_BEFORE, _TOLD_AFTER = re.compile("[没未已刚]经?$"), re.compile("[过好完]?了[^吧呀啊呢哦喽吗没]")
_WISH = re.compile("(想要?|(?<!不)要|怎么|怎样|如何|申请)$")  # 录错了想撤销: the wish counts, not the trouble


@dataclass(frozen=True)
class _Match:
    length: int
    kind: str
    name: str
    wished: bool = False
    trouble: bool = False  # said by what is wrong (收款账号写错), not by the act's name


def act(scene: Scene) -> Outcome | None:
    """Carry on with a command; None where the message is none."""
    viewer = scene.viewer
    heard = scene.heard
    bare = not heard.numbers
    number = scene.number
    if viewer is None or (bare and (heard.question or _long(viewer, number, words.key(heard.lead)))):
        return None
    if bare and (meant := stance(heard.lead)):
        return _judging(scene, viewer, meant, number)
    if bare and not _said_of(viewer, number, heard.lead):
        number = ""  # 合同录错了 is not said of the plan that was spoken of
    if not number or not viewer.sees(number):
        return missing(scene, heard.numbers[0]) if heard.numbers else _among_waiting(scene, viewer)
    view = viewer.look(number)
    match = _best(view, words.key(heard.lead), bare=bare)
    if bare and (match is None or match.kind == "act"):
        return _among_waiting(scene, viewer) or (_carry(scene, view, match) if match else None)
    # 怎么作废 JH-… asks for the way, not for the act
    if heard.question and (match is None or not (match.trouble or match.kind in {"sign", "track"})):
        return None
    return _carry(scene, view, match) if match else _not_known(scene, view)


def _long(viewer: Viewer, number: str, said: str) -> bool:
    """Whether a message is more than a command without a number is, unless it is an offered act's own long name."""
    if len(said) <= _BARE_LIMIT:
        return False
    process = viewer.process(number) if number else None
    if process is None or all(words.key(action.label) != said for action in process.actions.values()):
        return True
    return all(words.key(offer.label) != said for offer in viewer.look(number).offers)


def _said_of(viewer: Viewer, number: str, text: str) -> bool:
    """Whether a message names no other kind than the document's."""
    kind = named(viewer.kinds, words.key(text))
    process = viewer.process(number) if kind and number else None
    return process is None or process.kind == kind


def _not_known(scene: Scene, view: DocumentView) -> Outcome | None:
    """An act by a name that documents of this kind do not have: what can be done instead."""
    said = words.key(scene.heard.lead)
    for mark in MARKS:
        said = said.replace(words.key(mark), "")
    if not any(
        word in said and len(word) * 2 > len(said) for spoken in commands().acts.values() for word in spoken
    ):
        return None
    return not_offered(scene, view)


def _judging(scene: Scene, viewer: Viewer, meant: str, number: str) -> Outcome:
    """同意 alone: to the document that is spoken of, else to what waits for this account; of several, which."""
    errand = Errand("act", action=meant)
    if number and viewer.sees(number) and offered(meant, viewer.look(number).offers):
        return propose(scene, replace(errand, number=number))
    waiting = [one for one in viewer.todo[:LOOKED_AT] if offered(meant, viewer.look(one.number).offers)]
    if not waiting:
        return Outcome(scene.state, (Reply(say("nothing_to_judge")),))
    if len(waiting) > 1:
        return ask_which(scene, waiting, errand)
    return propose(scene, replace(errand, number=waiting[0].number))


def _among_waiting(scene: Scene, viewer: Viewer) -> Outcome | None:
    """退回 without a number: the documents that wait for this account and offer the act."""
    said = words.key(scene.heard.lead)
    if not any(word in said for spoken in commands().acts.values() for word in spoken):
        return None
    found: list[tuple[DocumentSummary, _Match]] = []
    for summary in viewer.todo[:LOOKED_AT]:
        view = viewer.look(summary.number)
        match = _best(view, said.replace(words.key(part_of(summary.title, said)), ""), bare=True)
        if match and match.kind == "act" and match.name in _on_offer(view):
            found.append((summary, match))
    pointed = closest(found, lambda pair: pair[0].title, scene.heard.plain) or found
    if not pointed:
        return None
    longest = max(match.length for _, match in pointed)
    pointed = [(summary, match) for summary, match in pointed if match.length == longest]
    action = pointed[0][1].name
    if len(pointed) > 1:
        return ask_which(scene, [summary for summary, _ in pointed], Errand("act", action=action))
    return propose(scene, Errand("act", number=pointed[0][0].number, action=action))


def _carry(scene: Scene, view: DocumentView, match: _Match) -> Outcome | None:
    number = view.summary.number
    if match.kind == "track":
        return track(scene, number)
    if match.kind == "sign":
        return seal(scene, number)
    target = _target(view, match.name, scene.heard.lead)
    slots = {"target": target} if target else {}
    if match.kind == "goal":
        topic = leading(scene.knowledge.library, scene.region, match.name)
        return propose(scene, Errand("goal", number=number, goal=match.name, topic=topic))
    if match.name not in _on_offer(view) and not scene.heard.numbers:
        return None  # without a number it was perhaps not meant as a command
    if match.name not in view.process.actions:
        return not_offered(scene, view)
    return propose(scene, Errand("act", number=number, action=match.name), slots)


def _target(view: DocumentView, action: str, text: str) -> str:
    """A return target named in the message."""
    for offer in view.offers:
        if offer.action == action:
            return next((node for node, label in offer.targets if label in text), "")
    return ""


def _on_offer(view: DocumentView) -> set[str]:
    return {offer.action for offer in view.offers}


def _best(view: DocumentView, said: str, *, bare: bool) -> _Match | None:
    """What is wished for, else the longest word in the message; without a number it has to be nearly all of it."""
    found = [match for match in _matches(view, said) if not bare or match.length * 2 > len(said)]
    open_now = _on_offer(view)
    # 作废 is the act and the goal: the goal also brings the steps of others.
    return max(found, key=lambda m: (m.wished, m.length, m.kind == "goal", m.name in open_now), default=None)


def _matches(view: DocumentView, said: str) -> Iterator[_Match]:
    known = commands()
    yield from _troubles(view, said)
    yield from _in_full(view, said)
    for action in view.process.actions.values():
        for word in map(words.key, (*known.acts.get(action.id, ()), action.label)):
            yield from (_Match(len(word), "act", action.id, wish) for wish in _asked(word, said))
    for goal, spoken in known.goals.items():
        if goal in view.process.goals:
            yield from (
                _Match(len(word), "goal", goal, _wished(word, said)) for word in spoken if word in said
            )
    for name, goal in known.instead.items():
        if name not in view.process.actions and goal in view.process.goals:
            yield from (_Match(len(word), "goal", goal) for word in known.acts[name] if word in said)
    for kind, spoken in (("track", known.track), ("sign", known.sign)):
        if kind == "track" or "sign" in view.process.actions:
            yield from (_Match(len(word), kind, kind) for word in spoken if word in said)


def _troubles(view: DocumentView, said: str) -> Iterator[_Match]:
    """Acts on offer that mend what is said to be wrong, also where it is told: 备案了才发现收款账号写错了."""
    for offer in view.offers:
        for word in map(words.key, commands().when_offered.get(offer.action, ())):
            if word in said:
                yield _Match(len(word), "act", offer.action, _wished(word, said), trouble=True)


def _in_full(view: DocumentView, said: str) -> Iterator[_Match]:
    """Acts on offer said with all of what they are about: 提交采购方式变更 for 提交变更, 不同意采购方式变更 for 退回变更."""
    labels = [label for action in view.process.actions.values() if (label := words.key(action.label)) in said]
    for offer in view.offers if labels else ():
        own = words.key(offer.label)
        short = {own[:at]: own[at:] for at in range(_PART, len(own) - _PART + 1)}
        heads = [(head, what) for head, tail in short.items() for what in labels if what.endswith(tail)]
        heads += [(word, what) for word in judging(offer.action) for what in labels]
        for word in {f"{head}{what}" for head, what in heads if what not in {own, *short.values()}}:
            yield from (_Match(len(word), "act", offer.action, wish) for wish in _asked(word, said))


def _asked(word: str, said: str) -> Iterator[bool]:
    """Each place where the word asks for its act: whether it is wished for there."""
    for place in re.finditer(re.escape(word), said):
        before, after = said[: place.start()], said[place.end() :]
        if not _TOLD_BEFORE.search(before) and not _TOLD_AFTER.match(after):
            yield bool(_WISH.search(before))


def _wished(word: str, said: str) -> bool:
    return any(_WISH.search(said[: place.start()]) for place in re.finditer(re.escape(word), said))

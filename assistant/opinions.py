"""同意 / 不同意，型号不对: the opinion or signature that a colleague asked this account for, given after a yes."""

import re
from dataclasses import replace
from uuid import uuid4

from assistant.cards import Change, ConfirmCard, Reply
from assistant.conversation import Errand, Frame, Stage
from assistant.replies import say
from assistant.scene import YES_NO, Outcome, Scene, Viewer
from assistant.understanding import MARKS
from assistant.wording import stance
from core.domain.errors import DomainError
from core.service import assigning, decisions
from core.service.assigning import Wish
from core.service.decisions import Decision, Line

_HEAD = re.compile(r"[\s，,：:；;。.]+")
_NUMBERS = re.compile("|".join(MARKS))
_GIVEN = {"agree": "同意", "refuse": "不同意"}


def asked(scene: Scene) -> Outcome | None:
    """What a message says to the document that waits for this account's opinion; None where it says nothing of it."""
    verdict, note = _verdict(scene)
    if scene.viewer is None or not verdict:
        return None
    found = _waiting(scene, scene.viewer)
    return None if found is None else _propose(scene, *found, verdict, note)


def _verdict(scene: Scene) -> tuple[str, str]:
    """`agree` or `refuse` with what is said to it; "" where the message begins with neither."""
    heard = scene.heard
    head, *rest = _HEAD.split(_NUMBERS.sub("", heard.lead).strip(), maxsplit=1)
    return stance(head), next(iter((heard.slots or {}).values()), "".join(rest)).strip()


def _waiting(scene: Scene, viewer: Viewer) -> tuple[Decision, Line] | None:
    """The document that is named or spoken of, else the only one that waits: what this account is asked there."""
    number = scene.number
    if not number:
        waiting = [one.number for one in viewer.todo]
        number = waiting[0] if len(waiting) == 1 else ""
    if not number or not viewer.sees(number):
        return None
    found = decisions.decision(viewer.system, viewer.account, number)
    mine = next((line for line in found.lines if line.mine), None)
    return (found, mine) if mine else None


def _propose(scene: Scene, found: Decision, line: Line, verdict: str, note: str) -> Outcome:
    state = replace(scene.state, number=found.number)
    if verdict == "refuse" and not note:
        return Outcome(state, (Reply(say("opinion_why", number=found.number)),))
    frame = Frame(
        Stage.CONFIRMING,
        errand=Errand("opinion", number=found.number, action=verdict, assignment=line.id),
        slots={"opinion": note},
        versions={found.number: found.version},
        token=uuid4().hex,
        about=say("opinion_about", number=found.number),
    )
    given = f"{_GIVEN[verdict]}：{note}" if note else _GIVEN[verdict]
    card = ConfirmCard(say("confirm_title"), found.number, (Change(line.label, "—", given),))
    question = say("opinion_question", number=found.number, who=line.by, what=line.label, given=given)
    return Outcome(state.push(frame), (Reply(question, card, YES_NO),))


def carry_out(scene: Scene, frame: Frame) -> Outcome:
    """A yes to it."""
    state, errand, viewer = scene.state.pop(), frame.errand, scene.asker
    assert errand is not None, "of a document"  # noqa: S101
    wish = Wish(frame.versions[errand.number], frame.token, frame.slots["opinion"])
    try:
        done = assigning.answer(
            viewer.system, viewer.account, errand.number, errand.assignment, wish,
            agrees=errand.action == "agree",
        )  # fmt: skip
    except DomainError as error:
        return Outcome(state, (Reply(say("opinion_not_given", reason=error.message)),))
    return Outcome(replace(state, done=done.said), (Reply(done.said),))

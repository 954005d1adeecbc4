"""催一下: reminding whose turn a document is, after a yes."""

from dataclasses import replace
from uuid import uuid4

from assistant.cards import Change, ConfirmCard, Reply
from assistant.choosing import LOOKED_AT, ask_which, closest
from assistant.conversation import Errand, Frame, Stage
from assistant.looking import missing
from assistant.replies import say
from assistant.scene import YES_NO, Outcome, Scene, Viewer
from assistant.wording import commands
from core.domain.errors import DomainError
from core.service import lists, reminders
from core.service.page_ports import Query
from core.service.reminders import Prospect
from core.service.views import DocumentSummary
from kb import text as words

_LONGEST = 24  # characters of a message that asks for it; more is a story
_FOR_ME = ("帮我催", "替我催")  # asked for, even where it is put as a question


def asked(scene: Scene) -> Outcome | None:
    """Take up a message that asks for a reminder; None where it does not."""
    viewer, heard = scene.viewer, scene.heard
    said = words.key(heard.lead)
    known = any(word in said for word in commands().remind) and len(said) <= _LONGEST
    if viewer is None or not known or (heard.question and not any(word in said for word in _FOR_ME)):
        return None
    if heard.numbers:
        number = heard.numbers[0]
        return propose(scene, number) if viewer.sees(number) else missing(scene, number)
    waiting = _waiting(viewer)
    named = closest(waiting, lambda one: one.title, heard.plain)
    if len(named) == 1:
        return propose(scene, named[0].number)
    if not named and scene.number and viewer.sees(scene.number):
        return propose(scene, scene.number)
    found = named or waiting
    if len(found) > 1:
        return ask_which(scene, found, Errand("remind"))
    return propose(scene, found[0].number) if found else Outcome(scene.state, (Reply(say("remind_none")),))


def _waiting(viewer: Viewer) -> list[DocumentSummary]:
    """Documents that the asker entered and that wait for somebody else, the most urgent first."""
    found = lists.find(viewer.system, viewer.account, Query("mine", order="urgent"), limit=LOOKED_AT)
    own = {one.number for one in viewer.todo}
    return [one for one in found if one.number not in own and _prospect(viewer, one.number).told]


def _prospect(viewer: Viewer, number: str) -> Prospect:
    return reminders.prospect(viewer.system, viewer.account, number)


def propose(scene: Scene, number: str) -> Outcome:
    """Say who would be reminded, and ask whether to; or why it cannot be done."""
    view, prospect = scene.asker.look(number), _prospect(scene.asker, number)
    document = say("document", number=view.summary.number, title=view.summary.title)
    state = replace(scene.state, number=view.summary.number)
    if not prospect.mine:
        return Outcome(state, (Reply(say("remind_not_yours", document=document)),))
    if prospect.why_not:
        return Outcome(state, (Reply(say("remind_not_now", reason=prospect.why_not)),))
    frame = Frame(
        Stage.CONFIRMING,
        errand=Errand("remind", number=view.summary.number),
        token=uuid4().hex,
        about=say("remind_about", document=document),
    )
    card = ConfirmCard(
        say("confirm_title"), view.summary.number, (Change("催办", view.summary.node_label, prospect.told),)
    )
    question = say("remind_question", document=document, node=view.summary.node_label, who=prospect.told)
    return Outcome(state.push(frame), (Reply(question, card, YES_NO),))


def carry_out(scene: Scene, frame: Frame) -> Outcome:
    """A yes to it."""
    state = scene.state.pop()
    assert frame.errand is not None, "of a document"  # noqa: S101
    try:
        done = reminders.remind(scene.asker.system, scene.asker.account, frame.errand.number, key=frame.token)
    except DomainError as error:
        return Outcome(state, (Reply(say("remind_not_now", reason=error.message)),))
    return Outcome(replace(state, done=done.said), (Reply(done.said),))

"""CA keys in the conversation (nm-6, nm-7): what is bound now, and unbinding the one that was signed in with.

Everything else wants a password or a signature, which are never typed into a conversation: the account's page does it.
"""

from dataclasses import replace
from uuid import uuid4

from assistant.cards import Change, ConfirmCard, FactsCard, Reply, Row
from assistant.conversation import Errand, Frame, Stage
from assistant.replies import say
from assistant.scene import YES_NO, Outcome, Scene, Viewer
from core.domain.calendar import day_of
from core.domain.errors import DomainError, NotFoundError
from core.service import certificates
from core.service.identity_ports import Binding
from kb import Entry

PAGE = "/account#certificates"


def answer(scene: Scene, viewer: Viewer, entry: Entry) -> Outcome:
    """What is bound to the account now; for an unbinding that this session may do, the question whether to do it."""
    bound = certificates.mine(viewer.system, viewer.account)
    now = _now(viewer, bound)
    wanted = entry.operation is not None and entry.operation.action == "unbind"
    if not wanted or not bound:
        return Outcome(scene.state, (now,))
    used = scene.session.certificate if scene.session is not None else ""
    held = next((one for one in bound if one.certificate.sha256 == used), None)
    if held is None or viewer.account.acts_for:
        return Outcome(scene.state, (now, Reply(say("unbind_elsewhere"))))
    return _offer(scene, now, viewer.account.login, held, entry.id)


def _now(viewer: Viewer, bound: list[Binding]) -> Reply:
    login = viewer.account.login
    rows = tuple(
        Row(
            one.certificate.owner,
            say("bound_row", serial=one.certificate.serial, until=day_of(one.certificate.not_after)),
        )
        for one in bound
    )
    text = say("bound_some", login=login, count=len(bound)) if bound else say("bound_none", login=login)
    return Reply(text, FactsCard(say("bound_title"), rows, page=PAGE))


def _offer(scene: Scene, now: Reply, login: str, held: Binding, topic: str) -> Outcome:
    serial, owner = held.certificate.serial, held.certificate.owner
    frame = Frame(
        Stage.CONFIRMING,
        errand=Errand("unbind", topic=topic),
        slots={"serial": serial},
        token=uuid4().hex,
        about=say("unbind_about", owner=owner),
    )
    card = ConfirmCard(
        say("confirm_title"), "", (Change(owner, say("bound_to", login=login), say("bound_no_more")),)
    )
    question = Reply(say("unbind_question", owner=owner), card, YES_NO)
    return Outcome(scene.state.push(frame), (now, question))


def carry_out(scene: Scene, frame: Frame) -> Outcome:
    """A yes to it. Done before, by whatever way, is well."""
    state = scene.state.pop()
    if scene.viewer is None or scene.session is None:
        return Outcome(state, (Reply(say("unbind_elsewhere")),))
    try:
        gone = certificates.unbind(scene.viewer.system, scene.session, frame.slots["serial"])
    except NotFoundError:
        said = say("unbound_already")
    except DomainError as error:
        return Outcome(state, (Reply(say("refused", reason=error.message)),))
    else:
        said = say("unbound", owner=gone.certificate.owner)
    return Outcome(replace(state, done=said), (Reply(said),))

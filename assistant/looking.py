"""Answers that only look: where a document is, whose turn it is, what waits, which accounts a unit has."""

from dataclasses import replace

from assistant import repair
from assistant.cards import Choice, FactsCard, FlowCard, Reply, Row
from assistant.choosing import documents_card
from assistant.conversation import Errand
from assistant.prepared import signing
from assistant.replies import say
from assistant.scene import Outcome, Scene, Viewer
from assistant.wording import named
from core.domain.accounts import Role
from core.domain.errors import NotFoundError
from core.domain.money import yuan
from core.service import accounts, reports
from core.service import flow as flows
from core.service.flow import Flow
from core.service.views import DocumentView
from kb import text as words

_SHOWN = 10  # documents in a list that is only looked at
_SUGGESTED = 3  # acts offered as choices beside a document
_CLERK_CHOICES = ("计划录错了", "作废")


def missing(scene: Scene, number: str) -> Outcome:
    """The same answer for no document and for another unit's."""
    return Outcome(scene.state, (Reply(say("not_found", number=number)),))


def track(scene: Scene, number: str) -> Outcome:
    """The drawn flow, and in words who has it now (nm-8)."""
    viewer = scene.asker
    try:
        view = viewer.look(number)
        drawn = _drawn(viewer, number)
    except NotFoundError:
        return missing(scene, number)
    card = FlowCard(say("flow_title"), number, drawn.nodes, drawn.edges)
    doubts = (
        say("to_check", doubts="；".join(view.doubts.values())) if view.doubts and view.whose_turn else ""
    )
    text = f"{where(view)}{_turn(drawn)}{_stopped(viewer, view)}{doubts}"
    state = replace(scene.state, number=number, topic="")
    return Outcome(state, (Reply(text, card, _suggestions(viewer, view)),))


def paid(scene: Scene, number: str) -> Outcome:
    """What has been paid of a contract, what waits, what is open, and each payment (fj-6.2)."""
    viewer = scene.asker
    found = reports.paid(viewer.system, viewer.account, number)
    rows = tuple(Row(f"{payment}（{node}）", f"{yuan(fen)} 元") for payment, node, fen in found.lines)
    card = FactsCard(found.name, rows, page=f"/documents/{found.number}/paid") if rows else None
    return Outcome(replace(scene.state, number=found.number, topic=""), (Reply(found.said, card),))


def where(view: DocumentView) -> str:
    """Where a document is."""
    return say("where", document=repair.about(view), node=view.summary.node_label)


def _who(drawn: Flow) -> str:
    """Whose turn it is, by name."""
    return next((node.whose for node in drawn.nodes if node.state == "current"), "")


def _turn(drawn: Flow) -> str:
    who = _who(drawn)
    return say("whose_turn", who=who) if who else say("nobody_turn")


def _days(viewer: Viewer, view: DocumentView) -> int:
    last = max((entry.at for entry in view.history), default=view.document.updated_at)
    return int((viewer.system.clock() - last).total_seconds() // 86400)


def _stopped(viewer: Viewer, view: DocumentView) -> str:
    days = _days(viewer, view)
    return say("since", days=days) if days > 0 and view.whose_turn else ""


def _suggestions(viewer: Viewer, view: DocumentView) -> tuple[Choice, ...]:
    """What this account can do with it, as things to say."""
    number = view.summary.number
    offered = [Choice(offer.label, f"{offer.label} {number}") for offer in view.offers[:_SUGGESTED]]
    if not offered and viewer.account.buys and view.summary.kind == "plan":
        offered = [Choice(text, f"{text} {number}") for text in _CLERK_CHOICES]
    return tuple(offered)


def not_offered(scene: Scene, view: DocumentView) -> Outcome:
    """What was asked for cannot be done with a document; what can."""
    viewer = scene.asker
    said = say("not_offered", number=view.summary.number, node=view.summary.node_label)
    state = replace(scene.state, number=view.summary.number)
    return Outcome(state, (Reply(said, choices=_suggestions(viewer, view)),))


def who_next(scene: Scene) -> Outcome | None:
    """谁来审, 然后呢: of the document spoken of last; None where there is none."""
    if not scene.viewer or not scene.number or not scene.viewer.sees(scene.number):
        return None
    view = scene.viewer.look(scene.number)
    node = view.process.node(view.summary.node)
    return Outcome(
        scene.state, (Reply(f"{where(view)}{_turn(_drawn(scene.viewer, scene.number))}{node.help}"),)
    )


def _drawn(viewer: Viewer, number: str) -> Flow:
    return flows.flow(viewer.system, viewer.account, number)


def how_long(scene: Scene) -> Outcome:
    """How long it has been lying there; there is no promise how long it will take."""
    if not scene.viewer or not scene.number or not scene.viewer.sees(scene.number):
        return Outcome(scene.state, (Reply(say("how_long_unknown")),))
    view = scene.viewer.look(scene.number)
    who = _who(_drawn(scene.viewer, scene.number))
    if not who:
        return Outcome(scene.state, (Reply(where(view) + say("nobody_turn")),))
    text = say(
        "how_long",
        document=repair.about(view),
        node=view.summary.node_label,
        who=who,
        days=_days(scene.viewer, view),
    )
    return Outcome(scene.state, (Reply(text),))


def todo(scene: Scene) -> Outcome:
    """Everything that waits for this account."""
    viewer = scene.asker
    if not viewer.todo:
        return Outcome(scene.state, (Reply(say("todo_none")),))
    card = documents_card(viewer.todo[:_SHOWN], title=say("todo_title"))
    return Outcome(scene.state, (Reply(say("todo_some", count=len(viewer.todo)), card),))


def mine(scene: Scene) -> Outcome:
    """The documents this account may see, of the kind that is named."""
    viewer = scene.asker
    kind = named(viewer.kinds, words.key(scene.heard.plain))
    found = (viewer.seen(kind) if kind else ()) or viewer.everything
    if not found:
        return Outcome(scene.state, (Reply(say("documents_none")),))
    label = found[0].kind_label if found[0].kind == kind else say("documents_any")
    card = documents_card(found[:_SHOWN], title=say("documents_title", kind=label))
    return Outcome(scene.state, (Reply(say("documents_some", kind=label, count=len(found)), card),))


def numbers(scene: Scene) -> tuple[Reply, ...]:
    """Account numbers of the asker's own unit, derived by the rule and with the people who have them (nm-5)."""
    viewer = scene.asker
    unit = viewer.account.unit
    known = accounts.numbers(viewer.system, viewer.account)
    rows = tuple(Row(one.role, f"{one.login}（{one.name}）" if one.name else one.login) for one in known)
    text = say("account_numbers", unit=unit.name, division=unit.division, code=unit.code)
    own = say("account_own", login=viewer.account.login)
    return (Reply(text + own, FactsCard(say("account_title"), rows)),)


def seal(scene: Scene, number: str) -> Outcome:
    """A wrong seal: sign again before filing, void after it (nm-9)."""
    viewer = scene.asker
    view = viewer.look(number)
    state = replace(scene.state, number=number)
    if view.summary.kind != "plan":
        return Outcome(
            state, (Reply(where(view) + say("sign_elsewhere", label=signing(view), number=number)),)
        )
    if "sign" in view.process.actions and view.summary.node in view.process.actions["sign"].routes:
        signed = "signed" in view.document.flags
        said = say("sign_now_signed" if signed else "sign_now", number=number)
        other = "" if viewer.account.role is Role.HANDLER else say("sign_other")
        return Outcome(state, (Reply(f"{where(view)}{said}{other}"),))
    lead = say("filed_seal")
    errand = Errand("goal", number=number, goal="void", topic=scene.state.topic)
    return repair.propose(scene.at(state), errand, lead=lead)

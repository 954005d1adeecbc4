"""One turn: understand, look at what is true, answer, offer, confirm, act, say what is next.

`respond` is the whole assistant for the surfaces; `assistant.dialogue.decide` is the same without storage.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from assistant import news, store
from assistant.cards import DocumentsCard, EntryCard, Reply, Turn
from assistant.conversation import Stage, State
from assistant.dialogue import decide
from assistant.handoff import hand_over
from assistant.knowledge import Knowledge
from assistant.replies import say
from assistant.scene import YES_NO, Outcome, Scene, Viewer
from assistant.store import MovedError, Opened, Owner, Written
from assistant.understanding import hear
from core.domain.accounts import Account, Session
from core.domain.errors import ConflictError
from core.service import notices, repairs
from core.service.ports import Notice
from core.service.repairs import RepairTask
from core.service.system import System

DEFAULT_REGION = "neimenggu"
TRIES = 5
_YES_OR_NO = {choice.say for choice in YES_NO}
_PAGE_NUMBER = re.compile(r"[A-Z]{2}-\d{6}-\d{4}-\d{6}")


def respond(  # noqa: PLR0913 - what a surface knows of a message
    system: System,
    knowledge: Knowledge,
    account: Account | None,
    conversation_id: str | None,
    text: str,
    key: str,
    *,
    page: str | None = None,
    region: str | None = None,
    channel: str = "web",
    peer: str | None = None,
    expires_at: datetime | None = None,
    session: Session | None = None,
) -> Turn:
    """Answer `text` in the account's name; the same `key` again gives the same turn and does nothing twice.

    Args:
        system: the running core.
        knowledge: entries and retrievers.
        account: who asks; None for somebody unknown, who is only answered.
        conversation_id: None begins one.
        text: what was written.
        key: names this message, 1–80 characters.
        page: path of the page it was asked from; a document shown there is meant unless another is named.
        region: of somebody without an account.
        channel: where it was asked; `page` and `peer` differ by it.
        peer: keyed hash of a channel's user; its conversations are begun where they are not there yet.
        expires_at: when the session ends, where the caller knows it (nm-13).
        session: of the asker, where there is one; what a certificate opened may unbind it (nm-7).

    Errors: NotFoundError (conversation of someone else, region), InvalidError (key), ConflictError (too many turns
    of one conversation at once), UnavailableError.
    """
    kept = store.of(system)
    owner = Owner(account.id if account else None, peer)
    place = account.region if account else region or DEFAULT_REGION
    knowledge = knowledge.settled()
    knowledge.check(place)
    wanted = store.digest(text, conversation_id)
    for _ in range(TRIES):
        with system.database.look():
            found = kept.open(conversation_id, owner, key, wanted)
            if isinstance(found, Turn):
                return found
            opened = found or _begun(conversation_id, owner, place, channel)
            unseen, tasks = _waiting(system, account) if account else ((), ())
            held = kept.ticket(opened.state.ticket) if opened.state.ticket else None
            scene = Scene(
                knowledge=knowledge,
                region=opened.region,
                heard=hear(text),
                state=opened.state
                if held is None or held.state != "closed"
                else replace(opened.state, ticket=""),
                viewer=Viewer(system, account) if account else None,
                tasks=tasks,
                unseen=unseen,
                page_number=_number_on(page),
                expires_at=expires_at,
                session=session,
            )
            now = system.clock()
            attended = held is not None and held.state == "taken"
            outcome, ticket, told = _attended(scene) if attended else _take(scene, kept, opened, now)
        outcome = replace(outcome, replies=knowledge.worded(text, outcome.replies))
        try:
            about, lack = _about(scene.state, outcome)
            written = Written(text, outcome.replies, outcome.state, key, ticket, about, lack)
            kept.write(opened, written, wanted, now)
        except MovedError:
            continue
        if account and told:
            notices.mark_seen(system, account, [notice.id for notice in told])
        return Turn(opened.id, outcome.replies)
    raise ConflictError("这段对话里同时来了太多消息，请稍后再发一次", code="busy")


def _begun(conversation_id: str | None, owner: Owner, region: str, channel: str) -> Opened:
    if conversation_id is not None and owner.peer is None:
        raise store.missing()
    return Opened(conversation_id or uuid4().hex, owner, region, channel, State(), 0)


def _waiting(system: System, account: Account) -> tuple[Sequence[Notice], Sequence[RepairTask]]:
    """What the account has to hear and to do. One look tells the usual case, that there is nothing to do."""
    with system.database.read() as tx:
        unseen = tx.records.notices(account.id)
        waits = tx.records.waiting_repairs(account.unit.id, account.role)
    return unseen, repairs.mine(system, account) if waits else ()


def _number_on(page: str | None) -> str:
    match = _PAGE_NUMBER.search(page or "")
    return match[0] if match else ""


def _attended(scene: Scene) -> tuple[Outcome, None, Sequence[Notice]]:
    """A person has taken over: the message is kept for them and nothing is understood or done."""
    told = news.told_replies(scene.unseen, ())
    return (
        Outcome(scene.state, (*told, Reply(say("with_staff", number=scene.state.ticket)))),
        None,
        scene.unseen,
    )


def _about(before: State, outcome: Outcome) -> tuple[str, str]:
    """(topic that was answered, what was lacking), for those who keep the entries."""
    if outcome.state.unknowns > before.unknowns:
        declined = any(reply.text == say("out_of_scope") for reply in outcome.replies)
        return "", "declined" if declined else "unknown"
    for reply in outcome.replies:
        if isinstance(reply.card, EntryCard) and reply.card.topic:
            return reply.card.topic, ""
    if outcome.about:
        return outcome.about, ""
    now, was = _topic_of(outcome.state), _topic_of(before)
    return now if now != was else "", ""


def _topic_of(state: State) -> str:
    return state.top.errand.topic if state.top is not None and state.top.errand is not None else ""


def _take(
    scene: Scene, kept: store.Store, opened: Opened, now: datetime
) -> tuple[Outcome, dict[str, object] | None, Sequence[Notice]]:
    """Outcome, a ticket's row if one is opened, and the notices that were told."""
    scene = _by_menu(scene)
    wants_person = scene.heard.act == "person" or (
        scene.heard.act == "yes"
        and scene.state.top is not None
        and scene.state.top.stage is Stage.OFFERING_PERSON
    )
    if wants_person:
        outcome, ticket = hand_over(scene.at(_without_offer(scene.state)), now)
        return outcome, ticket, []
    if scene.heard.act == "repeat":
        last = (
            [one for one in kept.messages(opened.id, 2) if one.role == "assistant"] if opened.version else []
        )
        replies = last[-1].replies if last else (Reply(say("repeat_none")),)
        return Outcome(scene.state, replies), None, []
    fresh = [task for task in scene.tasks if news.mark(task) not in scene.state.told]
    told = news.told_replies(scene.unseen, fresh)
    outcome = news.with_tasks(decide(scene), scene, fresh)
    says = next((menu for reply in reversed(outcome.replies) if (menu := _numbered(reply))), ())
    # A yes is answered with what was done before only right after it.
    stale = scene.heard.act != "yes" and outcome.state.done == scene.state.done
    done = "" if stale else outcome.state.done
    state = replace(outcome.state, menu=says, done=done, turns=scene.state.turns + 1)
    return replace(outcome, state=state, replies=(*told, *outcome.replies)), None, scene.unseen


def _numbered(reply: Reply) -> tuple[str, ...]:
    """What the numbers of a reply say; yes and no are not numbered: a number typed alone never means them."""
    if isinstance(reply.card, DocumentsCard):
        return tuple(item.number for item in reply.card.items)
    says = tuple(choice.say for choice in reply.choices)
    return () if set(says) <= _YES_OR_NO else says


def _by_menu(scene: Scene) -> Scene:
    """A number typed alone means the choice with that number, unless documents or values are being chosen."""
    menu, at, top = scene.state.menu, scene.heard.ordinal, scene.state.top
    if (
        not menu
        or not at
        or at > len(menu)
        or (top is not None and top.options and top.stage is not Stage.CHOOSING_TOPIC)
    ):
        return scene
    return scene.hearing(hear(menu[at - 1 if at > 0 else at]))


def _without_offer(state: State) -> State:
    top = state.top
    return state.pop() if top is not None and top.stage is Stage.OFFERING_PERSON else state

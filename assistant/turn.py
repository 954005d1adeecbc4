"""One turn: understand, look at what is true, answer, offer, confirm, act, say what is next.

`respond` is the whole assistant for the surfaces; `decide` is the same without storage.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from assistant import answering, choosing, commands, errands, looking, repair, store
from assistant.cards import Choice, Reply, Turn
from assistant.conversation import Errand, Frame, Option, Stage, State
from assistant.handoff import hand_over
from assistant.knowledge import Knowledge
from assistant.replies import say
from assistant.scene import YES_NO, Outcome, Scene, Viewer
from assistant.store import MovedError, Opened, Owner, Written
from assistant.understanding import Heard, hear
from core.domain.accounts import Account
from core.domain.errors import ConflictError, NotFoundError
from core.service import notices, repairs
from core.service.ports import Notice
from core.service.repairs import RepairTask
from core.service.system import System

DEFAULT_REGION = "neimenggu"
TRIES = 5
_PAGE_NUMBER = re.compile(r"[A-Z]{2}-\d{6}-\d{4}-\d{6}")


def respond(
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

    Errors: NotFoundError (conversation of someone else, region), InvalidError (key), ConflictError (too many turns
    of one conversation at once), UnavailableError.
    """
    kept = store.of(system)
    owner = Owner(account.id if account else None, peer)
    place = account.region if account else region or DEFAULT_REGION
    knowledge.check(place)
    wanted = store.digest(text, conversation_id)
    for _ in range(TRIES):
        if (earlier := kept.repeated(owner, key, wanted)) is not None:
            return earlier
        opened = _open(kept, conversation_id, owner, place, channel)
        state = _without_closed_ticket(kept, opened.state)
        scene = _scene(system, knowledge, account, opened.region, hear(text), state, key)
        scene = replace(scene, page_number=_number_on(page), expires_at=expires_at)
        now = system.clock()
        outcome, ticket, told = _take(scene, kept, opened, account, now)
        try:
            kept.write(opened, Written(text, outcome.replies, outcome.state, key, ticket), wanted, now)
        except MovedError:
            continue
        if account and told:
            notices.mark_seen(system, account, [notice.id for notice in told])
        return Turn(opened.id, outcome.replies)
    raise ConflictError("这段对话里同时来了太多消息，请稍后再发一次", code="busy")


def news(system: System, account: Account) -> tuple[Reply, ...]:
    """What this account should hear when it opens the chat; nothing is marked as seen."""
    tasks = repairs.mine(system, account)
    told = _news_replies(notices.unseen(system, account), tasks)
    return (*told, *(_task_reply(task, account) for task in tasks))


def _open(kept: store.Store, conversation_id: str | None, owner: Owner, region: str, channel: str) -> Opened:
    if conversation_id is not None:
        known = kept.load(conversation_id, owner)
        if known is not None:
            return known
        if owner.peer is None:
            raise NotFoundError("没有找到这段对话", fields={"conversation": "没有找到"})
    return Opened(conversation_id or uuid4().hex, owner, region, channel, State(), 0)


def _scene(
    system: System, knowledge: Knowledge, account: Account | None, region: str, heard: Heard, state: State, key: str
) -> Scene:
    viewer = Viewer(system, account) if account else None
    tasks = repairs.mine(system, account) if account else []
    return Scene(knowledge, region, heard, state, key, viewer, tasks)


def _number_on(page: str | None) -> str:
    match = _PAGE_NUMBER.search(page or "")
    return match[0] if match else ""


def _without_closed_ticket(kept: store.Store, state: State) -> State:
    if not state.ticket:
        return state
    row = kept.ticket(state.ticket)
    return state if row is not None and row.state != "closed" else replace(state, ticket="")


def _take(
    scene: Scene, kept: store.Store, opened: Opened, account: Account | None, now: datetime
) -> tuple[Outcome, dict[str, object] | None, Sequence[Notice]]:
    """Outcome, a ticket's row if one is opened, and the notices that were told."""
    unseen = notices.unseen(scene.viewer.system, account) if scene.viewer and account else []
    wants_person = scene.heard.act == "person" or (
        scene.heard.act == "yes" and scene.state.top is not None and scene.state.top.stage is Stage.OFFERING_PERSON
    )
    if wants_person:
        outcome, ticket = hand_over(scene.at(_without_offer(scene.state)), now)
        return outcome, ticket, []
    if scene.heard.act == "repeat":
        last = [one for one in kept.messages(opened.id, 2) if one.role == "assistant"] if opened.version else []
        replies = last[-1].replies if last else (Reply(say("repeat_none")),)
        return Outcome(scene.state, replies), None, []
    fresh = [task for task in scene.tasks if _mark(task) not in scene.state.told]
    told = _news_replies(unseen, fresh)
    outcome = _with_tasks(decide(scene), scene, fresh)
    return replace(outcome, replies=(*told, *outcome.replies)), None, unseen


def _without_offer(state: State) -> State:
    top = state.top
    return state.pop() if top is not None and top.stage is Stage.OFFERING_PERSON else state


def _mark(task: RepairTask) -> str:
    return f"{task.repair_id}:{task.step.number}:{task.step.action}:{task.version}"


def _news_replies(unseen: Sequence[Notice], tasks: Sequence[RepairTask]) -> tuple[Reply, ...]:
    """Notices as they are; those of a document that a task tells of anyway are left out."""
    covered = {task.step.number for task in tasks}
    return tuple(Reply(say("news", text=one.text)) for one in unseen if one.number not in covered)


def _task_reply(task: RepairTask, account: Account) -> Reply:
    document = say("document", number=task.step.number, title=task.title)
    slots = {"document": document, "label": task.step.label, "target": task.step.target_label}
    if task.asked_by == account.label:
        return Reply(say("task_own_turn", **slots), choices=YES_NO)
    return Reply(say("task_asked", who=task.asked_by, **slots), choices=YES_NO)


def _with_tasks(outcome: Outcome, scene: Scene, fresh: Sequence[RepairTask]) -> Outcome:
    """Steps that wait for this account are told once; a yes takes them up where nothing else runs."""
    assert scene.viewer is not None or not fresh, "tasks belong to accounts"  # noqa: S101
    busy = {frame.errand.repair for frame in outcome.state.stack if frame.errand}
    fresh = [task for task in fresh if task.repair_id not in busy]
    told = tuple(dict.fromkeys((*outcome.state.told, *(_mark(task) for task in scene.tasks))))[-50:]
    state = replace(outcome.state, told=told)
    if not fresh or scene.viewer is None:
        return replace(outcome, state=state)
    if len(fresh) == 1:
        reply = _task_reply(fresh[0], scene.viewer.account)
        frame = Frame(Stage.OFFERING, errand=errands.task_errand(fresh[0]), about=_task_about(fresh[0]))
    else:
        options = tuple(Option(f"{task.step.label} {task.title}", str(task.repair_id)) for task in fresh)
        choices = tuple(Choice(f"{task.step.label} {task.step.number}", str(at)) for at, task in enumerate(fresh, 1))
        reply = Reply(say("tasks_asked", count=len(fresh)), choices=choices)
        frame = Frame(Stage.CHOOSING_DOCUMENT, errand=Errand("task"), options=options)
    if state.stack:
        return replace(outcome, state=state).more(replace(reply, choices=()))
    return Outcome(state.push(frame), (*outcome.replies, reply))


def _task_about(task: RepairTask) -> str:
    document = say("document", number=task.step.number, title=task.title)
    return say("about", label=task.step.label, document=document)


def decide(scene: Scene) -> Outcome:
    """What the message leads to; a running thing that it was not about is led back to at the end."""
    before = scene.state.top
    handled = _running(scene, before) if before is not None else None
    outcome = handled or _fresh(scene)
    top = outcome.state.top
    if top is None or before is None:
        return outcome
    aside = handled is None and top == before
    uncovered = handled is not None and len(outcome.state.stack) < len(scene.state.stack)
    line = repair.resume_line(top) if aside or uncovered else ""
    return outcome.more(Reply(line, choices=_resume_choices(top))) if line else outcome


def _resume_choices(frame: Frame) -> tuple[Choice, ...]:
    return YES_NO if frame.stage in {Stage.CONFIRMING, Stage.OFFERING} else ()


def _running(scene: Scene, frame: Frame) -> Outcome | None:
    """What the message means to the running thing; None where it is about something else."""
    act = scene.heard.act
    if act in {"cancel", "no"} and not (act == "no" and frame.stage is Stage.CHOOSING_TOPIC):
        said = {"cancel": "dropped", "no": "declined"}[act]
        said = "no_person" if frame.stage is Stage.OFFERING_PERSON else said
        return Outcome(scene.state.pop(), (Reply(say(said)),))
    if act == "correct" or (act == "no" and frame.stage is Stage.CHOOSING_TOPIC):
        return _corrected(scene.at(scene.state.pop()))
    handler = {
        Stage.CHOOSING_TOPIC: _choosing_topic,
        Stage.CHOOSING_DOCUMENT: _choosing_document,
        Stage.OFFERING: _offering,
        Stage.FILLING: _filling,
        Stage.CONFIRMING: _confirming,
        Stage.OFFERING_PERSON: _offering_person,
    }[frame.stage]
    return handler(scene, frame)


def _choosing_topic(scene: Scene, frame: Frame) -> Outcome | None:
    below = scene.at(scene.state.pop())
    if scene.heard.plain.strip() == say("which_topic_other"):
        return _corrected(below)
    picked = choosing.chosen(scene.heard, frame.options)
    if len(picked) == 1 and not scene.heard.numbers:
        return answering.topic(below, picked[0].value)
    return _fresh(below)


def _choosing_document(scene: Scene, frame: Frame) -> Outcome | None:
    errand = frame.errand
    assert errand is not None, "documents are chosen for errands"  # noqa: S101
    below = scene.at(scene.state.pop())
    picked = choosing.chosen(scene.heard, frame.options)
    if len(picked) == 1:
        if errand.kind == "task":
            return _take_up(below, int(picked[0].value))
        return answering.begin(below, replace(errand, number=picked[0].value), frame.slots)
    if scene.heard.numbers and errand.kind != "task":
        return answering.begin(below, replace(errand, number=scene.heard.numbers[0]), frame.slots)
    if scene.viewer and scene.heard.tail and errand.kind != "task":
        ending = [one for one in scene.viewer.plans if choosing.ends_with(one.number, scene.heard.tail)]
        if len(ending) == 1:
            return answering.begin(below, replace(errand, number=ending[0].number), frame.slots)
    if len(picked) > 1 and errand.kind != "task":
        viewer = repair.viewer_of(scene)
        numbers = {one.value for one in picked}
        return choosing.ask_which(below, [p for p in viewer.plans if p.number in numbers], errand)
    if _is_aside(scene):
        return None
    return Outcome(scene.state, (Reply(say("which_again")),))


def _take_up(scene: Scene, repair_id: int) -> Outcome:
    task = next((task for task in scene.tasks if task.repair_id == repair_id), None)
    if task is None:
        return Outcome(scene.state, (Reply(say("task_gone")),))
    return repair.propose(scene, errands.task_errand(task))


def _offering(scene: Scene, frame: Frame) -> Outcome | None:
    if scene.heard.act == "yes":
        if frame.errand is not None and frame.errand.kind == "task":
            return _take_up(scene.at(scene.state.pop()), frame.errand.repair)
        return repair.accept(scene, frame)
    return None if _is_aside(scene) else _unclear(scene, frame, "still_waiting_offer")


def _filling(scene: Scene, frame: Frame) -> Outcome | None:
    heard = scene.heard
    if heard.slots:
        return repair.fill(scene, frame, next(iter(heard.slots.values())))
    if frame.options:
        picked = choosing.chosen(heard, frame.options)
        if len(picked) == 1:
            return repair.fill(scene, frame, picked[0].value)
        return None if _is_aside(scene) else Outcome(scene.state, (Reply(say("which_again")),))
    if heard.act or heard.only_number or (heard.question and _is_aside(scene)):
        return None
    return repair.fill(scene, frame, heard.raw)


def _confirming(scene: Scene, frame: Frame) -> Outcome | None:
    if scene.heard.act == "yes":
        return repair.carry_out(scene, frame)
    if scene.heard.slots and not scene.heard.numbers:
        return repair.go_on(scene, replace(frame, slots={**frame.slots, **scene.heard.slots}))
    return None if _is_aside(scene) else _unclear(scene, frame, "still_waiting_confirm")


def _offering_person(scene: Scene, frame: Frame) -> Outcome | None:
    del frame
    return _fresh(scene.at(scene.state.pop()))


def _unclear(scene: Scene, frame: Frame, name: str) -> Outcome:
    return Outcome(scene.state, (Reply(say(name, about=frame.about), choices=YES_NO),))


def _is_aside(scene: Scene) -> bool:
    """Whether the message is something of its own: a move, a document, a command, or a question we know."""
    heard = scene.heard
    if heard.act or heard.numbers:
        return True
    if commands.act(scene.at(replace(scene.state, stack=()))) is not None:
        return True
    return scene.knowledge.find(scene.region, heard.plain).kind == "answer"


def _corrected(scene: Scene) -> Outcome:
    """不是这个，是合同: the rest is a new question; without one the second best topics are offered."""
    if scene.heard.rest:
        return _fresh(scene.hearing(hear(scene.heard.rest)))
    instead = choosing.ask_instead(scene, scene.state.others)
    return instead or Outcome(scene.state, (Reply(say("say_more")),))


def _fresh(scene: Scene) -> Outcome:
    """A message that no running thing takes."""
    heard, state = scene.heard, scene.state
    if heard.act in answering.SMALLTALK:
        return Outcome(state, (Reply(say(heard.act)),))
    if heard.act == "correct":
        return _corrected(scene)
    if heard.act == "yes":
        return _yes(scene)
    if heard.act in {"no", "cancel"}:
        return Outcome(state, (Reply(say("declined")),))
    if heard.act == "how_long":
        return looking.how_long(scene)
    if scene.viewer is not None:
        looked = _look(scene)
        if looked is not None:
            return looked
    elif heard.numbers:
        return Outcome(state, (Reply(say("sign_in_first")),))
    return answering.question(scene)


def _look(scene: Scene) -> Outcome | None:
    heard = scene.heard
    if heard.act == "todo":
        return looking.todo(scene)
    if heard.act == "documents":
        return looking.plans(scene)
    if heard.act == "who_next" and (answer := looking.who_next(scene)):
        return answer
    if heard.only_number:
        return looking.track(scene, heard.numbers[0])
    if heard.tail and scene.viewer:
        ending = [one for one in scene.viewer.plans if choosing.ends_with(one.number, heard.tail)]
        if len(ending) == 1:
            return looking.track(scene, ending[0].number)
    return commands.act(scene)


def _yes(scene: Scene) -> Outcome:
    """A yes with nothing to confirm: the single waiting task, what was done last, or nothing."""
    state = scene.state
    if not state.done and len(scene.tasks) == 1:
        return repair.propose(scene, errands.task_errand(scene.tasks[0]))
    if state.done:
        now = looking.who_next(scene)
        said = Reply(say("again", done=state.done if now is None else now.replies[0].text))
        return Outcome(state, (said,))
    return Outcome(state, (Reply(say("nothing_to_confirm")),))

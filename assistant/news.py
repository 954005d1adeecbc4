"""What waits for an account and what it has to hear, told in the conversation once."""

from collections.abc import Sequence
from dataclasses import replace

from assistant import errands
from assistant.cards import Choice, Reply
from assistant.conversation import Errand, Frame, Option, Stage
from assistant.replies import say
from assistant.scene import YES_NO, Outcome, Scene
from core.domain.accounts import Account
from core.service import notices, repairs
from core.service.ports import Notice
from core.service.repairs import RepairTask
from core.service.system import System

_TOLD = 50  # marks of tasks kept in a conversation
_LINES = 5  # notices told one by one


def news(system: System, account: Account) -> tuple[Reply, ...]:
    """What this account should hear when it opens the chat; nothing is marked as seen."""
    tasks = repairs.mine(system, account)
    told = told_replies(notices.unseen(system, account), tasks)
    return (*told, *(_task_reply(task, account) for task in tasks))


def mark(task: RepairTask) -> str:
    return f"{task.repair_id}:{task.step.number}:{task.step.action}:{task.version}"


def told_replies(unseen: Sequence[Notice], tasks: Sequence[RepairTask]) -> tuple[Reply, ...]:
    """Notices in one bubble, the latest last; those of a document that a task tells of anyway are left out."""
    covered = {task.step.number for task in tasks}
    texts = [one.text for one in unseen if one.number not in covered]
    if not texts:
        return ()
    older = say("news_older", count=len(texts) - _LINES) if len(texts) > _LINES else ""
    lines = [say("news_line", text=text) for text in texts[-_LINES:]]
    return (Reply("\n".join([say("news"), *lines, *([older] if older else [])])),)


def _task_reply(task: RepairTask, account: Account) -> Reply:
    document = say("document", number=task.step.number, title=task.title)
    slots = {"document": document, "label": task.step.label, "target": task.step.target_label}
    if task.asked_by == account.label:
        return Reply(say("task_own_turn", **slots), choices=YES_NO)
    return Reply(say("task_asked", who=task.asked_by, **slots), choices=YES_NO)


def with_tasks(outcome: Outcome, scene: Scene, fresh: Sequence[RepairTask]) -> Outcome:
    """Steps that wait for this account are told once; a yes takes them up where nothing else runs."""
    assert scene.viewer is not None or not fresh, "tasks belong to accounts"  # noqa: S101
    busy = {frame.errand.repair for frame in outcome.state.stack if frame.errand}
    offered = {run[:2] for frame in outcome.state.stack for run in frame.run}
    fresh = [
        task
        for task in fresh
        if task.repair_id not in busy and (task.step.number, task.step.action) not in offered
    ]
    told = tuple(dict.fromkeys((*outcome.state.told, *(mark(task) for task in scene.tasks))))[-_TOLD:]
    state = replace(outcome.state, told=told)
    if not fresh or scene.viewer is None:
        return replace(outcome, state=state)
    if len(fresh) == 1:
        reply = _task_reply(fresh[0], scene.viewer.account)
        frame = Frame(Stage.OFFERING, errand=errands.task_errand(fresh[0]), about=_task_about(fresh[0]))
    else:
        options = tuple(Option(f"{task.step.label} {task.title}", str(task.repair_id)) for task in fresh)
        choices = tuple(
            Choice(f"{task.step.label} {task.step.number}", str(at)) for at, task in enumerate(fresh, 1)
        )
        reply = Reply(say("tasks_asked", count=len(fresh)), choices=choices)
        frame = Frame(Stage.CHOOSING_DOCUMENT, errand=Errand("task"), options=options)
    replies = outcome.replies
    if state.top is not None and state.top.stage is Stage.OFFERING_PERSON:
        # Asked last is answered first: the yes that follows is meant for the task, not for a person.
        state, replies = state.pop(), tuple(replace(one, choices=()) for one in replies)
    if state.stack:
        return replace(outcome, state=state).more(replace(reply, choices=()))
    return replace(outcome, state=state.push(frame), replies=(*replies, reply))


def _task_about(task: RepairTask) -> str:
    document = say("document", number=task.step.number, title=task.title)
    return say("about", label=task.step.label, document=document)

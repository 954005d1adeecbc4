"""Running a repair: own steps are carried out here, steps of others become tasks for them.

A repair is a recorded thing: it survives a restart, follows acts from any surface, and stops when a document moves
another way. Every step is taken in the name and with the rights of whoever takes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.errors import BlockedError, ConflictError, ForbiddenError, NotFoundError
from core.domain.planner import NoWay
from core.service import acts, following, once, planning, situations
from core.service.documents import done_before
from core.service.planning import RepairStep
from core.service.ports import RepairRow, Transaction
from core.service.system import System
from core.service.views import ActResult, FormField


@dataclass(frozen=True)
class Repair:
    """How far a repair has come. `state`: running, done, stopped. `position` is the step whose turn it is."""

    id: int
    number: str
    goal: str
    state: str
    steps: tuple[RepairStep, ...]
    position: int
    asked_by: str
    waiting_for: str
    why_stopped: str

    @property
    def step(self) -> RepairStep | None:
        """The step whose turn it is."""
        return self.steps[self.position] if self.state == "running" else None


@dataclass(frozen=True)
class RepairTask:
    """A step that waits for this account."""

    repair_id: int
    number: str
    goal: str
    asked_by: str
    step: RepairStep
    version: int
    title: str


def start(system: System, actor: Account, number: str, goal: str, fingerprint: str, *, key: str) -> Repair:
    """Begin the repair that was shown, in the place of one that is running.

    ConflictError when a document moved since, ForbiddenError where another unit's repair of somebody else's document
    would be replaced; nothing is done then.
    """
    request = ("repair", number, goal, fingerprint)
    with system.database.write() as tx:
        earlier = once.earlier(tx, actor, key, request)
        if earlier is not None:
            return _view(system, tx, actor, _row(tx, earlier["id"]))
        document = situations.find(tx, actor, number, lock=True)
        plan = planning.plan_in(system, tx, actor, number, goal)
        if isinstance(plan, NoWay):
            raise BlockedError("；".join(plan.reasons), fields={"reasons": list(plan.reasons)})
        if plan.fingerprint != fingerprint:
            raise ConflictError(f"{number} 刚才有变动，原来的步骤不再适用，没有办理任何操作，请重新看一下")
        if not plan.steps:
            raise BlockedError("已经是这个状态了，不需要再办")
        for row in tx.records.running_repairs([document.id]):
            _may_replace(tx, actor, document, row)
            following.stop(system, tx, row, f"{actor.label}重新发起了处理", actor)
        now = system.clock()
        new = RepairRow(
            0, document.id, document.number, goal, actor.id, "running", [_stored(step) for step in plan.steps], 0,
            fingerprint, "",
        )  # fmt: skip
        repair_id = tx.records.add_repair(new, now)
        following.hand_on(system, tx, _row(tx, repair_id), 0, actor)
        tx.records.audit(
            document.region, now, actor.login, "repair", document.number, {"goal": goal, "id": repair_id}
        )
        once.keep(tx, actor, key, request, {"id": repair_id}, system)
        return _view(system, tx, actor, _row(tx, repair_id))


def _may_replace(tx: Transaction, actor: Account, document: Document, running: RepairRow) -> None:
    """Only who asked for a repair, or someone of the document's own unit, may put another in its place."""
    if actor.id == running.asked_by or actor.unit.id == document.unit_id:
        return
    asker = tx.accounts.account(running.asked_by)
    raise ForbiddenError(
        f"{document.number} 正在按{asker.label}的要求处理，只有他本人或单据所属单位的人能重新发起，请先和他联系",
        fields={"who": asker.label},
    )


def advance(
    system: System, actor: Account, repair_id: int, arguments: Mapping[str, str], *, version: int, key: str
) -> tuple[ActResult, Repair]:
    """Take the current step if it is this account's; `version` is that of the step's document as it was shown."""
    with system.database.write() as tx:
        request = ("advance", repair_id, dict(arguments), version)
        done = once.earlier(tx, actor, key, request)
        row = _seen(tx, actor, repair_id)
        step = row.steps[min(row.position, len(row.steps) - 1)]
        if done is not None:
            document = situations.find(tx, actor, done["number"])
            return done_before(system, tx, document, done), _view(system, tx, actor, row)
        if row.state != "running":
            raise ConflictError(row.why_stopped or "这次处理已经办完了", fields={"state": row.state})
        if not _may(system, tx, actor, step):
            raise ForbiddenError(f"这一步“{step['label']}”要由{step['who']}办理")
        given = {**arguments, "target": step["target"]} if step["chosen"] else dict(arguments)
        result = acts.perform_in(
            system, tx, actor, step["number"], step["action"], version=version, arguments=given, key=key,
            request=request,
        )  # fmt: skip
        return result, _view(system, tx, actor, _row(tx, repair_id))


def mine(system: System, actor: Account) -> list[RepairTask]:
    """Steps that wait for this account, oldest first; a step that two repairs ask for once, as both follow it."""
    with system.database.read() as tx:
        tasks: dict[tuple[str, str, str], RepairTask] = {}
        for row in tx.records.waiting_repairs(actor.unit.id, actor.role):
            document = situations.find(tx, actor, row.steps[row.position]["number"])
            view = _view(system, tx, actor, row)
            step = view.steps[view.position]
            if not step.mine:  # a colleague of the same role has it alone
                continue
            task = RepairTask(
                row.id, row.number, row.goal, view.asked_by, step, document.version, document.title
            )
            tasks.setdefault((step.number, step.action, step.target), task)
        return list(tasks.values())


def get(system: System, actor: Account, repair_id: int) -> Repair:
    """One repair; NotFoundError when its document is not the actor's to see."""
    with system.database.read() as tx:
        return _view(system, tx, actor, _seen(tx, actor, repair_id))


def _row(tx: Transaction, repair_id: int) -> RepairRow:
    row = tx.records.repair(repair_id)
    if row is None:
        raise NotFoundError("没有找到这次处理")
    return row


def _seen(tx: Transaction, actor: Account, repair_id: int) -> RepairRow:
    """A repair with a document that the actor may see; anything else looks as if it did not exist."""
    row = _row(tx, repair_id)
    if not any(
        tx.documents.by_number(number, actor)
        for number in {row.number, *(step["number"] for step in row.steps)}
    ):
        raise NotFoundError("没有找到这次处理")
    return row


def _stored(step: RepairStep) -> dict[str, Any]:
    form: Sequence[FormField] = step.form
    return {
        "number": step.number, "action": step.action, "label": step.label, "who": step.who,
        "source": step.source, "source_label": step.source_label, "target": step.target,
        "target_label": step.target_label, "menu": step.menu, "public": step.public,
        "outside": step.outside,
        "chosen": any(field.name == "target" for field in form),
        "form": [[field.name, field.label, field.required] for field in form if field.name != "target"],
    }  # fmt: skip


def _view(system: System, tx: Transaction, actor: Account, row: RepairRow) -> Repair:
    steps = tuple(
        _step(system, tx, actor, step, current=index == row.position) for index, step in enumerate(row.steps)
    )
    running = row.state == "running"
    return Repair(
        row.id, row.number, row.goal, row.state, steps, row.position, tx.accounts.account(row.asked_by).label,
        steps[row.position].who if running else "", row.why_stopped,
    )  # fmt: skip


def _step(
    system: System, tx: Transaction, actor: Account, stored: Mapping[str, Any], *, current: bool
) -> RepairStep:
    return RepairStep(
        number=stored["number"], action=stored["action"], label=stored["label"], who=stored["who"],
        mine=current and _may(system, tx, actor, stored),
        form=tuple(FormField(name, label, required) for name, label, required in stored["form"]),
        source=stored["source"], source_label=stored["source_label"], target=stored["target"],
        target_label=stored["target_label"], menu=stored["menu"], public=stored["public"],
        outside=stored.get("outside", False),
    )  # fmt: skip


def _may(system: System, tx: Transaction, actor: Account, stored: Mapping[str, Any]) -> bool:
    """Whether it is for `actor` to take the step now; what one is asked is answered on the document's page, by no act."""
    case = situations.case(system, tx, situations.find(tx, None, stored["number"]))
    action = case.process.actions.get(stored["action"])  # none for an opinion or a signature
    return action is not None and situations.may(case, actor, action)

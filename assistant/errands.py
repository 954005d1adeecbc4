"""From what is to be done to what can be done now: own acts first, then who is waited for, or why there is no way.

Only looks; nothing is changed here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from assistant.cards import Change, ConfirmCard, PlanStep, StepsCard
from assistant.conversation import Errand
from assistant.replies import say
from assistant.scene import Viewer
from assistant.wording import offered
from core.domain.errors import DomainError
from core.domain.money import yuan
from core.domain.planner import NoWay
from core.domain.process import Funds
from core.service import acts, planning, repairs
from core.service.planning import RepairPlan, RepairStep
from core.service.repairs import Repair, RepairTask
from core.service.views import DocumentView, FormField, Offer


@dataclass(frozen=True)
class Leg:
    """One act that this account takes: on which document, from where to where, with which fields still open."""

    number: str
    action: str
    label: str
    source_label: str
    target: str
    target_label: str
    form: tuple[FormField, ...]
    public: bool


@dataclass(frozen=True)
class Prepared:
    """What holds now for an errand.

    `legs` are own acts that a yes carries out, `steps` the whole way, `waits` the first step where it is not this
    account's, `running` a repair that is under way already, `reason` why another goal was taken.
    """

    errand: Errand
    view: DocumentView
    legs: tuple[Leg, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    after: str = ""
    fingerprint: str = ""
    versions: tuple[tuple[str, int], ...] = ()
    waits: RepairStep | None = None
    running: Repair | None = None
    reason: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the process says before these acts are confirmed."""
        own = {leg.action for leg in self.legs if leg.number == self.view.summary.number}
        return tuple(offer.warn for offer in self.view.offers if offer.warn and offer.action in own)

    @property
    def fields(self) -> tuple[FormField, ...]:
        """Fields that must be filled, each once."""
        wanted = {field.name: field for leg in self.legs for field in leg.form if field.required}
        return tuple(wanted.values())

    def steps_card(self) -> StepsCard:
        """The way as a card."""
        summary = self.view.summary
        return StepsCard(
            say("steps_title"), summary.number, self.steps, before=summary.node_label, after=self.after
        )

    def confirm_card(self, slots: Iterable[tuple[str, str]]) -> ConfirmCard:
        """Before and after, with what was filled in."""
        rows = [
            Change(f"{leg.label}（{leg.number}）" if len(self.legs) > 1 else leg.label, leg.source_label,
                   leg.target_label)
            for leg in self.legs
        ]  # fmt: skip
        money = _money(self.view, self.legs)
        labels = {field.name: field.label for leg in self.legs for field in leg.form}
        filled = [
            Change(labels[name], "—", text) for name, text in slots if name in labels and name != "target"
        ]
        return ConfirmCard(
            say("confirm_title"), self.view.summary.number, (*rows, *([money] if money else []), *filled)
        )


@dataclass(frozen=True)
class Refused:
    """It cannot be done; the sentence says why and what else there is."""

    said: str
    view: DocumentView | None = None


def prepare(viewer: Viewer, errand: Errand, target: str = "") -> Prepared | Refused:
    """Look now. NotFoundError where the document is not the asker's to see."""
    if errand.kind == "goal":
        return _goal(viewer, errand)
    if errand.kind == "task":
        return _task(viewer, errand)
    return _act(viewer, errand, target)


def _goal(viewer: Viewer, errand: Errand) -> Prepared | Refused:
    view = viewer.look(errand.number)
    found = planning.plan_to(viewer.system, viewer.account, errand.number, errand.goal)
    reason = ""
    if isinstance(found, NoWay) and found.instead:
        reason, wanted = "；".join(found.reasons), found.instead
        errand = replace(errand, goal=wanted)
        found = planning.plan_to(viewer.system, viewer.account, errand.number, wanted)
    if isinstance(found, NoWay):
        reason = reason or "；".join(found.reasons)
        return _opening(view, errand, reason) or Refused(reason, view)
    if not found.steps:
        return Refused(reason or _already(view, errand.goal), view)
    running = under_way(viewer, view, errand.goal)
    return _planned(view, errand, found, reason, running)


def _opening(view: DocumentView, errand: Errand, reason: str) -> Prepared | None:
    """Where only the form stands in the way: the one own act after which it can be filled in."""
    process, node = view.process, view.summary.node
    if not view.form_errors or process.node(node).editable:
        return None
    targets = {one.action: process.actions[one.action].routes.get(node, "") for one in view.offers}
    opening = [action for action, to in targets.items() if to in process.nodes and process.node(to).editable]
    if len(opening) != 1:
        return None
    offer = next(one for one in view.offers if one.action == opening[0])
    return _single(
        view,
        replace(errand, kind="act", goal="", action=opening[0]),
        _offered(view, offer, ""),
        offer,
        reason,
    )


def _already(view: DocumentView, goal: str) -> str:
    label = planning.GOAL_LABELS.get(goal, goal)
    if goal == "editable":
        return say("already_editable", number=view.summary.number, node=view.summary.node_label)
    return say("already_there", number=view.summary.number, goal=label)


def _planned(
    view: DocumentView, errand: Errand, plan: RepairPlan, reason: str, running: Repair | None
) -> Prepared:
    own: list[RepairStep] = []
    for step in plan.steps:
        if not step.mine:
            break
        own.append(step)
    steps = tuple(
        PlanStep(_words(step), step.who, step.mine, "current" if at == 0 else "ahead", step.menu)
        for at, step in enumerate(plan.steps)
    )
    versions = {view.summary.number: view.document.version}
    versions |= {linked.number: linked.version for linked in view.linked}
    return Prepared(
        errand=errand,
        view=view,
        legs=tuple(_leg(step) for step in own),
        steps=steps,
        after=plan.steps[-1].target_label,
        fingerprint=plan.fingerprint,
        versions=tuple(versions.items()),
        waits=None if own else plan.steps[0],
        running=running,
        reason=reason,
    )


def _words(step: RepairStep) -> str:
    return say("step_words", label=step.label, target=step.target_label)


def _leg(step: RepairStep) -> Leg:
    form = tuple(field for field in step.form if field.name != "target")
    return Leg(
        step.number,
        step.action,
        step.label,
        step.source_label,
        step.target,
        step.target_label,
        form,
        step.public,
    )


def under_way(viewer: Viewer, view: DocumentView, goal: str) -> Repair | None:
    """A running repair of the document to the same goal that waits for somebody else."""
    with viewer.system.database.read() as tx:
        rows = [row for row in tx.records.running_repairs([view.document.id]) if row.goal == goal]
    for row in rows:
        repair = repairs.get(viewer.system, viewer.account, row.id)
        if repair.step and not repair.step.mine:
            return repair
    return None


def _task(viewer: Viewer, errand: Errand) -> Prepared | Refused:
    tasks = repairs.mine(viewer.system, viewer.account)
    task = next((task for task in tasks if task.repair_id == errand.repair), None)
    if task is None:
        return Refused(say("task_gone"), viewer.look(errand.number) if errand.number else None)
    view = viewer.look(task.step.number)
    step = task.step
    return Prepared(
        errand=replace(errand, number=step.number, action=step.action),
        view=view,
        legs=(_leg(step),),
        steps=(PlanStep(_words(step), step.who, mine=True, state="current", menu=step.menu),),
        after=step.target_label,
        versions=((step.number, task.version),),
    )


def task_errand(task: RepairTask) -> Errand:
    """The errand of a waiting task."""
    return Errand("task", number=task.step.number, action=task.step.action, repair=task.repair_id)


def _act(viewer: Viewer, errand: Errand, target: str) -> Prepared | Refused:
    view = viewer.look(errand.number)
    errand = replace(errand, action=offered(errand.action, view.offers))
    offer = next((one for one in view.offers if one.action == errand.action), None)
    if offer is None:
        others = _by_others(viewer, view, errand)
        return others or Refused(_why_not(viewer, view, errand.action), view)
    return _single(view, errand, _offered(view, offer, target), offer)


def _single(view: DocumentView, errand: Errand, leg: Leg, offer: Offer, reason: str = "") -> Prepared:
    """One act that is offered now."""
    return Prepared(
        errand=errand,
        view=view,
        legs=(leg,),
        steps=(PlanStep(offer.label, view.whose_turn, mine=True, state="current", menu=offer.menu),),
        after=leg.target_label,
        versions=((view.summary.number, view.document.version),),
        reason=reason,
    )


def _by_others(viewer: Viewer, view: DocumentView, errand: Errand) -> Prepared | None:
    """An act that is somebody else's now, as the first step of the shortest way that begins with it: they can be asked."""
    action = view.process.actions.get(errand.action)
    if action is None or view.summary.node not in action.routes:
        return None
    plans: list[RepairPlan] = []
    for goal in view.process.goals:
        found = planning.plan_to(viewer.system, viewer.account, errand.number, goal)
        if isinstance(found, RepairPlan) and found.steps and _begins_with(found, errand):
            plans.append(found)
    if not plans:
        return None
    plan = min(plans, key=lambda one: len(one.steps))
    wanted = replace(errand, kind="goal", goal=plan.goal, action="")
    return _planned(view, wanted, plan, "", under_way(viewer, view, plan.goal))


def _begins_with(plan: RepairPlan, errand: Errand) -> bool:
    first = plan.steps[0]
    return (first.number, first.action, first.mine) == (errand.number, errand.action, False)


def _offered(view: DocumentView, offer: Offer, target: str) -> Leg:
    labels = dict(offer.targets)
    if offer.targets:
        chosen = target if target in labels else next(iter(labels)) if len(labels) == 1 else ""
    else:
        routes = view.process.actions[offer.action].routes
        chosen = routes[view.document.node]
        if chosen not in view.process.nodes:  # back to where it came from
            chosen = view.document.trail[-2]
    label = view.process.node(chosen).label if chosen else ""
    form = tuple(field for field in offer.form if field.name != "target" or not chosen)
    return Leg(
        view.summary.number, offer.action, offer.label, view.summary.node_label, chosen, label, form,
        offer.irreversible,
    )  # fmt: skip


def _why_not(viewer: Viewer, view: DocumentView, action: str) -> str:
    """The core's own sentence: who may, or why not now."""
    if not action:
        return say("not_offered", number=view.summary.number, node=view.summary.node_label)
    if action == "sign":
        return say("sign_elsewhere", number=view.summary.number)
    try:
        acts.check(viewer.system, viewer.account, view.summary.number, action, version=view.document.version)
    except DomainError as error:
        return error.message
    return say("not_offered", number=view.summary.number, node=view.summary.node_label)


def _money(view: DocumentView, legs: tuple[Leg, ...]) -> Change | None:
    own = [leg for leg in legs if leg.number == view.summary.number and leg.target]
    if view.summary.kind != "plan" or not own:
        return None
    before = _held(sum(h.frozen_fen for h in view.holds), sum(h.used_fen for h in view.holds))
    amount = view.document.amount_fen
    after = {
        Funds.FREE: _held(0, 0),
        Funds.FROZEN: _held(amount, 0),
        Funds.USED: _held(0, amount),
        Funds.KEEP: before,
        Funds.SPENT: before,
    }[view.process.node(own[-1].target).funds]
    return Change("指标额度", before, after)


def _held(frozen_fen: int, used_fen: int) -> str:
    if used_fen:
        return f"已使用 {yuan(used_fen)} 元"
    return f"冻结 {yuan(frozen_fen)} 元" if frozen_fen else "不占用"


def progress(repair: Repair) -> StepsCard:
    """How far a repair has come."""

    def state(at: int) -> str:
        return "done" if at < repair.position else "current" if at == repair.position else "ahead"

    steps = tuple(
        PlanStep(say("step_words", label=s.label, target=s.target_label), s.who, s.mine, state(at), s.menu)  # type: ignore[arg-type]
        for at, s in enumerate(repair.steps)
    )
    return StepsCard(say("steps_title"), repair.number, steps)

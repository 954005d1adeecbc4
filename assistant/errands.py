"""From what is to be done to what can be done now: own acts first, then who is waited for, or why there is no way.

Only looks; nothing is changed here.
"""

from dataclasses import replace

from assistant.cards import PlanStep
from assistant.conversation import Errand
from assistant.prepared import (
    Prepared,
    Refused,
    by_hand,
    leg_of,
    offered_leg,
    planned,
    signing,
    single,
    step_words,
    under_way,
)
from assistant.replies import say
from assistant.scene import Viewer
from assistant.wording import offered
from core.domain.errors import DomainError
from core.domain.planner import NoWay
from core.service import acts, planning, repairs
from core.service.planning import RepairPlan
from core.service.repairs import RepairTask
from core.service.views import DocumentView

_NEAREST = {
    "editable": ("changed", "cancelled", "void", "terminated"),
    "void": ("cancelled", "terminated"),
    "cancelled": ("terminated",),
}


def prepare(viewer: Viewer, errand: Errand, target: str = "") -> Prepared | Refused:
    """Look now. NotFoundError where the document is not the asker's to see."""
    if errand.kind == "goal":
        return _goal(viewer, errand)
    if errand.kind == "task":
        return _task(viewer, errand)
    return _act(viewer, errand, target)


def _goal(viewer: Viewer, errand: Errand) -> Prepared | Refused:
    asked = _asked_of(viewer, errand)
    if asked is not None:
        return _task(viewer, asked)
    view = viewer.look(errand.number)
    found = planning.plan_to(viewer.system, viewer.account, errand.number, errand.goal)
    reason = ""
    if isinstance(found, NoWay) and found.instead:
        reason, wanted = "；".join(found.reasons), found.instead
        errand = replace(errand, goal=wanted)
        found = planning.plan_to(viewer.system, viewer.account, errand.number, wanted)
    if isinstance(found, NoWay) and not reason:
        errand, found, reason = _otherwise(viewer, view, errand, found)
    if isinstance(found, NoWay):
        reason = reason or "；".join(found.reasons)
        return _opening(view, errand, reason) or Refused(reason, view)
    if not found.steps:
        return Refused(reason or _already(view, errand.goal), view)
    running = under_way(viewer, view, errand.goal)
    return planned(view, errand, found, reason, running)


def _asked_of(viewer: Viewer, errand: Errand) -> Errand | None:
    """Their step of a colleague's repair to the same goal: it is theirs to take, not to begin anew."""
    tasks = repairs.mine(viewer.system, viewer.account)
    wanted = (errand.number, errand.goal)
    return next(
        (
            task_errand(task)
            for task in tasks
            if (task.number, task.goal) == wanted and task.asked_by != viewer.account.label
        ),
        None,
    )


def _otherwise(
    viewer: Viewer, view: DocumentView, errand: Errand, closed: NoWay
) -> tuple[Errand, RepairPlan | NoWay, str]:
    """What comes nearest to a goal that is closed where the document is, if there is a way to it."""
    for goal in _NEAREST.get(errand.goal, ()):
        if view.form_errors and view.process.node(view.summary.node).editable:
            break  # only the form is in the way, and it can be filled in
        if goal not in view.process.goals:
            continue
        found = planning.plan_to(viewer.system, viewer.account, errand.number, goal)
        if isinstance(found, RepairPlan) and found.steps:
            said = say("nearest", closed=say(f"closed_{errand.goal}"), goal=planning.GOAL_LABELS[goal])
            return replace(errand, goal=goal), found, said
    return errand, closed, ""


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
    return single(
        view,
        replace(errand, kind="act", goal="", action=opening[0]),
        offered_leg(view, offer, ""),
        offer,
        reason,
    )


def _already(view: DocumentView, goal: str) -> str:
    label = planning.GOAL_LABELS.get(goal, goal)
    if goal == "editable":
        then = say("already_editable_then", label=onward(view)) if onward(view) else ""
        return say("already_editable", number=view.summary.number, node=view.summary.node_label, then=then)
    return say("already_there", number=view.summary.number, goal=label)


def onward(view: DocumentView) -> str:
    """What takes a document on from where it is edited: neither back to where it was nor away; "" without."""
    known, here = view.process, view.summary.node
    for action in known.actions.values() if view.offers else ():
        target = action.routes.get(here, "")
        seen = target in view.document.trail or target == "void"
        if target in known.nodes and not seen and not action.hidden:
            return action.label
    return ""


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
        legs=() if by_hand(step) else (leg_of(step),),
        steps=(
            PlanStep(step_words(step, step.number), step.who, mine=True, state="current", menu=step.menu),
        ),
        after=step.target_label,
        versions=((step.number, task.version),),
        by_hand=step if by_hand(step) else None,
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
    return single(view, errand, offered_leg(view, offer, target), offer)


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
    return planned(view, wanted, plan, "", under_way(viewer, view, plan.goal))


def _begins_with(plan: RepairPlan, errand: Errand) -> bool:
    first = plan.steps[0]
    return (first.number, first.action, first.mine) == (errand.number, errand.action, False)


def _why_not(viewer: Viewer, view: DocumentView, action: str) -> str:
    """The core's own sentence: who may, or why not now."""
    if not action:
        return say("not_offered", number=view.summary.number, node=view.summary.node_label)
    known = view.process.actions.get(action)
    if known is not None and "pin" in known.form:
        return say("sign_elsewhere", label=signing(view), number=view.summary.number)
    try:
        acts.check(viewer.system, viewer.account, view.summary.number, action, version=view.document.version)
    except DomainError as error:
        return error.message
    return say("not_offered", number=view.summary.number, node=view.summary.node_label)

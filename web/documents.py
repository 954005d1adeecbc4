"""The page of one document: where it stands, what it says, what hangs on it, what this account may do."""

from collections.abc import Sequence
from itertools import pairwise
from uuid import uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.domain.documents import Entry
from core.domain.errors import DomainError, InvalidError
from core.domain.process import NodeType
from core.service import (
    acts,
    attachments,
    decisions,
    documents,
    dossier,
    filling,
    flow,
    people,
    planning,
    repairs,
    told,
)
from core.service.views import DocumentView
from web import drawing, form_shown, numbers
from web.errors import status_and_title
from web.parts import system
from web.schemas import LONGEST_KEY, SHORTEST_KEY
from web.security import actor, require_session
from web.words import is_among

pages = Blueprint("documents", __name__)
pages.before_request(require_session)

# What accompanies every act's form; everything else in it is what the act asks for.
_FRAME = {"csrf_token", "_account", "key", "version"}


@pages.get("/documents/<number>")
def page(number: str) -> str:
    """One document."""
    return page_of(number)


@pages.app_template_global()
def called() -> tuple[str, str]:
    """What lists (by place) and drawings (by person) call whoever is signed in."""
    return people.called(actor())


def page_of(number: str, *, error: DomainError | None = None, action: str = "") -> str:
    """The page, with what went wrong in the form of `action`."""
    view = documents.get(system(), actor(), number)
    drawn = flow.flow(system(), actor(), number)
    node = view.process.node(view.document.node)
    around = dossier.dossier(system(), actor(), number)
    words = form_shown.Words(system().catalogue, around.names)
    place, person = called()
    tasks = [task for task in repairs.mine(system(), actor()) if number in (task.number, task.step.number)]
    asked = {task.step.action for task in tasks if task.step.number == number}
    return render_template(
        "document.html",
        view=view,
        document=view.document,
        node=node,
        flow=drawn,
        wide=drawing.wide(drawn.nodes, drawn.edges, me=person),
        narrow=drawing.narrow(drawn.nodes, drawn.edges, me=person),
        standing=next((one for one in drawn.nodes if one.state == "current"), None),
        ahead=_ahead(drawn),
        history=_history(view.history),
        goals=_goals(view),
        may_edit=_may_edit(view),
        signing=_signing(view),
        mine=is_among(view.whose_turn, place, person),
        decided=decisions.decision(system(), actor(), number),
        told=told.opened(system(), actor(), number),
        tasks=tasks,
        # What a colleague asked for stands above, with a form of its own: it is not offered a second time.
        offers=[offer for offer in view.offers if offer.action not in asked],
        around=around,
        shown=form_shown.shown(view.process.form.fields, view.document.form, words, around.hidden),
        labels=attachments.labels(list(around.files), view.document.form, view.process),
        under=filling.under(system(), actor(), number),
        error=error,
        failed=action,
        more=_more(view),
        typed=request.form if error else {},
        key=uuid4().hex,
    )


def _more(view: DocumentView) -> list[tuple[str, str]]:
    """What else there is to see of a document: endpoint and name of each page."""
    kind, kinds = view.document.kind, system().processes.kinds(view.document.region)
    there = {
        ("reports.course", "项目采购过程"): actor().looks_after is not None,
        ("reports.paid", "合同支付查询"): kind == "contract" and "payment" in kinds,
        ("reports.drawn", "评审专家名单"): kind == "expert_request",
    }
    return [page for page, shown in there.items() if shown]


def _ahead(drawn: flow.Flow) -> list[flow.FlowNode]:
    """Stations of the main way that still come, the next one first; none once it ended or left that way."""
    at = next((i for i, node in enumerate(drawn.nodes) if node.state == "current"), 0)
    if not drawn.nodes[at].whose:
        return []
    forward = {(a, b) for a, b, kind in drawn.edges if kind == "forward"}
    found = []
    for here, after in pairwise(drawn.nodes[at:]):
        if (here.id, after.id) not in forward or after.state == "done":
            break
        found.append(after)
    return found


def _history(entries: Sequence[Entry]) -> list[tuple[Entry, float | None]]:
    """Acts, oldest first, each with the seconds the document had rested where the act moved it on from."""
    found: list[tuple[Entry, float | None]] = []
    came = entries[0].at if entries else None
    for entry in entries:
        moved = came is not None and entry.source != entry.target
        found.append((entry, (entry.at - came).total_seconds() if moved and came else None))
        came = entry.at if moved else came
    return found


def _goals(view: DocumentView) -> list[tuple[str, str]]:
    """Where the document could be brought from here, in words."""
    node = view.process.node(view.document.node)
    if node.type is NodeType.END:
        return []
    open_ = [goal for goal, nodes in view.process.goals.items() if nodes and node.id not in nodes]
    passed = set(view.document.trail)
    named = {
        goal_word(view, goal): goal
        for goal in reversed(open_)  # of two that read the same the first is kept
        if goal == "editable" or not passed & set(view.process.goals[goal])
    }
    return [(goal, word) for word, goal in reversed(named.items())]


def goal_word(view: DocumentView, goal: str) -> str:
    """What a goal means for people."""
    known = {"editable": f"改这份{view.process.label}", "void": f"作废这份{view.process.label}"}
    nodes = view.process.goals.get(goal, ())
    ends = "、".join(view.process.node(node).label for node in nodes if node in view.process.nodes)
    return known.get(goal) or f"办到“{ends or goal}”"


def _may_edit(view: DocumentView) -> bool:
    node = view.process.node(view.document.node)
    return node.editable and people.may(actor(), view.unit, view.document, node.actors)


def _signing(view: DocumentView) -> str:
    """What the button says that leads to the page for sealing, which is not among the offers; empty where there is none."""
    here = view.document.node
    action = view.process.signing(here)
    if action is None or not people.may(actor(), view.unit, view.document, view.process.actors(action, here)):
        return ""
    return "重新签章" if view.certificate and action.routes[here] == here else action.label


def version() -> int:
    """The version the user saw."""
    seen = numbers.posted("version")
    if seen is None:
        raise InvalidError("页面不完整，请刷新后再试", fields={"version": "缺少单据版本"})
    return seen


def key() -> str:
    """Idempotency key of the form; one is made at each rendering."""
    given = request.form.get("key", "")
    if not SHORTEST_KEY <= len(given) <= LONGEST_KEY:
        raise InvalidError("页面不完整，请刷新后再试", fields={"key": "缺少操作编号"})
    return given


def _arguments() -> dict[str, str]:
    """What an act's form asks for."""
    return {name: text.strip() for name, text in request.form.items() if name not in _FRAME}


@pages.post("/documents/<number>/acts/<action>")
def act(number: str, action: str) -> Response | tuple[str, int]:
    """Carry out an offered act; what is missing is said beside its form."""
    arguments = _arguments()
    try:
        result = acts.perform(
            system(), actor(), number, action, version=version(), arguments=arguments, key=key()
        )
    except DomainError as error:
        return page_of(number, error=error, action=action), status_and_title(error)[0]
    flash(result.said)
    return redirect(url_for(".page", number=number), 303)


@pages.get("/documents/<number>/goals/<goal>")
def goal(number: str, goal: str) -> str:
    """The shortest lawful way to a goal, step by step, or why there is none."""
    view = documents.get(system(), actor(), number)
    way = planning.plan_to(system(), actor(), number, goal)
    return render_template(
        "goal.html", view=view, document=view.document, goal=goal, word=goal_word(view, goal), way=way,
        words={name: goal_word(view, name) for name in view.process.goals}, key=uuid4().hex,
    )  # fmt: skip


@pages.post("/documents/<number>/goals/<goal>")
def begin(number: str, goal: str) -> Response:
    """Begin the way; the others' steps become their tasks."""
    repair = repairs.start(system(), actor(), number, goal, request.form.get("fingerprint", ""), key=key())
    flash(f"已经开始办理，第一步等 {repair.waiting_for} 办" if repair.waiting_for else "已经开始办理")
    return redirect(url_for(".page", number=number), 303)


@pages.post("/repairs/<int:repair>")
def advance(repair: int) -> Response:
    """Carry out the step of a running repair that waits for this account."""
    arguments = _arguments()
    result, after = repairs.advance(system(), actor(), repair, arguments, version=version(), key=key())
    flash(result.said)
    return redirect(url_for(".page", number=after.number), 303)


@pages.get("/documents/<number>/versions/<int:seq>")
def versions(number: str, seq: int) -> str:
    """A kept form beside a later one, or beside the one that holds, with what was changed."""
    found = dossier.compare(system(), actor(), number, seq, numbers.asked("with"))
    fields, core = found.process.form.fields, system()
    left, right = (
        form_shown.shown(fields, one.form, form_shown.Words(core.catalogue, names))
        for one, names in zip((found.earlier, found.later), found.names, strict=True)
    )
    return render_template("versions.html", found=found, pairs=form_shown.pairs(left, right))

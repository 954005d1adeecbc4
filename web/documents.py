"""To-do list, document list, and the page of one document: where it stands and what this account may do."""

from uuid import uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.domain.errors import DomainError, InvalidError
from core.domain.process import NodeType
from core.service import acts, documents, flow, people, planning, repairs
from core.service.views import DocumentView
from web import drawing
from web.errors import status_and_title
from web.parts import system
from web.schemas import LONGEST_KEY, SHORTEST_KEY
from web.security import actor, require_session

pages = Blueprint("documents", __name__)
pages.before_request(require_session)

PAGE = 20
# Acts that deserve a second look before they are taken; beside those that the process marks as irreversible.
CAREFUL = {"cancel", "return", "cancel_reject", "discard"}
GOALS = ("editable", "void", "filed")
GOAL_WORDS = {"editable": "改这份计划", "void": "作废这份计划", "filed": "备案", "completed": "终审办结"}


@pages.get("/todo")
def todo() -> str:
    """Documents whose turn it is with this account, and steps colleagues ask for."""
    return render_template(
        "todo.html",
        documents=documents.todo(system(), actor()),
        tasks=repairs.mine(system(), actor()),
        key=uuid4().hex,
    )


@pages.get("/documents")
def listing() -> str:
    """All the account may see, with search by title or number, page by page."""
    text, kind = request.args.get("q", "").strip(), request.args.get("kind") or None
    before = request.args.get("before", type=int)
    found = documents.listing(system(), actor(), kind=kind, text=text, limit=PAGE + 1, before=before)
    return render_template(
        "documents.html", documents=found[:PAGE], more=len(found) > PAGE, q=text, kind=kind
    )


@pages.get("/documents/<number>")
def page(number: str) -> str:
    """One document."""
    return _page(number)


def _page(number: str, *, error: DomainError | None = None, action: str = "") -> str:
    view = documents.get(system(), actor(), number)
    drawn = flow.flow(system(), actor(), number)
    node = view.process.node(view.document.node)
    open_goals = [
        (goal, GOAL_WORDS[goal])
        for goal in GOALS
        if node.type is not NodeType.END and node.id not in view.process.goals.get(goal, (node.id,))
    ]
    return render_template(
        "document.html",
        view=view,
        document=view.document,
        node=node,
        flow=drawn,
        wide=drawing.wide(drawn.nodes, drawn.edges, actor().label),
        narrow=drawing.narrow(drawn.nodes, drawn.edges, me=actor().label),
        goals=open_goals,
        may_edit=_may_edit(view),
        careful=CAREFUL,
        may_sign=_may_sign(view),
        tasks=[task for task in repairs.mine(system(), actor()) if number in (task.number, task.step.number)],
        error=error,
        failed=action,
        typed=request.form if error else {},
        key=uuid4().hex,
    )


def _may_edit(view: DocumentView) -> bool:
    node = view.process.node(view.document.node)
    return node.editable and people.may(actor(), view.unit, view.document, node.actors)


def _may_sign(view: DocumentView) -> bool:
    """Signing has a page of its own, so it is not among the offers."""
    action = view.process.actions.get("sign")
    here = view.document.node
    return bool(
        action
        and here in action.routes
        and people.may(actor(), view.unit, view.document, view.process.actors(action, here))
    )


def version() -> int:
    """The version the user saw."""
    seen = request.form.get("version", type=int)
    if seen is None:
        raise InvalidError("页面不完整，请刷新后再试", fields={"version": "缺少单据版本"})
    return seen


def key() -> str:
    """Idempotency key of the form; one is made at each rendering."""
    given = request.form.get("key", "")
    if not SHORTEST_KEY <= len(given) <= LONGEST_KEY:
        raise InvalidError("页面不完整，请刷新后再试", fields={"key": "缺少操作编号"})
    return given


@pages.post("/documents/<number>/acts/<action>")
def act(number: str, action: str) -> Response | tuple[str, int]:
    """Carry out an offered act; what is missing is said beside its form."""
    arguments = {
        name: request.form[name].strip() for name in ("opinion", "reason", "target") if name in request.form
    }
    try:
        result = acts.perform(
            system(), actor(), number, action, version=version(), arguments=arguments, key=key()
        )
    except DomainError as error:
        return _page(number, error=error, action=action), status_and_title(error)[0]
    flash(result.said)
    return redirect(url_for(".page", number=number), 303)


@pages.get("/documents/<number>/goals/<goal>")
def goal(number: str, goal: str) -> str:
    """The shortest lawful way to a goal, step by step, or why there is none."""
    view = documents.get(system(), actor(), number)
    way = planning.plan_to(system(), actor(), number, goal)
    return render_template(
        "goal.html", view=view, document=view.document, goal=goal, word=GOAL_WORDS.get(goal, goal), way=way,
        words=GOAL_WORDS, key=uuid4().hex,
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
    arguments = {
        name: request.form[name].strip() for name in ("opinion", "reason", "target") if name in request.form
    }
    result, after = repairs.advance(system(), actor(), repair, arguments, version=version(), key=key())
    flash(result.said)
    return redirect(url_for(".page", number=after.number), 303)

"""Entering and changing a plan."""

from uuid import uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.domain.documents import Document
from core.domain.errors import DomainError, ForbiddenError, InvalidError
from core.service import catalogue, directory, documents, ledger
from web.documents import key, version
from web.errors import status_and_title
from web.parts import system
from web.plan_input import IMPLEMENTATIONS, PlanInput, from_core, from_page, to_core
from web.security import actor, require_session

pages = Blueprint("plans", __name__)
pages.before_request(require_session)

VARIANTS = {
    "project": ("项目采购计划", "委托代理机构组织招标、谈判、磋商等"),
    "mall": ("电子卖场采购计划", "在电子卖场里直购或竞价"),
    "direct": ("无过程采购计划", "不经过采购过程，备案后直接签合同"),
}


def _form(
    page: PlanInput, variant: str, *, document: Document | None = None, error: DomainError | None = None,
    wrong: dict[str, object] | None = None,
) -> str:  # fmt: skip
    return render_template(
        "plan_form.html",
        page=page,
        variant=variant,
        variants=VARIANTS,
        document=document,
        indicators=ledger.indicators(system(), actor()),
        agencies=directory.agencies(system(), actor()),
        implementations=IMPLEMENTATIONS,
        error=error,
        wrong=wrong or {},
        key=request.form.get("key") or uuid4().hex,
        version=request.form.get("version") or (document.version if document else ""),
    )


def _variant() -> str:
    given = request.values.get("variant", "project")
    if given not in VARIANTS:
        raise InvalidError("计划类型不对，请从三种里选一种", fields={"variant": "请从三种里选一种"})
    return given


@pages.get("/plans/new")
def new() -> str:
    """An empty plan of the chosen kind."""
    return _form(PlanInput(), _variant())


@pages.post("/plans/new")
def create() -> Response | tuple[str, int]:
    """Save a new plan."""
    page, variant = from_page(request.form), _variant()
    try:
        form = to_core(page)
        made = documents.create(system(), actor(), "plan", variant, form, key=key())
    except InvalidError as error:
        return _form(page, variant, error=error, wrong=error.fields), status_and_title(error)[0]
    return _saved(made.number, "plan:new")


@pages.get("/documents/<number>/edit")
def edit(number: str) -> str:
    """The saved form, where the document may be changed now."""
    view = documents.get(system(), actor(), number)
    if not view.process.node(view.document.node).editable:
        raise ForbiddenError(
            f"计划现在在“{view.process.node(view.document.node).label}”，不能直接改。"
            "请在计划页面点“改这份计划”，看怎样拿回来"
        )
    page = from_core(view.document.form)
    return _form(page, view.document.variant, document=view.document, wrong=dict(view.form_errors))


@pages.post("/documents/<number>/edit")
def save(number: str) -> Response | tuple[str, int]:
    """Save a changed plan."""
    page = from_page(request.form)
    view = documents.get(system(), actor(), number)
    try:
        form = to_core(page)
        documents.save(system(), actor(), number, form, version=version(), key=key())
    except DomainError as error:
        again = _form(page, view.document.variant, document=view.document, error=error, wrong=error.fields)
        return again, status_and_title(error)[0]
    return _saved(number, f"plan:{number}")


def _saved(number: str, draft: str) -> Response:
    """Back to the form while it has gaps, so that they are seen beside their fields; else on to the document."""
    flash(draft, "saved-draft")  # tells the browser to forget its copy
    if documents.get(system(), actor(), number).form_errors:
        return redirect(url_for(".edit", number=number), 303)
    flash(f"已保存，编号 {number}。核对无误后点“送审”")
    return redirect(url_for("documents.page", number=number), 303)


@pages.get("/catalogue/options")
def options() -> str:
    """`<option>`s for the catalogue field."""
    text = request.args.get("text", "").strip()
    items = catalogue.search(system(), text, 30) if text else []
    return render_template("_catalogue_options.html", items=items)

"""Budgets from a spreadsheet, for those who have them as a file only: template, preview, then all of it or nothing."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from core.adapters.spreadsheet import MAX_BYTES
from core.domain.errors import DomainError
from core.service import attachments, budget_import, budget_lines
from core.service.budget_import import Outcome
from web.attachments import received
from web.downloads import file
from web.errors import status_and_title
from web.imports import MOST_SAID, SHEETS
from web.parts import system
from web.security import actor, require_session

pages = Blueprint("budget_upload", __name__)
pages.before_request(require_session)


@pages.get("/budgets/import")
def choose() -> str:
    """What the file has to look like, and where it is given."""
    budget_import.may_upload(system(), actor())
    return _page()


@pages.get("/budgets/import/template.xlsx")
def template() -> Response:
    """The empty spreadsheet."""
    budget_import.may_upload(system(), actor())
    return file(budget_lines.template(SHEETS), "预算指标.xlsx")


@pages.post("/budgets/import")
def take() -> AnyResponse | str | tuple[str, int]:
    """First what a file would change; once confirmed, that."""
    sha256 = request.form.get("sha256", "")
    try:
        if not sha256:
            kept = received()
            content = attachments.own(system(), actor(), kept.sha256)
            return _page(
                budget_import.preview(system(), actor(), content, SHEETS), name=kept.name, sha256=kept.sha256
            )
        content = attachments.own(system(), actor(), sha256)
        done = budget_import.upload(system(), actor(), content, SHEETS)
    except DomainError as error:
        return _page(error=error), status_and_title(error)[0]
    flash(f"预算指标已经导入：{done.said}")
    return redirect(url_for(".choose"), 303)


def _page(
    outcome: Outcome | None = None, *, name: str = "", sha256: str = "", error: DomainError | None = None
) -> str:
    return render_template(
        "budget_upload.html", outcome=outcome, name=name, sha256=sha256, error=error,
        limit=MAX_BYTES // 2**20, most=MOST_SAID, columns=budget_lines.COLUMNS,
    )  # fmt: skip

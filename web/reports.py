"""Reports, warnings, the course of a project and drawn experts as pages."""

from datetime import date

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from core.adapters import spreadsheet_out
from core.domain.errors import InvalidError
from core.domain.warning_rules import LEVEL_LABELS, STAGE_LABELS
from core.service import documents, experts, reports, supervision
from core.service.supervision import Query
from web import downloads
from web.documents import key, version
from web.parts import system
from web.security import actor, require_session

pages = Blueprint("reports", __name__)
pages.before_request(require_session)

_FILTERS = ("stage", "level", "rule", "unit", "words")


def _period() -> tuple[date | None, date | None]:
    """From the address; InvalidError for a day that cannot be read."""
    return _day("since"), _day("until")


def _day(name: str) -> date | None:
    text = request.args.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidError("日期要写成 2026-03-31 这样", fields={name: "日期不对"}) from error


@pages.get("/reports")
def listing() -> AnyResponse:
    """The first report."""
    return redirect(url_for("reports.report", kind=next(iter(reports.KINDS))))


@pages.get("/reports/<kind>")
def report(kind: str) -> str:
    """One report over the units this account looks after; over all of time where the period is said to be wrong."""
    given = {name: text for name in ("since", "until") if (text := request.args.get(name, "").strip())}
    wrong = ""
    try:
        found = reports.report(system(), actor(), kind, *_period())
    except InvalidError as error:
        wrong, found = error.message, reports.report(system(), actor(), kind)
    return render_template(
        "report.html", report=found, kinds=reports.KINDS.values(), typed=given, given={} if wrong else given,
        wrong=wrong,
    )  # fmt: skip


@pages.get("/reports/<kind>/<any(result, upload):form>.xlsx")
def download(kind: str, form: str) -> Response:
    """The report as a spreadsheet: as queried, or the file for the finance ministry."""
    found = reports.report(system(), actor(), kind, *_period())
    writer = spreadsheet_out.upload if form == "upload" else spreadsheet_out.result
    return downloads.file(writer(found), f"{found.label}{'-上报' if form == 'upload' else ''}.xlsx")


@pages.get("/warnings")
def warnings() -> str:
    """Warnings over the units this account looks after."""
    given = {name: text for name in _FILTERS if (text := request.args.get(name, "").strip()[:100])}
    found = supervision.raised(system(), actor(), Query(**given))
    return render_template(
        "warnings.html", raised=found, given=given, stages=STAGE_LABELS, levels=LEVEL_LABELS,
        rules=supervision.rule_labels(system()),
    )  # fmt: skip


@pages.get("/documents/<number>/course")
def course(number: str) -> str:
    """The whole project that a document belongs to."""
    points = supervision.course(system(), actor(), number)
    return render_template("course.html", points=points, number=number)


@pages.get("/documents/<number>/experts")
def drawn(number: str) -> str:
    """Experts drawn for a request, masked by role."""
    view = documents.get(system(), actor(), number)
    if view.document.kind != "expert_request":
        abort(404)
    return render_template("experts.html", found=experts.listing(system(), actor(), number), view=view)


@pages.get("/documents/<number>/paid")
def paid(number: str) -> str:
    """What has been paid of a contract."""
    return render_template("paid.html", found=reports.paid(system(), actor(), number))


@pages.post("/documents/<number>/figures")
def figures(number: str) -> AnyResponse:
    """Work out the reserve for small firms for a draft of its notice."""
    reports.fill_reserved(system(), actor(), number, version=version(), key=key())
    return redirect(url_for("documents.page", number=number))

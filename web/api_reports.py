"""/api/v1: reports, what was paid, the reserve for small firms, warnings, the course of a project, drawn experts."""

from datetime import date, datetime
from typing import Literal

from flask import Response
from pydantic import BaseModel, Field

from core.adapters import spreadsheet_out
from core.service import experts, reports, supervision
from core.service.supervision import Query
from web import downloads
from web.api import asked, body, idempotency_key, route
from web.parts import system
from web.schemas import Shown, Taken
from web.security import actor


class KindOut(Shown):
    """A report that there is."""

    id: str
    label: str


class ReportKinds(BaseModel):
    """All reports."""

    items: list[KindOut]


class PeriodQuery(Taken):
    """Contracts signed from `since` to `until`, both included."""

    since: date | None = None
    until: date | None = None


class FileQuery(PeriodQuery):
    """`result` as queried, `upload` for the finance ministry."""

    form: Literal["result", "upload"] = "result"


class ReportOut(Shown):
    """A table; the last row is the total. Amounts are yuan."""

    id: str
    label: str
    period: str
    header: list[str]
    rows: list[list[str | int | float]]
    untied: list[str]
    tie: str


class PaidOut(Shown):
    """What was paid of a contract, in fen; `lines` are payment, node and fen."""

    number: str
    name: str
    amount_fen: int
    paid_fen: int
    written_off_fen: int
    waiting_fen: int
    open_fen: int
    lines: list[tuple[str, str, int]]
    said: str


class FiguresIn(Taken):
    """`version` of the draft as it was seen."""

    version: int = Field(ge=1)


class FiguresOut(BaseModel):
    """The figures that were put into the notice, in fen."""

    version: int
    rows: list[dict[str, str | int]]
    total_fen: int
    micro_total_fen: int


class WarningQuery(Taken):
    """Filters; empty means all."""

    stage: Literal["", "before", "during", "after"] = ""
    level: Literal["", "notice", "warning"] = ""
    rule: str = Field("", max_length=40)
    unit: str = Field("", max_length=20)
    words: str = Field("", max_length=100)


class WarningOut(Shown):
    """A rule that holds for a document now."""

    rule: str
    label: str
    stage: str
    stage_label: str
    level: str
    level_label: str
    number: str
    title: str
    kind_label: str
    node_label: str
    unit_name: str
    project: str
    said: str
    source: str


class Warnings(BaseModel):
    """Newest document first."""

    items: list[WarningOut]


class PointOut(Shown):
    """One document in the course of a project."""

    number: str
    title: str
    kind: str
    kind_label: str
    node_label: str
    amount_fen: int
    depth: int
    raised: list[WarningOut]


class Course(BaseModel):
    """From the first document to the last."""

    items: list[PointOut]


class ExpertOut(Shown):
    """A drawn expert as this account may see them."""

    group: int
    code: str
    name: str
    unit: str
    phone: str
    id_number: str
    categories: list[str]
    area: str
    state: str
    state_label: str
    drawn_at: datetime
    answered_at: datetime | None


class DrawOut(Shown):
    """A recorded draw; with seed and pools anyone can repeat it."""

    seed: str
    pools: list[list[str]]
    places: list[int]
    drawn: list[list[str]]
    at: datetime


class ExpertsOut(Shown):
    """Who was drawn; `repeated` says for each draw whether its seed gives the same again."""

    number: str
    experts: list[ExpertOut]
    draws: list[DrawOut]
    repeated: list[bool]


@route("GET", "/reports", gives=ReportKinds)
def list_reports() -> ReportKinds:
    """Reports that there are."""
    return ReportKinds(items=[KindOut.model_validate(kind) for kind in reports.KINDS.values()])


@route("GET", "/reports/<kind>", query=PeriodQuery, gives=ReportOut)
def get_report(kind: str) -> ReportOut:
    """A report over the units this account looks after."""
    return ReportOut.model_validate(reports.report(system(), actor(), kind, asked().since, asked().until))


@route("GET", "/reports/<kind>/file", query=FileQuery, gives=None, media=downloads.XLSX)
def get_report_file(kind: str) -> Response:
    """The same as a spreadsheet."""
    found = reports.report(system(), actor(), kind, asked().since, asked().until)
    writer = spreadsheet_out.upload if asked().form == "upload" else spreadsheet_out.result
    return downloads.file(writer(found), f"{found.label}.xlsx")


@route("GET", "/documents/<number>/paid", gives=PaidOut)
def get_paid(number: str) -> PaidOut:
    """What has been paid of a contract."""
    return PaidOut.model_validate(reports.paid(system(), actor(), number))


@route("POST", "/documents/<number>/figures", takes=FiguresIn, gives=FiguresOut)
def fill_figures(number: str) -> FiguresOut:
    """Work out the reserve for small firms and put it into the draft of its notice."""
    filled = reports.fill_reserved(system(), actor(), number, version=body().version, key=idempotency_key())
    form = filled.form
    return FiguresOut(
        version=filled.version, rows=form["rows"], total_fen=form["total_fen"], micro_total_fen=form["micro_total_fen"]
    )  # fmt: skip


@route("GET", "/warnings", query=WarningQuery, gives=Warnings)
def list_warnings() -> Warnings:
    """Warnings over the units this account looks after, as things are now."""
    found = supervision.raised(system(), actor(), Query(**asked().model_dump()))
    return Warnings(items=[WarningOut.model_validate(item) for item in found])


@route("GET", "/documents/<number>/course", gives=Course)
def get_course(number: str) -> Course:
    """The whole project that a document belongs to, with its warnings."""
    points = supervision.course(system(), actor(), number)
    return Course(items=[PointOut.model_validate(point) for point in points])


@route("GET", "/documents/<number>/experts", gives=ExpertsOut)
def get_experts(number: str) -> ExpertsOut:
    """Experts drawn for a request, masked by role."""
    return ExpertsOut.model_validate(experts.listing(system(), actor(), number))

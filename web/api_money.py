"""/api/v1: money: indicators, what moved on them and for a document, budgets and their import."""

from flask import Response

from core.service import budget_import, budget_queries, ledger
from core.service.budget_queries import Origin
from web import attachments as files
from web import budget_upload, downloads
from web.api import asked, route
from web.api_form_schemas import UploadIn
from web.imports import SHEETS
from web.parts import system
from web.schemas import (
    BudgetImportOut,
    BudgetImportQuery,
    BudgetOut,
    BudgetQuery,
    Budgets,
    DocumentMoney,
    IndicatorOut,
    Indicators,
    KeptOut,
    MoneySection,
    MovementOut,
    Statement,
)
from web.security import actor


@route("GET", "/indicators", gives=Indicators)
def list_indicators() -> Indicators:
    """Budget indicators of the unit."""
    return Indicators(
        items=[IndicatorOut.model_validate(item) for item in ledger.indicators(system(), actor())]
    )


@route("GET", "/indicators/<int:indicator>/movements", gives=Statement)
def list_movements(indicator: int) -> Statement:
    """Every movement on one indicator."""
    rows = ledger.statement(system(), actor(), indicator)
    return Statement(items=[MovementOut.model_validate(row) for row in rows])


@route("GET", "/budgets", query=BudgetQuery, gives=Budgets)
def list_budgets() -> Budgets:
    """What the unit and those below it have to spend, entered by hand or come over from finance, valid or not."""
    q = asked()
    origin = Origin(q.origin) if q.origin else None
    found = budget_queries.budgets(system(), actor(), text=q.q, below=q.below, origin=origin)
    items = [
        BudgetOut(
            unit_code=one.unit.code, unit_name=one.unit.name, indicator=IndicatorOut.model_validate(one.indicator),
            origin=one.origin.value, synchronised_at=one.synchronised_at, valid=one.valid, why=one.why,
        )
        for one in found
    ]  # fmt: skip
    return Budgets(items=items)


@route("GET", "/documents/<number>/movements", gives=DocumentMoney)
def list_document_movements(number: str) -> DocumentMoney:
    """Everything a document moved, by indicator; the account of its own last."""
    return DocumentMoney(
        items=[
            MoneySection(
                code=one.indicator.code, name=one.indicator.name, own=one.own,
                items=[(MovementOut if one.own else KeptOut).model_validate(line) for line in one.lines],
            )
            for one in ledger.of_document(system(), actor(), number)
        ]
    )  # fmt: skip


@route("GET", "/budgets/template", gives=None, media=downloads.XLSX)
def get_budget_template() -> Response:
    """The spreadsheet that budgets are imported from."""
    return budget_upload.template()


@route("POST", "/budgets/import", form=UploadIn, query=BudgetImportQuery, gives=BudgetImportOut)
def import_budgets() -> BudgetImportOut:
    """Each line's total, or nothing where one cell is wrong (`fields` has each by its place).

    The same file again changes nothing.
    """
    bring = budget_import.preview if asked().preview else budget_import.upload
    _, content = files.sent()
    return BudgetImportOut.model_validate(bring(system(), actor(), content, SHEETS))

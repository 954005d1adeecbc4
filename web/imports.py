"""Lists from spreadsheets into the tables of a form: template, preview with every bad cell, all or nothing."""

from uuid import uuid4

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from core.adapters.spreadsheet import MAX_BYTES, Xlsx
from core.domain.errors import DomainError, InvalidError
from core.domain.forms import FieldType
from core.service import attachments, filling, list_import
from core.service.filling import Filling
from core.service.list_import import Report
from web import downloads, form_shown
from web.attachments import received
from web.documents import key, version
from web.errors import status_and_title
from web.parts import system
from web.security import actor, require_session

pages = Blueprint("imports", __name__)
pages.before_request(require_session)

PREVIEW = 20
MOST_SAID = 200
SHEETS = Xlsx()


@pages.get("/documents/<number>/import/<table>")
def choose(number: str, table: str) -> str:
    """The template to fill in, and the file to bring in."""
    return _page(filling.existing(system(), actor(), number), table)


@pages.get("/documents/<number>/import/<table>/template.xlsx")
def template(number: str, table: str) -> Response:
    """The empty template, with what may be chosen in it."""
    shown = filling.existing(system(), actor(), number)
    name, content = list_import.template(system(), shown, table, SHEETS)
    return downloads.file(content, name)


@pages.post("/documents/<number>/import/<table>")
def take(number: str, table: str) -> AnyResponse | str | tuple[str, int]:
    """First the preview of a file; once confirmed, its rows instead of the table's rows, or nothing at all."""
    shown = filling.existing(system(), actor(), number)
    sha256 = request.form.get("sha256", "")
    try:
        if not sha256:
            return _preview(shown, table)
        content = attachments.own(system(), actor(), sha256)
        list_import.take(
            system(), actor(), number, table, content, SHEETS, version=version(), key=key()
        )  # fmt: skip
    except DomainError as error:
        return _page(shown, table, error=error), status_and_title(error)[0]
    flash("表格已经导入，请核对")
    return redirect(url_for("forms.edit", number=number), 303)


def _preview(shown: Filling, table: str) -> str | tuple[str, int]:
    file = received()
    content = attachments.own(system(), actor(), file.sha256)
    report = list_import.check(system(), _fill(shown.number), table, content, SHEETS)
    page = _page(shown, table, report=report, file=file.name, sha256=file.sha256)
    return (page, 422) if report.wrong else page


def _fill(number: str) -> list_import.Fill:
    return lambda values: filling.existing(system(), actor(), number, values)


def _page(
    shown: Filling, table: str, *, report: Report | None = None, file: str = "", sha256: str = "",
    error: DomainError | None = None,
) -> str:  # fmt: skip
    item = next((one for one in shown.process.form.fields if one.id == table), None)
    if item is None or item.type is not FieldType.TABLE:
        raise InvalidError("没有这张清单", fields={"table": "没有这张清单"})
    preview = None
    if report and not report.wrong:
        words = form_shown.Words(system().catalogue, {})
        whole = filling.existing(
            system(), actor(), shown.number, report.values
        ).values  # with what is worked out
        first = {table: whole[table][:PREVIEW]}
        preview = form_shown.shown((item,), first, words)[0]
    return render_template(
        "import.html", filling=shown, table=item, report=report, preview=preview, file=file, sha256=sha256,
        error=error, limit=MAX_BYTES // 2**20, most=MOST_SAID, key=uuid4().hex, version=shown.version,
    )  # fmt: skip

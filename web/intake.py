"""Knowledge console: files in, with a preview, and a workbook out."""

import re
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.domain.errors import DataError, InvalidError, NotFoundError
from kb import workbook
from kb.importer import MAX_BYTES, STATES
from kb.intake import KINDS, Intake
from web import attachments, downloads, numbers
from web.account import Answer
from web.knowledge import editing, region
from web.parts import system
from web.security import actor, limiter, require_session

pages = Blueprint("intake", __name__, url_prefix="/knowledge")
pages.before_request(require_session)

_PLACE = re.compile(r"^[^:]*?:(\d+): ")  # of a mistake in a file: there is no folder for who uploaded it


@pages.url_value_preprocessor
def _bigger(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A manual with pictures is bigger than a form."""
    if endpoint == "intake.upload":
        request.max_content_length = MAX_BYTES


def _intake() -> Intake:
    return Intake(editing(), system().blobs)


def _page(problems: list[str]) -> str:
    return render_template("knowledge_upload.html", problems=problems, kinds=KINDS)


@pages.get("/upload")
def form() -> str:
    """Choose a file."""
    editing().regions(actor())
    return _page([])


@pages.post("/upload")
@limiter.limit("20 per minute")
def upload() -> Answer:
    """Keep it and show what it holds."""
    try:
        name, data = attachments.sent()
        blob = _intake().keep(actor(), name, data)
    except DataError as error:
        return _page([_PLACE.sub(r"第 \1 行：", one) for one in error.problems]), 422
    except InvalidError as error:
        return _page([error.message]), 422
    return redirect(url_for(".preview", blob=blob, name=name), 303)


@pages.get("/upload/<blob>")
def preview(blob: str) -> str:
    """What is new, changed or doubtful."""
    name = request.args.get("name", "")
    items = _intake().preview(actor(), name, _known(blob))
    counts = {state: sum(one.state == state for one in items) for state in STATES}
    return render_template(
        "knowledge_preview.html", items=items, blob=blob, name=name, states=STATES, counts=counts
    )


@pages.post("/upload/<blob>")
def take(blob: str) -> Response:
    """Drafts of what was chosen."""
    made = _intake().take(actor(), request.form.get("name", ""), _known(blob), set(numbers.every("item")))
    flash(f"已写成 {len(made)} 份草稿，请核对后请别人审核")
    return redirect(url_for("release.waiting"), 303)


def _known(blob: str) -> str:
    """Only what looks like a name among the blobs is looked for."""
    if not re.fullmatch(r"[0-9a-f]{64}", blob):
        raise NotFoundError("文件不在了，请重新上传", fields={"file": "没有找到"})
    return blob


@pages.get("/export")
def export() -> Response:
    """The published entries of a region as a workbook that can be uploaded again."""
    rows = editing().listing(actor(), region())
    data = workbook.export(row.entry for row in rows)
    return downloads.file(data, f"knowledge-{region()}.xlsx")

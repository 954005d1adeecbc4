"""On the page of a document: reminding whose turn it is, copies to read and who has read them."""

from uuid import uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.domain.errors import DomainError
from core.service import copies, documents, reminders, told
from web.documents import key
from web.errors import status_and_title
from web.parts import system
from web.security import actor, limiter, require_session

pages = Blueprint("told", __name__)
pages.before_request(require_session)


@pages.post("/documents/<number>/reminders")
@limiter.limit("30 per minute")
def remind(number: str) -> Response:
    """Remind whose turn it is."""
    done = reminders.remind(system(), actor(), number, key=key())
    flash(done.said)
    return redirect(url_for("documents.page", number=number), 303)


@pages.get("/documents/<number>/copies")
def copied(number: str) -> str:
    """Who got the document to read, who has read it, and a form to give it to somebody."""
    return _page(number)


@pages.post("/documents/<number>/copies")
@limiter.limit("30 per minute")
def copy(number: str) -> Response | tuple[str, int]:
    """Give it to somebody to read."""
    form = request.form
    try:
        done = copies.send(system(), actor(), number, form.get("to", ""), form.get("note", ""), key=key())
    except DomainError as error:
        return _page(number, error), status_and_title(error)[0]
    flash(done.said)
    return redirect(url_for(".copied", number=number), 303)


def _page(number: str, error: DomainError | None = None) -> str:
    shown = told.opened(system(), actor(), number)
    return render_template(
        "copies.html",
        view=documents.get(system(), actor(), number),
        shown=shown,
        readers=[] if shown.reads else copies.readers(system(), actor()),
        error=error,
        typed=request.form if error else {},
        key=uuid4().hex,
        limit=copies.NOTE_LIMIT,
    )

"""Pages that are there when their part is wired in: tickets for support staff, the code that binds WeChat."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web.parts import BindingCodes, Tickets, house
from web.security import actor, limiter, require_session

ticket_pages = Blueprint("tickets", __name__)
ticket_pages.before_request(require_session)
binding_pages = Blueprint("binding", __name__)
binding_pages.before_request(require_session)


def _tickets() -> Tickets:
    found = house().parts.tickets
    assert found is not None, "registered only with tickets"  # noqa: S101
    return found


def _codes() -> BindingCodes:
    found = house().parts.binding_codes
    assert found is not None, "registered only with binding codes"  # noqa: S101
    return found


@ticket_pages.get("/tickets")
def listing() -> str:
    """Questions the assistant handed over."""
    return render_template("tickets.html", tickets=_tickets().listing(actor()))


@ticket_pages.post("/tickets/<ticket>/close")
def close(ticket: str) -> Response:
    """Answer and close."""
    _tickets().close(actor(), ticket, request.form.get("note", "").strip())
    flash("已答复并关闭")
    return redirect(url_for(".listing"), 303)


@binding_pages.get("/wechat-binding")
def explain() -> str:
    """How binding works; a code is made on request only."""
    return render_template("binding.html", code=None)


@binding_pages.post("/wechat-binding")
@limiter.limit("5 per minute")
def issue() -> str:
    """A fresh one-time code."""
    return render_template("binding.html", code=_codes().issue(actor().id))

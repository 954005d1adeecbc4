"""Pages of support staff: tickets and the conversations behind them, stuck messages."""

from uuid import uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import Response as AnyResponse
from werkzeug.wrappers import Response

from assistant.desk import Desk
from core.domain.errors import NotFoundError
from core.service import exchange
from diagnostics import report
from web import drawing
from web.documents import key
from web.parts import house, system
from web.security import actor, require_session

pages = Blueprint("desk", __name__)
pages.before_request(require_session)


def _desk() -> Desk:
    found = house().parts.desk
    assert found is not None, "registered only with a desk"  # noqa: S101
    return found


@pages.get("/tickets")
def listing() -> str:
    """Questions handed over to people."""
    return render_template("tickets.html", tickets=_desk().listing(actor()))


@pages.get("/tickets/<ticket>")
def page(ticket: str) -> str:
    """One ticket: what was said, where the document stands, and the reply."""
    found = _desk().open(actor(), ticket)
    reports = house().parts.reports
    said = reports.of(_desk().conversation(actor(), ticket)) if reports else ()
    return render_template("ticket.html", found=found, reports=said, key=uuid4().hex, narrow=drawing.narrow)


@pages.get("/tickets/<ticket>/reports/<int:number>")
def printed(ticket: str, number: int) -> AnyResponse:
    """What a desk reported, on one page to print."""
    reports = house().parts.reports
    if reports is None:
        raise NotFoundError("没有找到这份检测报告", fields={"report": "没有找到"})
    kept = reports.get(_desk().conversation(actor(), ticket), number)
    response = AnyResponse(report.to_html(kept.report, here=False), mimetype="text/html")
    # The page is the same that the desk's own doctor writes: it carries its style and nothing that runs.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    return response


@pages.get("/tickets/<ticket>/messages")
def messages(ticket: str) -> str:
    """The conversation alone, for the page to look again."""
    return render_template("_ticket_messages.html", found=_desk().open(actor(), ticket))


@pages.post("/tickets/<ticket>/take")
def take(ticket: str) -> Response:
    """From now on this person answers."""
    _desk().take(actor(), ticket)
    flash("已接手，助手不再插话，您写的会出现在对方的对话里")
    return redirect(url_for(".page", ticket=ticket), 303)


@pages.post("/tickets/<ticket>/say")
def say(ticket: str) -> Response:
    """A reply into the asker's conversation."""
    _desk().say(actor(), ticket, request.form.get("text", ""), key())
    return redirect(url_for(".page", ticket=ticket), 303)


@pages.post("/tickets/<ticket>/back")
def back(ticket: str) -> Response:
    """The assistant answers again."""
    _desk().hand_back(actor(), ticket)
    flash("已交还助手，单子还开着")
    return redirect(url_for(".page", ticket=ticket), 303)


@pages.post("/tickets/<ticket>/close")
def close(ticket: str) -> Response:
    """Answer and close."""
    _desk().close(actor(), ticket, request.form.get("note", ""))
    flash("已答复并关闭")
    return redirect(url_for(".listing"), 303)


@pages.get("/desk/messages")
def stuck() -> str:
    """Messages to other systems that could not be delivered."""
    return render_template("stuck.html", stuck=exchange.stuck(system(), actor()))


@pages.post("/desk/messages/<int:message>/resume")
def resume(message: int) -> Response:
    """Send it again."""
    exchange.resume(system(), actor(), message)
    flash("已重新发送，几秒后会有结果")
    return redirect(url_for(".stuck"), 303)


@pages.post("/desk/messages/<int:message>/set-aside")
def set_aside(message: int) -> Response:
    """Give it up, with a reason."""
    exchange.set_aside(system(), actor(), message, request.form.get("reason", ""))
    flash("已搁置，同一单据后面的消息会继续发送")
    return redirect(url_for(".stuck"), 303)

"""Questions of users that had no good answer, and the two clicks that make knowledge of them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from assistant.desk import DAYS
from assistant.feedback import Feedback
from web import chat
from web.knowledge import editing
from web.parts import house, system
from web.security import actor, require_session

pages = Blueprint("feedback", __name__, url_prefix="/desk/questions")
pages.before_request(require_session)


def _feedback() -> Feedback:
    return Feedback(system(), editing())


@pages.get("")
def listing() -> str:
    """What had no answer or did not help, by meaning, and what is asked most."""
    desk = house().parts.desk
    hits = desk.hits(actor()) if desk else []
    return render_template(
        "questions.html",
        days=DAYS,
        clusters=_feedback().clusters(actor()),
        entries=editing().listing(actor(), actor().region),
        hits=[(topic, times, chat.talk().title(actor(), topic)) for topic, times in hits],
    )


@pages.post("/phrasing")
def phrase() -> Response:
    """An entry can be asked so, too."""
    one = _feedback().add_phrasings(actor(), request.form.get("topic", ""), request.form.getlist("text"))
    flash(f"已加进“{one.entry.title}”的草稿，审核发布后就能答上")
    return redirect(url_for(".listing"), 303)


@pages.post("/aside")
def aside() -> Response:
    """No entry is wanted."""
    _feedback().set_aside(actor(), request.form.getlist("text"))
    flash("不再列出，有人再问时会重新出现")
    return redirect(url_for(".listing"), 303)

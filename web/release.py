"""Knowledge console: a revision beside what is published, review, replay, publication, and the way back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.domain.errors import BlockedError, ConflictError, DataError
from kb.checks import MIN_PHRASINGS
from kb.replay import Replay
from kb.revisions import STATES
from web import numbers
from web.account import Answer
from web.errors import status_and_title
from web.knowledge import editing
from web.security import actor, require_session

pages = Blueprint("release", __name__, url_prefix="/knowledge")
pages.before_request(require_session)


@pages.get("/waiting")
def waiting() -> str:
    """Drafts, and what may be published."""
    return render_template("knowledge_waiting.html", drafts=editing().waiting(actor()), states=STATES)


@pages.get("/revisions/<int:revision>")
def look(revision: int) -> str:
    """One revision: what it changes, and what may be done with it."""
    found = editing().look(actor(), revision)
    asked = sum(1 for _ in found.revision.entry.phrasings.items())
    return render_template(
        "knowledge_revision.html", look=found, states=STATES, short_of=max(0, MIN_PHRASINGS - asked)
    )


@pages.post("/revisions/<int:revision>/review")
def review(revision: int) -> Response:
    """Somebody else has read it."""
    editing().review(actor(), revision)
    flash("已审核，可以重放评测题后发布")
    return redirect(url_for(".look", revision=revision), 303)


@pages.post("/revisions/<int:revision>/discard")
def discard(revision: int) -> Response:
    """Throw it away."""
    one = editing().discard(actor(), revision)
    flash(f"“{one.entry.title}”的这份草稿已删除")
    return redirect(url_for(".waiting"), 303)


def _chosen() -> list[int]:
    return numbers.every("revision")


@pages.get("/release")
def release() -> str:
    """What publishing the chosen revisions would mean."""
    return render_template("knowledge_release.html", found=editing().release(actor(), _chosen()), error=None)


@pages.get("/release/replay")
def replayed() -> str:
    """How far the replay is, for the page that waits for it."""
    return render_template("_knowledge_replay.html", found=editing().release(actor(), _chosen()))


@pages.post("/release/replay")
def replay() -> Answer:
    """Ask the evaluation sets with and without; an evaluation set that cannot be read is named."""
    try:
        editing().replay(actor(), _chosen())
    except DataError as error:
        found = editing().release(actor(), _chosen())
        return render_template("knowledge_release.html", found=found, error=error), 422
    return redirect(url_for(".release", revision=_chosen()), 303)


@pages.post("/release")
def publish() -> Answer:
    """Publish; what keeps it from that is said on the page."""
    seen = numbers.posted("number")
    try:
        number = editing().publish(
            actor(), _chosen(), -1 if seen is None else seen, request.form.get("note", "")
        )
    except (BlockedError, ConflictError, DataError) as error:
        found = editing().release(actor(), _chosen())
        page = render_template("knowledge_release.html", found=found, error=error)
        return page, 422 if isinstance(error, DataError) else status_and_title(error)[0]
    flash(f"已发布第 {number} 版，几秒钟后所有对话都用上新的内容")
    return redirect(url_for(".history"), 303)


@pages.get("/history")
def history() -> str:
    """Publications and what each changed."""
    return render_template("knowledge_history.html", steps=editing().history(actor()))


@pages.post("/history/<int:number>/roll-back")
def roll_back(number: int) -> Response:
    """The actor's region as it was."""
    new = editing().roll_back(actor(), number)
    flash(f"本区域的条目已回到第 {number} 版，现在是第 {new} 版")
    return redirect(url_for(".history"), 303)


@pages.app_template_test("replayed")
def _replayed(value: object) -> bool:
    return isinstance(value, Replay)

"""The conversation as a page. The same turns as /api/v1/chat, rendered here."""

from uuid import uuid4

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from assistant import suggestions
from assistant.cards import Turn
from core.domain.errors import DomainError, InvalidError
from core.service import documents, lists, notices, repairs
from core.service.page_ports import Query
from web import attachments, drawing, numbers
from web.errors import wants_fragment
from web.parts import Said, Talk, house, system
from web.schemas import MAX_TEXT
from web.security import account_or_address, actor, limiter, require_session, signed_in

pages = Blueprint("chat", __name__)
pages.before_request(require_session)

STARTERS = ("计划录错了", "流程到哪里了", "怎么作废计划", "备案书盖错章了", "单位账号是多少")


def talk() -> Talk:
    """The assistant of this application."""
    found = house().parts.talk
    if found is None:
        message = "create_app was given no Talk"
        raise RuntimeError(message)
    return found


@pages.get("/")
def home() -> str:
    """The conversation so far; `?new` begins another."""
    conversation, past = (None, ()) if "new" in request.args else talk().past(actor(), request.args.get("c"))
    tasks = repairs.mine(system(), actor())
    todo = documents.todo(system(), actor())
    asked = {task.step.number for task in tasks}
    unseen = notices.unseen(system(), actor())
    return render_template(
        "chat.html",
        conversation=conversation,
        past=past,
        cursor=past[-1].seq if past else -1,
        notices=[notice for notice in unseen if notice.number not in asked],  # the task says it already
        known=max((notice.id for notice in unseen), default=0),
        covered=[notice for notice in unseen if notice.number in asked],
        tasks=tasks,
        todo=lists.find(system(), actor(), Query("todo", order="urgent"), limit=5),
        needs=() if past else suggestions.needs(system(), actor(), tasks, todo),
        key=uuid4().hex,
        starters=STARTERS,
        narrow=drawing.narrow,
        about=request.args.get("about", "")[:64],
    )


def waiting_count() -> int:
    """How many documents wait for whoever is signed in; 0 where that cannot be told (an error is being shown)."""
    if "waiting" not in g:
        try:
            session = signed_in()
            g.waiting = notices.pulse(system(), session.account).waiting if session else 0
        except DomainError:
            g.waiting = 0
    return int(g.waiting)


def turn(text: str, conversation: str | None, key: str, page: str | None) -> Turn:
    """One turn for whoever is signed in; used by the page and by the API."""
    if not text.strip():
        raise InvalidError("请先写一句话", fields={"text": "请先写一句话"})
    if len(text) > MAX_TEXT:
        raise InvalidError(
            f"一次最多写 {MAX_TEXT} 个字，请分几句说", fields={"text": f"最多 {MAX_TEXT} 个字"}
        )
    session = signed_in()
    assert session is not None, "behind require_session"  # noqa: S101
    return talk().respond(session, conversation or None, text.strip(), key, page=page or None)


@pages.post("/chat")
@limiter.limit("60 per minute", key_func=account_or_address)
def say() -> str | Response:
    """One message; a fragment for htmx, a reload without."""
    text = request.form.get("text", "")
    answer = turn(
        text,
        request.form.get("conversation"),
        request.form.get("key") or uuid4().hex,
        request.form.get("page", "")[:200],
    )
    if not wants_fragment():
        return redirect(url_for("chat.home", c=answer.conversation), 303)
    said = Said(text.strip(), answer.replies, talk().last(actor(), answer.conversation))
    return _shown(said, answer.conversation)


def _shown(said: Said, conversation: str) -> str:
    """A turn, with what the page's next one has to name."""
    return render_template(
        "_turn.html", said=said, cursor=said.seq, conversation=conversation, key=uuid4().hex, narrow=drawing.narrow
    )  # fmt: skip


@pages.post("/chat/file")
@limiter.limit("20 per minute", key_func=account_or_address)
def check_file() -> str | Response:
    """A list in a spreadsheet is checked, and brought in nowhere."""
    name, content = attachments.sent()
    asked, page = request.form.get("conversation") or None, request.form.get("page", "")[:40]
    conversation, said = talk().checked(actor(), asked, page, name, content)
    if not wants_fragment():
        return redirect(url_for("chat.home", c=conversation), 303)
    return _shown(said, conversation)


@pages.post("/news")
@limiter.limit("60 per minute", key_func=account_or_address)
def news() -> Response | str:
    """What is new since the page last asked: messages for an open conversation, the number of waiting documents.

    Asked by every visible page every few seconds; 204 where nothing is new.
    """
    pulse = notices.pulse(system(), actor())
    shown, known = numbers.posted("waiting"), numbers.posted("known") or 0
    conversation = request.form.get("conversation") or None
    said: list[Said] = []
    cursor = numbers.posted("cursor")
    if cursor is not None:  # the page shows a conversation
        unseen = [notice for notice in pulse.unseen if notice.id > known]
        conversation, found = talk().news(actor(), conversation, cursor, unseen)
        said = list(found)
    if not said and pulse.waiting == shown:
        return Response(status=204)
    return render_template(
        "_news.html",
        said=said,
        conversation=conversation,
        cursor=said[-1].seq if said else None,
        waiting=pulse.waiting,
        narrow=drawing.narrow,
    )


@pages.post("/feedback")
def feedback() -> str | Response:
    """Thumbs up or down under an answer."""
    conversation, good = request.form.get("conversation", ""), request.form.get("good") == "1"
    seq, reason = numbers.posted("seq"), request.form.get("reason", "")
    seq = -1 if seq is None else seq
    talk().rate(actor(), conversation, seq, good=good, reason=reason)
    if not wants_fragment():
        return redirect(url_for("chat.home", c=conversation), 303)
    return render_template("_rate.html", conversation=conversation, seq=seq, good=good, asked=bool(reason))


@pages.post("/notices/seen")
def notices_seen() -> str | Response:
    """The account has read these."""
    notices.mark_seen(system(), actor(), numbers.every("id"))
    return "" if wants_fragment() else redirect(url_for("chat.home"), 303)

"""Checks of the clerk's own machine: the page asks the desk's agent, and brings what it found into the conversation.

The agent listens on loopback and is asked by the browser, never by us. What comes back is read with suspicion
(`diagnostics.desk_reports`), answered in the conversation, and kept beside it for the people who help.
"""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Blueprint, Flask, Response, current_app, jsonify, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from core.domain.errors import AuthenticationError, InvalidError
from core.service import accounts
from diagnostics import agent, build, desk_reports
from diagnostics import page as browser
from web import downloads, drawing
from web.chat import talk
from web.parts import Said, house, system
from web.security import AGENT, account_or_address, actor, csrf, limiter, opened, require_session

pages = Blueprint("probe", __name__, url_prefix="/probe")
pages.before_request(require_session)
uploads = Blueprint(
    "desk_reports", __name__, url_prefix="/api/v1/desk-reports"
)  # proves itself by its reference

REFERENCE_SECONDS = 24 * 3600


def register(app: Flask) -> None:
    """Both ways in: the page's and the agent's."""
    csrf.exempt(uploads)
    app.register_blueprint(pages)
    app.register_blueprint(uploads)
    app.context_processor(lambda: {"desk_agent": AGENT})


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or b"", salt="desk-report")


def _store() -> desk_reports.DeskReports:
    found = house().parts.reports
    assert found is not None, "registered only with a store"  # noqa: S101
    return found


@pages.get("/facts")
def facts() -> Response:
    """What the agent has to know, and the reference under which it may send its report here."""
    conversation = request.args.get("conversation", "")
    talk().last(actor(), conversation)  # NotFoundError for somebody else's
    reference = _signer().dumps([conversation, actor().id])
    return jsonify(
        agent=AGENT, region=actor().region, facts=dict(talk().desk_facts(opened())), reference=reference
    )


@pages.post("/report")
@limiter.limit("20 per minute", key_func=account_or_address)
def report() -> str:
    """What the page saw of its browser and, where it is paired, of the desk: answered in the conversation."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("conversation"), str):
        raise InvalidError("检测结果读不懂，请刷新网页后再试", fields={"report": "格式不对"})
    conversation = body["conversation"]
    seen = browser.read(body.get("page"))
    found = desk_reports.read(actor().region, body["report"]) if body.get("report") is not None else None
    replies = talk().examined(opened(), conversation, found, seen)
    if found is not None:
        _store().keep(conversation, actor().id, "page", found, system().clock())
    last = talk().last(actor(), conversation)
    said = Said("", replies, last)
    return render_template(
        "_examined.html", said=said, cursor=last, conversation=conversation, narrow=drawing.narrow
    )


@pages.get("/zhenduan.pyz")
def download() -> Response:
    """The desk's checks in one file for any Python."""
    return downloads.file(_built(), "zhenduan.pyz", "application/octet-stream")


@lru_cache(maxsize=1)
def _built() -> bytes:
    with TemporaryDirectory() as folder:
        target = Path(folder) / "zhenduan.pyz"
        build.build(target)
        return target.read_bytes()


@uploads.post("")
@limiter.limit("20 per minute")
def upload() -> Response:
    """The agent's own way: the signed reference, got at pairing, says whose conversation it is."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or body.get("format") != agent.FORMAT:
        raise InvalidError("检测报告读不懂，没有采用", fields={"report": "格式不对"})
    try:
        named = _signer().loads(str(body.get("reference", "")), max_age=REFERENCE_SECONDS)
        conversation, account_id = str(named[0]), int(named[1])
    except (BadSignature, ValueError, TypeError, LookupError) as error:
        raise AuthenticationError("配对已过期，请在网页上重新配对", code="not_paired") from error
    account = accounts.account(system(), account_id)
    found = desk_reports.read(account.region, body.get("report"))
    _store().keep(conversation, account.id, "agent", found, system().clock())
    return jsonify(kept=True)

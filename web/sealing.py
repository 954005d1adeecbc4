"""Signing the filing certificate: choosing the seal, the PIN, the PDF."""

from uuid import uuid4

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from core.domain.errors import DomainError, InvalidError
from core.service import documents, sealing
from web import downloads
from web.documents import key, version
from web.errors import status_and_title
from web.parts import system
from web.security import actor, limiter, require_session

pages = Blueprint("sealing", __name__)
pages.before_request(require_session)


def _form(number: str, error: DomainError | None = None) -> str:
    view = documents.get(system(), actor(), number)
    here = view.document.node
    action = view.process.signing(here)
    return render_template(
        "sign.html",
        view=view,
        document=view.document,
        action=action.id if action else request.form.get("action", "sign"),
        paper=view.process.words.get("certificate", "备案书"),
        again=bool(view.certificate and action and action.routes[here] == here),
        seals=sealing.seals(system(), actor()),
        chosen=request.form.get("seal", ""),
        error=error,
        key=uuid4().hex,  # a new one each time: a wrong PIN is never sent twice
    )


@pages.get("/documents/<number>/sign")
def choose(number: str) -> str:
    """The seals of the unit's key and a field for the PIN."""
    return _form(number)


@pages.post("/documents/<number>/sign")
@limiter.limit("6 per minute")
def sign(number: str) -> AnyResponse | tuple[str, int]:
    """Sign once. The PIN is passed on, never kept, logged or shown again."""
    seal, pin = request.form.get("seal", ""), request.form.get("pin", "")
    try:
        if not seal or not pin:
            missing = {
                name: text
                for name, text, value in (("seal", "请选择印章", seal), ("pin", "请输入 PIN", pin))
                if not value
            }
            raise InvalidError("；".join(missing.values()), fields=missing)
        action = request.form.get("action", "sign")
        result = sealing.sign(
            system(), actor(), number, version=version(), seal=seal, pin=pin, key=key(), action=action
        )
    except DomainError as error:
        return _form(number, error), status_and_title(error)[0]
    flash(result.said)
    return redirect(url_for("documents.page", number=number), 303)


@pages.get("/documents/<number>/certificate")
def certificate(number: str) -> Response:
    """The signed PDF."""
    name, content = sealing.certificate(system(), actor(), number)
    return downloads.file(content, name, downloads.PDF)

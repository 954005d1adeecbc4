"""On the page of a document: handing the task over, asking, adding signers, answering, taking back."""

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from core.domain.approval import Kind
from core.domain.errors import DomainError, InvalidError
from core.service import assigning
from core.service.assigning import Wish
from core.service.views import ActResult
from web.documents import key, page_of, version
from web.errors import status_and_title
from web.parts import system
from web.security import actor, require_session

pages = Blueprint("approvals", __name__)
pages.before_request(require_session)


def _wish() -> Wish:
    """What accompanies every form here."""
    return Wish(version(), key(), request.form.get("note", "").strip())


def _kind() -> Kind:
    try:
        return Kind(request.form.get("kind", ""))
    except ValueError as error:
        raise InvalidError("请选要怎么办", fields={"kind": "转办、委派、前加签或后加签"}) from error


@pages.post("/documents/<number>/assignments")
def assign(number: str) -> Response | tuple[str, int]:
    """Hand over, ask, or add a signer."""
    kind = request.form.get("kind", "")
    try:
        to = request.form.get("to", type=int)
        if to is None:
            raise InvalidError("请选交给谁", fields={"to": "请选择"})
        result = assigning.assign(system(), actor(), number, _kind(), to, _wish())
    except DomainError as error:
        return page_of(number, error=error, action=f"assign-{kind}"), status_and_title(error)[0]
    return _done(number, result)


@pages.post("/documents/<number>/assignments/<int:assignment>/answer")
def answer(number: str, assignment: int) -> Response | tuple[str, int]:
    """Say what one was asked for."""
    agrees = request.form.get("agrees") == "yes"
    try:
        result = assigning.answer(system(), actor(), number, assignment, _wish(), agrees=agrees)
    except DomainError as error:
        return page_of(number, error=error, action=f"answer-{assignment}"), status_and_title(error)[0]
    return _done(number, result)


@pages.post("/documents/<number>/assignments/<int:assignment>/back")
def back(number: str, assignment: int) -> Response | tuple[str, int]:
    """Take back what one asked, added or voted."""
    try:
        result = assigning.take_back(system(), actor(), number, assignment, _wish())
    except DomainError as error:
        return page_of(number, error=error, action="back"), status_and_title(error)[0]
    return _done(number, result)


def _done(number: str, result: ActResult) -> Response:
    flash(result.said)
    return redirect(url_for("documents.page", number=number), 303)

"""Signing in and out."""

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask import session as browser_session
from werkzeug.wrappers import Response

from core.domain.errors import AuthenticationError
from core.service import accounts
from web.entrance import code_form
from web.errors import status_and_title
from web.parts import system
from web.security import TOKEN, device, limiter, signed_in

pages = Blueprint("session", __name__)


def local(address: str | None) -> str:
    """`address` if it is a path of this site, else the start page: a link must not lead elsewhere."""
    parts = urlsplit(address or "")
    plain = bool(address) and not parts.scheme and not parts.netloc and "\\" not in str(address)
    return str(address) if plain and str(address).startswith("/") else url_for("chat.home")


@pages.get("/signin")
def sign_in_page() -> str | Response:
    """The form; who is signed in already goes on."""
    if signed_in() and not request.args.get("tab"):
        return redirect(local(request.args.get("next")))
    return render_template(
        "signin.html", next=request.args.get("next", ""), expired="expired" in request.args
    )


@pages.post("/signin")
@limiter.limit("20 per minute")
def sign_in() -> Response | tuple[str, int]:
    """Open a server-side session; what went wrong is said on the form."""
    login, password = request.form.get("login", "").strip(), request.form.get("password", "")
    try:
        opened = accounts.sign_in(system(), login, password, device=device())
    except AuthenticationError as error:
        status, title = status_and_title(error)
        if error.code == "code_needed":
            to = url_for(".signed_in_tab") if request.form.get("tab") else local(request.form.get("next"))
            return code_form(str(error.fields["ticket"]), to), status
        page = render_template(
            "signin.html", next=request.form.get("next", ""), login=login, error=error, title=title
        )
        return page, status
    browser_session[TOKEN] = opened.token
    if request.form.get("tab"):
        return redirect(url_for("session.signed_in_tab"))
    return redirect(local(request.form.get("next")), 303)


@pages.get("/signin/done")
def signed_in_tab() -> str:
    """Signed in beside an open form: this tab can be closed."""
    return render_template("signin_done.html")


@pages.post("/signout")
def sign_out() -> Response:
    """End the session on the server, too."""
    token = browser_session.pop(TOKEN, None)
    if token:
        accounts.sign_out(system(), token)
    return redirect(url_for("session.sign_in_page"), 303)

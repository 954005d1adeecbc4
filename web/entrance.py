"""Other ways in: by certificate (ah-2.2, nm-6), the second step with a code, and by invitation (sx-phone)."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as browser_session
from werkzeug.wrappers import Response

from core.domain.accounts import Session
from core.domain.errors import DomainError, InvalidError
from core.service import certificates, challenges, second_factor, staff
from web.account import Answer, field
from web.errors import status_and_title
from web.parts import system
from web.security import TOKEN, device, limiter

pages = Blueprint("entrance", __name__)


def let_in(session: Session, to: str) -> Response:
    """Keep the token in the browser's cookie and go on."""
    browser_session[TOKEN] = session.token
    return redirect(to, 303)


def code_form(ticket: str, to: str, error: DomainError | None = None) -> str:
    """The field for the code of the app."""
    return render_template("signin_code.html", ticket=ticket, next=to, error=error)


def _to() -> str:
    from web.session import local

    return local(request.values.get("next"))


def _certificate(error: DomainError | None = None) -> str:
    return render_template(
        "signin_certificate.html", challenge=challenges.issue(system(), "sign_in"), next=_to(), error=error
    )


@pages.get("/signin/certificate")
@limiter.limit("20 per minute")
def certificate_page() -> str:
    """A fresh text to sign, and where to paste the signature."""
    return _certificate()


@pages.post("/signin/certificate")
@limiter.limit("20 per minute")
def by_certificate() -> Answer:
    """Signed in, or led to the code, or (an unbound certificate) to the binding, without signing again."""
    try:
        session = certificates.sign_in(
            system(), request.form.get("challenge", ""), request.form.get("proof", ""), login=field("login"),
            device=device(),
        )  # fmt: skip
    except DomainError as error:
        status = status_and_title(error)[0]
        if error.code == "code_needed":
            return code_form(str(error.fields["ticket"]), _to()), status
        if error.code == "certificate_unbound" and "ticket" in error.fields:
            return _bind(
                str(error.fields["ticket"]), str(error.fields["owner"]), notice=error.message
            ), status
        return _certificate(error), status
    return let_in(session, _to())


def _bind(ticket: str, owner: str, *, notice: str = "", error: DomainError | None = None) -> str:
    return render_template(
        "signin_bind.html", ticket=ticket, owner=owner, notice=notice, error=error, login=field("login")
    )


@pages.post("/signin/bind")
@limiter.limit("20 per minute")
def bind() -> Answer:
    """Bind the certificate that was just shown (nm-6, the first way); then it signs in."""
    ticket, form = field("ticket"), request.form
    try:
        bound = certificates.bind(system(), field("login"), form.get("password", ""), ticket=ticket)
    except DomainError as error:
        return _bind(ticket, field("owner"), error=error), status_and_title(error)[0]
    flash(f"已绑定到账号 {bound.login}，请再签一次登录")
    return redirect(url_for("entrance.certificate_page"), 303)


@pages.post("/signin/code")
@limiter.limit("20 per minute")
def code() -> Answer:
    """The second step."""
    try:
        session = second_factor.confirm(system(), field("ticket"), field("code"))
    except DomainError as error:
        return code_form(field("ticket"), _to(), error), status_and_title(error)[0]
    return let_in(session, _to())


@pages.get("/join")
def join_page() -> str:
    """For who was invited."""
    return render_template("join.html")


@pages.post("/join")
@limiter.limit("10 per minute")
def join() -> Answer:
    """Join with code and phone; the new account number is said."""
    try:
        new = request.form.get("new_password", "")
        if new != request.form.get("again", ""):
            raise InvalidError("两次输入的密码不一样", fields={"again": "和上面的不一样"})
        joined = staff.accept(system(), field("code"), field("phone"), new)
    except DomainError as error:
        return render_template("join.html", error=error, phone=field("phone")), status_and_title(error)[0]
    return render_template("join.html", joined=joined), 201

"""My account: numbers, certificates, sessions, password, second factor, deputies."""

from collections.abc import Callable
from datetime import date
from typing import Any

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as browser_session
from markupsafe import Markup
from werkzeug.wrappers import Response

from core.domain.errors import DomainError, InvalidError
from core.service import accounts, certificates, challenges, deputies, second_factor, staff
from web import numbers
from web.errors import status_and_title
from web.parts import system
from web.security import TOKEN, actor, limiter, opened, require_session

pages = Blueprint("account", __name__, url_prefix="/account")
pages.before_request(require_session)

Answer = Response | tuple[str, int]


def _page(section: str = "", error: DomainError | None = None) -> str:
    """The whole page; `error` is said in its section."""
    core, session = system(), opened()
    me = accounts.account(core, session.account.id)
    return render_template(
        "account.html",
        me=me,
        session=session,
        numbers=accounts.numbers(core, me),
        phone=staff.phone_of(core, me),
        bindings=certificates.mine(core, me),
        sessions=accounts.sessions(core, session),
        factor=second_factor.status(core, me),
        appointments=deputies.listing(core, me),
        colleagues=[one for one in accounts.colleagues(core, me) if one.id != me.id],
        today=core.today,
        section=section,
        error=error,
        typed=request.form,
    )


def _carry_out(section: str, act: Callable[[], str]) -> Answer:
    """Do it and say so, or say in its section why not."""
    try:
        said = act()
    except DomainError as error:
        return _page(section, error), status_and_title(error)[0]
    flash(said)
    return redirect(url_for("account.home", _anchor=section), 303)


def field(name: str) -> str:
    """A field of the form without blanks around it."""
    return request.form.get(name, "").strip()


def day(name: str) -> date:
    """A date of the form."""
    try:
        return date.fromisoformat(field(name))
    except ValueError as error:
        raise InvalidError("日期要写成 2026-01-31 这样", fields={name: "日期不对"}) from error


def _twice() -> str:
    """A new password, typed twice alike."""
    new = request.form.get("new_password", "")
    if new != request.form.get("again", ""):
        raise InvalidError("两次输入的新密码不一样", fields={"again": "和上面的不一样"})
    return new


@pages.get("")
def home() -> str:
    """Everything about the account."""
    return _page()


@pages.post("/phone")
@limiter.limit("10 per minute")
def phone() -> Answer:
    """Register a number at the first sign-in."""

    def act() -> str:
        staff.register_phone(system(), actor(), field("phone"))
        return "手机号已登记"

    return _carry_out("numbers", act)


@pages.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Answer:
    """End one of one's sessions."""

    def act() -> str:
        accounts.end_session(system(), actor(), session_id)
        return "已退出那一处登录"

    return _carry_out("sessions", act)


@pages.post("/password")
@limiter.limit("10 per minute")
def password() -> Answer:
    """A new password; everyone signs in anew."""
    try:
        accounts.change_password(system(), actor(), request.form.get("password", ""), _twice())
    except DomainError as error:
        return _page("password", error), status_and_title(error)[0]
    browser_session.pop(TOKEN, None)
    flash("密码已修改，所有地方都已退出，请用新密码登录")
    return redirect(url_for("session.sign_in_page"), 303)


# ── certificates ─────────────────────────────────────────────────────────


def _binding(error: DomainError | None = None) -> str:
    return render_template(
        "account_bind.html",
        challenge=challenges.issue(system(), "bind"),
        token=actor().unit.token_label,
        error=error,
    )


@pages.get("/certificates/bind")
@limiter.limit("20 per minute")
def binding() -> str:
    """A fresh text to sign, and where to paste the signature (nm-6, the second way)."""
    return _binding()


@pages.post("/certificates/bind")
@limiter.limit("20 per minute")
def bind() -> Answer:
    """Bind to the own account; what went wrong is said beside a fresh text, for each is used once."""
    form = request.form
    try:
        bound = certificates.bind(
            system(), actor().login, form.get("password", ""), challenge=form.get("challenge", ""),
            proof=form.get("proof", ""), actor=actor(),
        )  # fmt: skip
    except DomainError as error:
        return _binding(error), status_and_title(error)[0]
    flash(f"已绑定“{bound.certificate.owner}”，以后可以用它登录")
    return redirect(url_for("account.home", _anchor="certificates"), 303)


@pages.post("/certificates/<serial>/unbind")
@limiter.limit("20 per minute")
def unbind(serial: str) -> Answer:
    """Undo a binding (nm-7)."""

    def act() -> str:
        gone = certificates.unbind(system(), opened(), serial, password=request.form.get("password", ""))
        return f"已解绑“{gone.certificate.owner}”。要绑到别的账号，请退出后用 CA 登录，再填正确的账号"

    return _carry_out("certificates", act)


# ── second factor ────────────────────────────────────────────────────────


def qr(address: str) -> Markup:
    """The address as an inline picture; segno writes plain attributes, no styles."""
    drawn = segno.make(address, error="m").svg_inline(scale=5, border=2, svgclass="qr")
    return Markup(drawn.replace("<svg ", '<svg role="img" aria-label="动态口令二维码" ', 1))  # noqa: S704 - no user's text


def _enrolment(error: DomainError | None = None, codes: list[str] | None = None) -> str:
    waiting = second_factor.pending(system(), actor())
    drawn: dict[str, Any] = {"picture": qr(waiting.address), "secret": waiting.secret} if waiting else {}
    return render_template("account_factor.html", error=error, codes=codes, **drawn)


@pages.post("/second-factor")
@limiter.limit("10 per minute")
def begin_factor() -> Answer:
    """A fresh secret, to be scanned on the next page."""
    try:
        second_factor.begin(system(), actor(), request.form.get("password", ""))
    except DomainError as error:
        return _page("factor", error), status_and_title(error)[0]
    return redirect(url_for("account.factor"), 303)


@pages.get("/second-factor")
def factor() -> str:
    """The picture to scan and a field for the first code."""
    return _enrolment()


@pages.post("/second-factor/enrol")
@limiter.limit("10 per minute")
def enrol() -> Answer:
    """Switch it on; the recovery codes are shown this once."""
    try:
        codes = second_factor.enrol(system(), actor(), field("code"))
    except DomainError as error:
        return _enrolment(error), status_and_title(error)[0]
    return _enrolment(codes=codes), 200


@pages.post("/second-factor/end")
@limiter.limit("10 per minute")
def end_factor() -> Answer:
    """Switch it off."""

    def act() -> str:
        second_factor.switch_off(system(), actor(), request.form.get("password", ""), field("code"))
        return "动态口令已停用"

    return _carry_out("factor", act)


# ── deputies ─────────────────────────────────────────────────────────────


@pages.post("/deputies")
def appoint() -> Answer:
    """Let a colleague stand in."""

    def act() -> str:
        made = deputies.appoint(system(), actor(), field("deputy"), day("since"), day("until"))
        return f"已请{made.deputy.name}在 {made.since} 至 {made.until} 代您办理"

    return _carry_out("deputies", act)


@pages.post("/deputies/<int:number>/end")
def end_deputy(number: int) -> Answer:
    """End it now."""

    def act() -> str:
        deputies.end(system(), actor(), number)
        return "代办已结束"

    return _carry_out("deputies", act)


@pages.post("/acting")
def act_for() -> Answer:
    """Work for somebody in this session, or as oneself again."""

    def act() -> str:
        session = deputies.act_for(system(), opened(), numbers.posted("deputy"))
        who = session.account
        return f"现在代{who.acts_for}办理，每一步都会记下是您代办" if who.acts_for else "已换回自己的身份"

    return _carry_out("deputies", act)

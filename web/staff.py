"""Staff of a unit for its administrator: members, invitations, units below."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.domain.accounts import Role
from core.domain.errors import DomainError, InvalidError
from core.service import staff
from core.service.staff import Invited
from web.account import Answer, field
from web.errors import status_and_title
from web.parts import system
from web.security import actor, limiter, require_session

pages = Blueprint("staff", __name__, url_prefix="/staff")
pages.before_request(require_session)


def _page(error: DomainError | None = None, made: Invited | None = None) -> str:
    core, me = system(), actor()
    return render_template(
        "staff.html",
        members=staff.members(core, me),
        invitations=staff.invitations(core, me),
        units=staff.units(core, me),
        roles=staff.roles(core, me, me.unit),
        mask=staff.masked_phone,
        now=core.clock(),
        error=error,
        made=made,
        typed=request.form if error else {},
    )


def _carry_out(act: Callable[[], None], said: str) -> Response | tuple[str, int]:
    try:
        act()
    except DomainError as error:
        return _page(error), status_and_title(error)[0]
    flash(said)
    return redirect(url_for("staff.home"), 303)


@pages.get("")
def home() -> str:
    """Members, invitations, units below."""
    return _page()


@pages.post("/invitations")
@limiter.limit("30 per minute")
def invite() -> Answer:
    """Invite by phone; the code is shown this once."""
    try:
        chosen = field("role")
        if chosen not in set(Role):
            raise InvalidError("请选择职责", fields={"role": "请选择"})
        made = staff.invite(system(), actor(), phone=field("phone"), name=field("name"), role=Role(chosen))
    except DomainError as error:
        return _page(error), status_and_title(error)[0]
    return _page(made=made), 201


@pages.post("/invitations/<int:number>/withdraw")
def withdraw(number: int) -> Answer:
    """Take an invitation back."""
    return _carry_out(lambda: staff.withdraw(system(), actor(), number), "邀请已撤回")


@pages.post("/<login>/suspend")
def suspend(login: str) -> Answer:
    """Let nobody in under this account."""
    return _carry_out(lambda: staff.suspend(system(), actor(), login), "账号已停用")


@pages.post("/<login>/resume")
def resume(login: str) -> Answer:
    """Let it in again."""
    return _carry_out(lambda: staff.resume(system(), actor(), login), "账号已恢复")

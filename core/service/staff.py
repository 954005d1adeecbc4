"""People of a unit: the first one registers a new number, others are invited by phone (sx-phone); units as a tree."""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from core.domain.accounts import BUYERS, ROLE_LABELS, Account, Role, Unit
from core.domain.errors import BlockedError, ForbiddenError, InvalidError, NotFoundError
from core.domain.rights import Capability
from core.service import accounts, acting, rights, standings
from core.service.identity_ports import Invitation, Member
from core.service.ports import Transaction
from core.service.system import System

_PHONE = re.compile(r"1[3-9][0-9]{9}\Z")
_NAME_LIMIT = 50
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_CODE_LENGTH = 12
_LAST_SUFFIX = 99
# Nobody is invited to be the platform itself.
_NEVER = frozenset({Role.INTEGRATION})


@dataclass(frozen=True)
class Invited:
    """A new invitation; `code` is shown this once and handed over by whoever invites."""

    invitation: Invitation
    code: str


def phone_number(text: str) -> str:
    """Eleven digits, without spaces and country code. InvalidError otherwise."""
    plain = re.sub(r"[\s-]", "", text).removeprefix("+86")
    if not _PHONE.match(plain):
        raise InvalidError("手机号是 11 位数字，以 1 开头", code="phone", fields={"phone": "手机号不对"})
    return plain


def masked_phone(phone: str) -> str:
    """`13812345678` → `138****5678`."""
    return f"{phone[:3]}****{phone[-4:]}" if _PHONE.match(phone) else ""


def register_phone(system: System, actor: Account, phone: str) -> None:
    """At the first sign-in: a number that nobody has registered becomes the account's own (sx-phone).

    BlockedError phone_registered says what to do with a registered one, phone_set that there is a number already.
    """
    acting.refuse_deputies(actor)
    number, now = phone_number(phone), system.clock()
    with system.database.write() as tx:
        if tx.staff.member(actor.id).phone:
            raise BlockedError("这个账号已经登记过手机号", code="phone_set")
        if tx.staff.phone_known(number) or not tx.staff.register_phone(number, actor.id, now):
            raise BlockedError(
                f"手机号 {masked_phone(number)} 已经注册过。首次登录的管理员要用没有注册过的手机号；"
                "已注册的号请由本单位管理员在“员工管理”里邀请",
                code="phone_registered",
                fields={"phone": "已经注册过"},
            )
        tx.staff.set_phone(actor.id, number)
        body = {"phone": masked_phone(number)}
        tx.records.audit(actor.region, now, actor.login, "phone_register", actor.login, body)


def phone_of(system: System, actor: Account) -> str:
    """The account's number, masked; empty without one."""
    with system.database.read() as tx:
        return masked_phone(tx.staff.member(actor.id).phone)


def units(system: System, actor: Account) -> list[tuple[int, Unit]]:
    """(depth, unit) of the actor's unit and all below it, each below its parent."""
    with system.database.read() as tx:
        return tx.staff.tree(actor.unit.id)


def roles(system: System, actor: Account, unit: Unit) -> list[Role]:
    """Roles that the actor may invite into a unit: those its accounts have, for a buyer 01 and 02."""
    with system.database.read() as tx:
        return _roles(tx, actor, unit)


def _roles(tx: Transaction, actor: Account, unit: Unit) -> list[Role]:
    present = {member.account.role for member in tx.staff.members(unit.id)}
    if not present or present.intersection(BUYERS):
        present.update(BUYERS)
    # only an administrator makes administrators and support staff
    kept = _NEVER if actor.role is Role.ADMIN else _NEVER | {Role.ADMIN, Role.SUPPORT}
    return [role for role in Role if role in present - kept]


def _managed(system: System, tx: Transaction, actor: Account, unit_id: int | None) -> Unit:
    """The unit, if the actor administers it: its own, or (manage_accounts) any of its region."""
    if unit_id is None or unit_id == actor.unit.id:
        rights.require(system, actor, Capability.MANAGE_STAFF)
        return actor.unit
    rights.require(system, actor, Capability.MANAGE_ACCOUNTS)
    top = tx.staff.tree(unit_id)
    if not top or top[0][1].region != actor.region:
        raise NotFoundError("没有这个单位", fields={"unit": "没有找到"})
    return top[0][1]


def members(system: System, actor: Account, unit_id: int | None = None) -> list[Member]:
    """Accounts of a unit that the actor administers; phones are masked."""
    with system.database.read() as tx:
        found = tx.staff.members(_managed(system, tx, actor, unit_id).id)
    return [Member(one.account, masked_phone(one.phone), one.active, one.locked_until) for one in found]


def invitations(system: System, actor: Account, unit_id: int | None = None) -> list[Invitation]:
    """Invitations of a unit that the actor administers, the newest first."""
    with system.database.read() as tx:
        return tx.staff.invitations(_managed(system, tx, actor, unit_id).id)


def invite(
    system: System, actor: Account, *, phone: str, name: str, role: Role, unit_id: int | None = None
) -> Invited:
    """Invite by phone, whether the number is registered or not. Errors: ForbiddenError, InvalidError."""
    acting.refuse_deputies(actor)
    number, person, now = phone_number(phone), name.strip(), system.clock()
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    with system.database.write() as tx:
        unit = _managed(system, tx, actor, unit_id)
        wrong: dict[str, object] = {}
        if not 0 < len(person) <= _NAME_LIMIT:
            wrong["name"] = f"请填姓名，不超过 {_NAME_LIMIT} 字"
        possible = _roles(tx, actor, unit)
        if role not in possible:
            labels = "、".join(ROLE_LABELS[one] for one in possible)
            wrong["role"] = f"{unit.name}可以邀请的是：{labels}"
        if any(one.phone == number and one.account.role is role for one in tx.staff.members(unit.id)):
            wrong["phone"] = "这个手机号在本单位已有相同职责的账号"
        if wrong:
            raise InvalidError("；".join(str(text) for text in wrong.values()), fields=wrong)
        made = tx.staff.invite({
            "unit_id": unit.id, "role": role.value, "name": person, "phone": number,
            "code_hash": accounts.digest(code), "invited_by": actor.id, "created_at": now,
            "expires_at": now + timedelta(seconds=system.rules.invitation_seconds),
        })  # fmt: skip
        invitation = tx.staff.invitation_by_id(made)
        assert invitation is not None, "just made"  # noqa: S101
        body = {"unit": unit.code, "role": role.value, "phone": masked_phone(number)}
        tx.records.audit(actor.region, now, actor.login, "staff_invite", f"invitation {made}", body)
    return Invited(invitation, code)


def withdraw(system: System, actor: Account, invitation_id: int) -> None:
    """Take an open invitation back. NotFoundError, BlockedError invitation_closed."""
    with system.database.write() as tx:
        found = tx.staff.invitation_by_id(invitation_id)
        if found is None or found.unit.region != actor.region:
            raise NotFoundError("没有这个邀请", fields={"invitation": "没有找到"})
        _managed(system, tx, actor, found.unit.id)
        if not tx.staff.close_invitation(invitation_id, "withdrawn"):
            raise BlockedError("这个邀请已经用过或撤回了", code="invitation_closed")
        tx.records.audit(
            actor.region, system.clock(), actor.login, "staff_withdraw", f"invitation {invitation_id}", {}
        )


def accept(system: System, code: str, phone: str, password: str) -> Account:
    """Join with the code that the administrator gave: a new account, whose number is in the result.

    A number that is registered elsewhere is welcome here. InvalidError invitation_wrong (the same for a wrong code and
    a wrong phone), weak_password.
    """
    number, now = phone_number(phone), system.clock()
    with system.database.read() as tx:
        found = tx.staff.invitation(accounts.digest(_plain(code)))
    if found is None or found.phone != number or found.state != "open" or found.expires_at <= now:
        raise InvalidError(
            "邀请码不对、已用过或过期了，或手机号不是被邀请的那个，请向本单位管理员核对",
            code="invitation_wrong",
            fields={"code": "核对邀请码和手机号"},
        )
    accounts.check_new(password, number, found.name)
    hashed = system.hasher.hash(password)
    with system.database.write() as tx:
        tx.staff.lock_unit(found.unit.id)  # numbers are given out one after the other
        known = tx.staff.phone_known(number)
        login = _next_login(tx, found.unit)
        made = tx.accounts.add_account({
            "login": login, "name": found.name, "phone": number, "role": found.role.value,
            "unit_id": found.unit.id, "password_hash": hashed,
        })  # fmt: skip
        if not tx.staff.close_invitation(found.id, "accepted", made):
            raise BlockedError("这个邀请刚刚已经用过了", code="invitation_closed")
        if not known:
            tx.staff.register_phone(number, made, now)
        body = {"invitation": found.id, "role": found.role.value}
        tx.records.audit(found.unit.region, now, login, "staff_join", login, body)
        tx.records.notify([found.invited_by], "", f"{found.name}已接受邀请，账号是 {login}", now)
        return tx.accounts.account(made)


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())


def _next_login(tx: Transaction, unit: Unit) -> str:
    """01 and 02 belong to the unit's handler and head (nm-5); who joins gets the next free number after them."""
    beginning = f"{unit.division}{unit.code}"
    taken = tx.staff.logins_like(beginning)
    for suffix in range(3, _LAST_SUFFIX + 1):
        if (login := f"{beginning}{suffix:02d}") not in taken:
            return login
    raise BlockedError(f"{unit.name}的账号已经用满，请联系平台", code="unit_full")


def suspend(system: System, actor: Account, login: str) -> None:
    """Let nobody in under this account until it is resumed; its sessions end. Errors as `resume`."""
    _switch(system, actor, login, active=False)


def resume(system: System, actor: Account, login: str) -> None:
    """Let it in again. NotFoundError for accounts of others, ForbiddenError for oneself, BlockedError unchanged."""
    _switch(system, actor, login, active=True)


def _switch(system: System, actor: Account, login: str, *, active: bool) -> None:
    acting.refuse_deputies(actor)
    with system.database.write() as tx:
        known = tx.accounts.credentials(login.strip(), lock=True)
        if known is None or not acting.manages(system, actor, known.account):
            raise NotFoundError("没有这个账号，或不归您管理", fields={"login": "没有找到"})
        if known.account.id == actor.id or known.account.role in _NEVER:
            raise ForbiddenError("不能停用自己的账号和系统账号")
        if not tx.staff.set_active(known.account.id, active=active):
            raise BlockedError("这个账号已经是这样了", code="unchanged")
        if not active:
            tx.accounts.end_sessions(known.account.id)
            tx.identities.forget_one_time(account_id=known.account.id)
            standings.refresh(system, tx, known.account.id)
        act = "staff_resume" if active else "staff_suspend"
        tx.records.audit(actor.region, system.clock(), actor.login, act, known.account.login, {})

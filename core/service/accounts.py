"""Sign-in, sessions, passwords, and who belongs to a unit. Certificates: `certificates`; codes: `second_factor`."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from core.domain.accounts import BUYERS, ROLE_LABELS, Account, Session, account_number
from core.domain.errors import AuthenticationError, InvalidError, NotFoundError
from core.domain.passwords import weaknesses
from core.service import acting
from core.service.ports import Credentials, Transaction
from core.service.system import System

_WRONG = "账号或密码不对。单位账号是区划编码+预算编码+01（经办）或 02（负责人）"
_LONGEST_PASSWORD = 200
_LONGEST_DEVICE = 120
METHODS = {"password": "密码", "certificate": "CA 证书"}
SECOND_FACTOR = "second_factor"  # purpose of the ticket between password and code


@dataclass(frozen=True)
class SessionView:
    """A session as its owner sees it; `id` names it and opens nothing."""

    id: str
    method: str
    device: str
    created_at: datetime
    expires_at: datetime
    current: bool


@dataclass(frozen=True)
class Number:
    """An account number of a unit: the label of its role, and who has it (empty: nobody yet)."""

    role: str
    login: str
    name: str


def digest(token: str) -> str:
    """What the store keeps of something secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in(system: System, login: str, password: str, *, device: str = "") -> Session:
    """Open a session. Source nm-5.

    AuthenticationError codes: wrong_password, locked (fields: minutes), suspended, code_needed (fields: ticket, for
    `second_factor.confirm`).
    """
    known = authenticate(system, login, password)
    return admit(system, known, method="password", device=device)


def authenticate(system: System, login: str, password: str) -> Credentials:
    """Whose password this is; failures are counted and lock. AuthenticationError codes as `sign_in`."""
    with system.database.read() as tx:
        found = tx.accounts.credentials(login.strip())
    if found is None:
        system.hasher.verify(None, password)  # takes as long as a wrong password
        raise AuthenticationError(_WRONG, code="wrong_password")
    refuse_locked(system, found)
    if not system.hasher.verify(found.password_hash, password):
        count_failure(system, found)
        raise AuthenticationError(_WRONG, code="wrong_password")
    return found


def refuse_locked(system: System, known: Credentials) -> None:
    """AuthenticationError `locked` while the account is."""
    now = system.clock()
    if known.locked_until and known.locked_until > now:
        minutes = ceil((known.locked_until - now).total_seconds() / 60)
        raise AuthenticationError(
            f"密码连续输错，账号已锁定，请 {minutes} 分钟后再试", code="locked", fields={"minutes": minutes}
        )


def count_failure(system: System, known: Credentials) -> None:
    """One more wrong password or code; the last one that is allowed locks."""
    now = system.clock()
    account = known.account
    with system.database.write() as tx:
        # others may have failed at the same time
        fresh = tx.accounts.credentials(account.login, lock=True) or known
        failures = fresh.failures + 1
        locked = failures >= system.rules.failures_before_lock
        until = now + timedelta(seconds=system.rules.lock_seconds) if locked else None
        tx.accounts.record_failure(account.id, 0 if locked else failures, until)
        act = "locked" if locked else "sign_in_failed"
        tx.records.audit(account.region, now, account.login, act, account.login, {})


def admit(
    system: System, known: Credentials, *, method: str, certificate: str = "", device: str = ""
) -> Session:
    """A session for who has proven to be `known`, or code_needed with a ticket where a second factor is enrolled."""
    with system.database.write() as tx:
        fresh = tx.accounts.credentials(known.account.login, lock=True)
        # between the check and now the password may have been changed, the account suspended
        if fresh is None or fresh.password_hash != known.password_hash:
            raise AuthenticationError(_WRONG, code="wrong_password")
        _refuse_suspended(fresh)
        bound = tx.identities.binding(certificate) if certificate else None
        if certificate and (bound is None or bound.account_id != fresh.account.id):
            raise AuthenticationError("这张证书刚刚解绑了", code="certificate_unbound")
        factor = tx.identities.factor(known.account.id)
        if factor is None or not factor.enrolled:
            return open_session(system, tx, fresh, method=method, certificate=certificate, device=device)
        ticket = issue(system, tx, SECOND_FACTOR, known.account.id, {
            "method": method, "certificate": certificate, "device": device,
        })  # fmt: skip
    raise AuthenticationError(
        "请再输入手机上动态口令应用里的 6 位数字", code="code_needed", fields={"ticket": ticket}
    )


def issue(
    system: System, tx: Transaction, purpose: str, account_id: int | None, body: dict[str, object]
) -> str:
    """A ticket that opens the next step, for a few minutes."""
    now = system.clock()
    tx.identities.forget_one_time(before=now)
    ticket = secrets.token_urlsafe(32)
    expires = now + timedelta(seconds=system.rules.ticket_seconds)
    tx.identities.issue(digest(ticket), purpose, account_id, body, expires)
    return ticket


def _refuse_suspended(known: Credentials) -> None:
    if not known.active:
        raise AuthenticationError("这个账号已停用，请联系本单位的管理员", code="suspended")


def open_session(
    system: System, tx: Transaction, known: Credentials, *, method: str, certificate: str, device: str
) -> Session:
    """A session; only for who has proven everything that is asked of it."""
    now = system.clock()
    token, expires = secrets.token_urlsafe(32), now + system.rules.session
    account = replace(known.account, by_key=bool(certificate))
    if known.failures:
        tx.accounts.record_failure(account.id, 0, None)
    tx.accounts.add_session(
        digest(token), account.id, now, expires, method=method, certificate=certificate,
        device=device[:_LONGEST_DEVICE],
    )  # fmt: skip
    body = {"method": method, **({"certificate": certificate} if certificate else {})}
    tx.records.audit(account.region, now, account.login, "sign_in", account.login, body)
    return Session(token, account, expires, certificate)


def session(system: System, token: str) -> Session:
    """Whose token this is; a deputy at work has the other's role.

    AuthenticationError codes: not_signed_in, session_expired (nm-13).
    """
    with system.database.read() as tx:
        found = tx.accounts.session(digest(token))
        if found is None:
            raise AuthenticationError("请先登录", code="not_signed_in")
        account = acting.at_work(system, tx, found.account, found.deputy_id)
    if found.expires_at <= system.clock():
        raise AuthenticationError(
            "登录时间太久，已经过期。请另开一个页面登录，再回到这里重新提交，填好的内容不会丢",
            code="session_expired",
        )
    account = replace(account, by_key=bool(found.certificate))
    return Session(token, account, found.expires_at, found.certificate)


def sign_out(system: System, token: str) -> None:
    """End a session; nothing happens for an unknown one."""
    with system.database.write() as tx:
        tx.accounts.end_session(digest(token))


def sessions(system: System, opened: Session) -> list[SessionView]:
    """The owner's sessions, the newest first."""
    with system.database.read() as tx:
        current = tx.accounts.session(digest(opened.token))
        return [
            SessionView(
                one.id, METHODS.get(one.method, one.method), one.device, one.created_at, one.expires_at,
                current is not None and one.id == current.id,
            )
            for one in tx.accounts.sessions(opened.account.id, system.clock())
        ]  # fmt: skip


def end_session(system: System, actor: Account, session_id: str) -> None:
    """End one of one's own sessions. NotFoundError for any other."""
    with system.database.write() as tx:
        if not session_id or not tx.accounts.end_sessions(actor.id, session_id=session_id):
            raise NotFoundError("没有这个登录，可能已经退出了", fields={"session": "没有找到"})
        tx.records.audit(actor.region, system.clock(), actor.login, "session_end", actor.login, {})


def change_password(system: System, actor: Account, old: str, new: str) -> None:
    """A new password; every session of the account ends. InvalidError `weak_password` says what is wrong with it."""
    known = authenticate(system, actor.login, old)
    check_new(new, actor.login, actor.name)
    if old == new:
        raise InvalidError(
            "新密码和原来的一样", code="weak_password", fields={"new_password": "和原来的一样"}
        )
    hashed = system.hasher.hash(new)
    with system.database.write() as tx:
        fresh = tx.accounts.credentials(actor.login, lock=True)
        if fresh is None or fresh.password_hash != known.password_hash:
            raise AuthenticationError(_WRONG, code="wrong_password")
        tx.accounts.set_password(actor.id, hashed)
        tx.identities.forget_one_time(account_id=actor.id)
        ended = tx.accounts.end_sessions(actor.id)
        tx.records.audit(
            actor.region, system.clock(), actor.login, "password_change", actor.login, {"ended": ended}
        )


def check_new(password: str, login: str, name: str) -> None:
    """InvalidError `weak_password` with every reason."""
    reasons = weaknesses(password, login, name)
    if len(password) > _LONGEST_PASSWORD:
        reasons.append(f"密码不能超过 {_LONGEST_PASSWORD} 个字符")
    if reasons:
        said = "；".join(reasons)
        raise InvalidError(f"新密码不行：{said}", code="weak_password", fields={"new_password": said})


def numbers(system: System, actor: Account) -> list[Number]:
    """Account numbers of the actor's unit: of a buyer first those that the rule gives it (nm-5), used or not."""
    people, unit = colleagues(system, actor), actor.unit
    names = {one.login: one.name for one in people}
    ruled = {}
    if any(one.buys for one in people):
        ruled = {account_number(unit.division, unit.code, role): role for role in BUYERS}
    known = ruled | {one.login: one.role for one in people if one.login not in ruled}
    return [Number(ROLE_LABELS[role], login, names.get(login, "")) for login, role in known.items()]


def colleagues(system: System, actor: Account) -> list[Account]:
    """All accounts of the actor's own unit (nm-5)."""
    with system.database.read() as tx:
        return tx.accounts.of(actor.unit.id)


def account(system: System, account_id: int) -> Account:
    """An account known by its id (a bound WeChat user, a running repair)."""
    with system.database.read() as tx:
        return tx.accounts.account(account_id)


def in_force(system: System, account_id: int) -> Account | None:
    """An account that may be worked with without a session of its own; None for a suspended one."""
    with system.database.read() as tx:
        member = tx.staff.member(account_id)
        return member.account if member.active else None

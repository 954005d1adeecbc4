"""Sign-in, sessions, and who belongs to a unit."""

import hashlib
import secrets
from datetime import timedelta
from math import ceil

from core.domain.accounts import Account, Session
from core.domain.errors import AuthenticationError
from core.service.ports import Credentials
from core.service.system import System

_WRONG = "账号或密码不对。单位账号是区划编码+预算编码+01（经办）或 02（负责人）"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in(system: System, login: str, password: str) -> Session:
    """Open a session. AuthenticationError codes: wrong_password, locked (fields: minutes). Source nm-5."""
    now = system.clock()
    with system.database.read() as tx:
        found = tx.accounts.credentials(login.strip())
    if found is None:
        system.hasher.verify(None, password)  # takes as long as a wrong password
        raise AuthenticationError(_WRONG, code="wrong_password")
    if found.locked_until and found.locked_until > now:
        minutes = ceil((found.locked_until - now).total_seconds() / 60)
        raise AuthenticationError(
            f"密码连续输错，账号已锁定，请 {minutes} 分钟后再试", code="locked", fields={"minutes": minutes}
        )
    if not system.hasher.verify(found.password_hash, password):
        _count_failure(system, found)
        raise AuthenticationError(_WRONG, code="wrong_password")
    token = secrets.token_urlsafe(32)
    expires = now + system.rules.session
    with system.database.write() as tx:
        if found.failures:
            tx.accounts.record_failure(found.account.id, 0, None)
        tx.accounts.add_session(_hash(token), found.account.id, now, expires)
        tx.records.audit(found.account.region, now, found.account.login, "sign_in", found.account.login, {})
    return Session(token, found.account, expires)


def _count_failure(system: System, known: Credentials) -> None:
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


def session(system: System, token: str) -> Session:
    """Whose token this is. AuthenticationError codes: not_signed_in, session_expired (nm-13)."""
    with system.database.read() as tx:
        found = tx.accounts.session(_hash(token))
    if found is None:
        raise AuthenticationError("请先登录", code="not_signed_in")
    account, expires = found
    if expires <= system.clock():
        raise AuthenticationError(
            "登录时间太久，已经过期。请另开一个页面登录，再回到这里重新提交，填好的内容不会丢",
            code="session_expired",
        )
    return Session(token, account, expires)


def sign_out(system: System, token: str) -> None:
    """End a session; nothing happens for an unknown one."""
    with system.database.write() as tx:
        tx.accounts.end_session(_hash(token))


def colleagues(system: System, actor: Account) -> list[Account]:
    """All accounts of the actor's own unit (nm-5)."""
    with system.database.read() as tx:
        return tx.accounts.of(actor.unit.id)


def account(system: System, account_id: int) -> Account:
    """An account known by its id (a bound WeChat user, a running repair)."""
    with system.database.read() as tx:
        return tx.accounts.account(account_id)

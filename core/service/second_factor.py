"""Codes that change every 30 seconds (RFC 6238) as a second factor for staff, with recovery codes."""

import secrets
from dataclasses import dataclass

from core.domain.accounts import Account, Session
from core.domain.errors import AuthenticationError, BlockedError, InvalidError
from core.domain.rights import Capability
from core.service import accounts, acting, rights
from core.service.ports import Credentials, Transaction
from core.service.system import System

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_GROUPS, _GROUP = 4, 4
RECOVERY_CODES = 8
_WRONG = "动态口令不对。请看手机上当前的 6 位数字，并核对手机时间；每个口令只能用一次"


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app needs: `address` to scan, `secret` to type in."""

    address: str
    secret: str


@dataclass(frozen=True)
class FactorView:
    """How it stands with an account's second factor."""

    available: bool
    enrolled: bool
    recovery_codes: int


def status(system: System, actor: Account) -> FactorView:
    """How it stands; `available` only for staff."""
    with system.database.read() as tx:
        factor = tx.identities.factor(actor.id)
        left = tx.identities.recovery_codes_left(actor.id)
    available = rights.allows(system, actor, Capability.USE_SECOND_FACTOR)
    return FactorView(available, factor is not None and factor.enrolled, left)


def begin(system: System, actor: Account, password: str) -> Enrolment:
    """A fresh secret; it counts once `enrol` got a right code of it. The password is asked for again."""
    acting.refuse_deputies(actor)
    rights.require(system, actor, Capability.USE_SECOND_FACTOR)
    accounts.authenticate(system, actor.login, password)
    secret = system.codes.new_secret()
    with system.database.write() as tx:
        factor = tx.identities.factor(actor.id)
        if factor is not None and factor.enrolled:
            raise BlockedError("已经启用了动态口令，要换手机请先停用", code="enrolled")
        tx.identities.set_factor(actor.id, secret)
    return Enrolment(system.codes.address(secret, actor.login), system.codes.plain(secret))


def pending(system: System, actor: Account) -> Enrolment | None:
    """The secret that waits for its first code, to be shown again."""
    with system.database.read() as tx:
        factor = tx.identities.factor(actor.id)
    if factor is None or factor.enrolled:
        return None
    return Enrolment(system.codes.address(factor.secret, actor.login), system.codes.plain(factor.secret))


def enrol(system: System, actor: Account, code: str) -> list[str]:
    """Switch it on with a first right code; the recovery codes, which are shown this once."""
    acting.refuse_deputies(actor)
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    now = system.clock()
    with system.database.write() as tx:
        factor = tx.identities.factor(actor.id)
        if factor is None or factor.enrolled:
            raise BlockedError("请先取一个新的二维码", code="not_begun")
        step = system.codes.step(factor.secret, _plain(code), now)
        if step is None:
            raise InvalidError(_WRONG, code="wrong_code", fields={"code": "不对"})
        if not tx.identities.enrol(actor.id, step, [accounts.digest(_plain(one)) for one in codes], now):
            raise BlockedError("请先取一个新的二维码", code="not_begun")
        tx.records.audit(actor.region, now, actor.login, "second_factor_on", actor.login, {})
    return codes


def confirm(system: System, ticket: str, code: str) -> Session:
    """The second step of a sign-in: a code of the app, or a recovery code.

    AuthenticationError codes: code_expired (begin again), wrong_code (the ticket stays good), locked, suspended.
    """
    digest = accounts.digest(ticket)
    with system.database.read() as tx:
        known = _whose(system, tx, digest)
    accounts.refuse_locked(system, known)
    with system.database.write() as tx:
        known = _whose(system, tx, digest, lock=True)
        if _accepted(system, tx, known.account, code):
            taken = tx.identities.take(digest, accounts.SECOND_FACTOR)
            if taken is None:
                raise _expired()
            if not known.active:
                raise AuthenticationError("这个账号已停用，请联系本单位的管理员", code="suspended")
            body = taken.body
            return accounts.open_session(
                system,
                tx,
                known,
                method=body["method"],
                certificate=body["certificate"],
                device=body["device"],
            )
    accounts.count_failure(system, known)
    raise AuthenticationError(_WRONG, code="wrong_code", fields={"ticket": ticket, "code": "不对"})


def _whose(system: System, tx: Transaction, digest: str, *, lock: bool = False) -> Credentials:
    found = tx.identities.one_time(digest, accounts.SECOND_FACTOR)
    if found is None or found.account_id is None or found.expires_at <= system.clock():
        raise _expired()
    known = tx.accounts.credentials(tx.accounts.account(found.account_id).login, lock=lock)
    if known is None:
        raise _expired()
    return known


def _expired() -> AuthenticationError:
    return AuthenticationError("验证等得太久，请从头登录", code="code_expired")


def _accepted(system: System, tx: Transaction, account: Account, code: str) -> bool:
    """Whether the code is right and was never used before."""
    factor = tx.identities.factor(account.id)
    if factor is None or not factor.enrolled:
        return False
    plain = _plain(code)
    step = system.codes.step(factor.secret, plain, system.clock())
    if step is not None:
        return tx.identities.use_step(account.id, step)
    used = tx.identities.use_recovery_code(account.id, accounts.digest(plain))
    if used:
        tx.records.audit(account.region, system.clock(), account.login, "recovery_code", account.login, {})
    return used


def switch_off(system: System, actor: Account, password: str, code: str) -> None:
    """No second factor any more; the password and a code are asked for. Errors as `confirm`."""
    acting.refuse_deputies(actor)
    known = accounts.authenticate(system, actor.login, password)
    with system.database.write() as tx:
        right = _accepted(system, tx, actor, code)
        if right:
            tx.identities.drop_factor(actor.id)
            tx.records.audit(actor.region, system.clock(), actor.login, "second_factor_off", actor.login, {})
    if not right:
        accounts.count_failure(system, known)
        raise AuthenticationError(_WRONG, code="wrong_code", fields={"code": "不对"})


def _recovery_code() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())

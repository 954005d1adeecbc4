"""Certificates of accounts: binding (nm-6), unbinding (nm-7), sign-in (ah-2.2). PINs never come here."""

from dataclasses import asdict
from datetime import datetime

from core.domain.accounts import Account, Session
from core.domain.certificates import KeyCertificate, accepted, masked_login, serials
from core.domain.errors import (
    AuthenticationError,
    BlockedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from core.domain.rights import Capability
from core.service import accounts, acting, challenges, rights
from core.service.identity_ports import Binding
from core.service.ports import Credentials, Transaction
from core.service.system import System

_BIND = "bind"  # purpose of the ticket that a sign-in with an unbound certificate leaves
_SHOWN = 4  # last characters of a serial in sentences
_REASON_LIMIT = 200


def sign_in(system: System, challenge: str, proof: str, *, login: str = "", device: str = "") -> Session:
    """Open a session for the account that the certificate is bound to; `login`, where given, has to be that one.

    Errors: those of `challenges.proven`; AuthenticationError certificate_unbound (fields: ticket for `bind`, owner,
    serial), bound_elsewhere, suspended, code_needed; InvalidError vendor_refused.
    """
    held = challenges.proven(system, "sign_in", challenge, proof)
    with system.database.read() as tx:
        bound = tx.identities.binding(held.sha256)
        known = tx.accounts.credentials(bound.login) if bound else None
    if bound is None or known is None:
        raise _unbound(system, held)
    _refuse_vendor(system, bound.region, held)
    if login.strip() and login.strip() != bound.login:
        raise AuthenticationError(
            f"这张证书（{_called(held)}）绑定的账号是 {masked_login(bound.login)}，不是您填的账号。"
            "绑错了的话，先用这把锁登录进去解绑，再绑到正确的账号",
            code="bound_elsewhere",
        )
    return accounts.admit(system, known, method="certificate", certificate=held.sha256, device=device)


def _unbound(system: System, held: KeyCertificate) -> AuthenticationError:
    """The holder has proven the key, so the next step needs no second signature."""
    body = {**asdict(held), "not_after": held.not_after.isoformat()}
    with system.database.write() as tx:
        ticket = accounts.issue(system, tx, _BIND, None, body)
    return AuthenticationError(
        f"这张证书（{_called(held)}）还没有绑定账号。请填单位经办账号和密码绑定一次，以后就能用它登录",
        code="certificate_unbound",
        fields={"ticket": ticket, "owner": held.owner, "serial": held.serial},
    )


def bind(
    system: System,
    login: str,
    password: str,
    *,
    challenge: str = "",
    proof: str = "",
    ticket: str = "",
    actor: Account | None = None,
) -> Binding:
    """Bind a certificate to the account of `login`, whose password is needed besides the proof of the key.

    The proof is a signed challenge of purpose `bind`, or the ticket of a sign-in with an unbound certificate. Who is
    signed in (`actor`) binds to the own account only. Binding again what is bound to the same account is well.
    Errors: those of `accounts.authenticate` and `challenges.proven`; ForbiddenError; BlockedError bound_elsewhere;
    InvalidError vendor_refused; AuthenticationError ticket_gone.
    """
    if actor is not None:
        acting.refuse_deputies(actor)
        if actor.login != login.strip():
            raise ForbiddenError("登录以后只能把锁绑到自己的账号上，要绑别的账号请先退出", code="other_login")
    known = accounts.authenticate(system, login, password)
    if not known.active:
        raise AuthenticationError("这个账号已停用，请联系本单位的管理员", code="suspended")
    held = _of_ticket(system, ticket) if ticket else challenges.proven(system, "bind", challenge, proof)
    _refuse_vendor(system, known.account.region, held)
    now = system.clock()
    with system.database.write() as tx:
        _still(tx, known)
        done = tx.identities.bind(known.account.id, held, now)
        bound = tx.identities.binding(held.sha256)
        if ticket:
            tx.identities.take(accounts.digest(ticket), _BIND)
        mine = bound is not None and bound.account_id == known.account.id
        if done or not mine:
            _audit(tx, known.account, now, "certificate_bind" if done else "certificate_refused", held)
    if bound is None or not mine:
        other = masked_login(bound.login) if bound else "别的账号"
        raise BlockedError(
            f"这张证书（{_called(held)}）已经绑定在账号 {other} 上，一张证书只能绑一个账号。"
            "请先用它登录进去，在“我的账号”里解绑，再来绑定",
            code="bound_elsewhere",
        )
    return bound


def _still(tx: Transaction, known: Credentials) -> None:
    fresh = tx.accounts.credentials(known.account.login, lock=True)
    if fresh is None or fresh.password_hash != known.password_hash:
        raise AuthenticationError("密码刚刚改过，请重新填写", code="wrong_password")


def _of_ticket(system: System, ticket: str) -> KeyCertificate:
    with system.database.read() as tx:
        found = tx.identities.one_time(accounts.digest(ticket), _BIND)
    if found is None or found.expires_at <= system.clock():
        raise AuthenticationError("绑定等得太久，请重新插锁、用 CA 登录一次", code="ticket_gone")
    body = {**found.body, "not_after": datetime.fromisoformat(found.body["not_after"])}
    return KeyCertificate(**body)


def _refuse_vendor(system: System, region: str, held: KeyCertificate) -> None:
    vendors = system.processes.vendors(region)
    if accepted(held.issuer, vendors):
        return
    names = "、".join(vendor.name for vendor in vendors)
    raise InvalidError(
        f"这张证书不是本地区接受的厂商（{names}）发的，不能在这里用",
        code="vendor_refused",
        fields={"proof": f"只接受：{names}"},
    )


def mine(system: System, actor: Account) -> list[Binding]:
    """Certificates bound to the account, the oldest first."""
    with system.database.read() as tx:
        return tx.identities.bindings(actor.id)


def holders(system: System, actor: Account, serial: str) -> list[str]:
    """Account numbers of the region that a certificate with this serial is bound to; others' are masked (nm-7)."""
    meant = serials(serial)
    if not meant:
        raise InvalidError("序列号是十六进制或十进制的数字", fields={"serial": "不是数字"})
    with system.database.read() as tx:
        found = tx.identities.bindings_by_serial(actor.region, meant)
    return [one.login if one.account_id == actor.id else masked_login(one.login) for one in found]


def unbind(system: System, opened: Session, serial: str, *, password: str = "") -> Binding:
    """Undo the binding of one of the account's own certificates, named by its serial (hexadecimal or decimal).

    Who signed in with that very certificate needs no password. Other sessions that it opened end. Errors:
    NotFoundError, InvalidError several; AuthenticationError password_needed, and those of `accounts.authenticate`.
    """
    actor = opened.account
    acting.refuse_deputies(actor)
    found = _own(system, actor, serial)
    by_key = opened.certificate == found.certificate.sha256
    if not by_key:
        if not password:
            raise AuthenticationError(
                "这次不是用这把锁登录的，解绑要输入账号密码",
                code="password_needed",
                fields={"password": "请输入密码"},
            )
        accounts.authenticate(system, actor.login, password)
    with system.database.write() as tx:
        tx.accounts.credentials(actor.login, lock=True)  # a sign-in with it waits, and is then refused
        if not tx.identities.unbind(found.id):
            raise _not_bound()
        tx.accounts.end_sessions(
            actor.id, certificate=found.certificate.sha256, but=accounts.digest(opened.token)
        )
        how = "certificate" if by_key else "password"
        _audit(tx, actor, system.clock(), "certificate_unbind", found.certificate, by=how)
    return found


def _own(system: System, actor: Account, serial: str) -> Binding:
    meant = serials(serial)
    found = [one for one in mine(system, actor) if one.certificate.serial in meant]
    if not found:
        raise _not_bound()
    if len(found) > 1:
        raise InvalidError("有几张证书序列号相同，请联系管理员解绑", code="several")
    return found[0]


def _not_bound() -> NotFoundError:
    return NotFoundError("您的账号没有绑定这张证书，请核对序列号", fields={"serial": "没有绑定"})


def release(system: System, actor: Account, login: str, serial: str, reason: str) -> None:
    """Staff unbind a certificate for somebody who cannot get in any more (nm-7), saying why."""
    rights.require(system, actor, Capability.MANAGE_ACCOUNTS)
    if not 0 < len(reason.strip()) <= _REASON_LIMIT:
        raise InvalidError(f"请写明理由，不超过 {_REASON_LIMIT} 字", fields={"reason": "请填写理由"})
    with system.database.read() as tx:
        known = tx.accounts.credentials(login.strip())
    if known is None or known.account.region != actor.region:
        raise NotFoundError("没有这个账号", fields={"login": "没有找到"})
    found = _own(system, known.account, serial)
    with system.database.write() as tx:
        tx.accounts.credentials(known.account.login, lock=True)
        if not tx.identities.unbind(found.id):
            raise _not_bound()
        tx.accounts.end_sessions(known.account.id, certificate=found.certificate.sha256)
        body = {"serial": found.certificate.serial, "reason": reason.strip()}
        tx.records.audit(
            actor.region, system.clock(), actor.login, "certificate_release", known.account.login, body
        )


def _called(held: KeyCertificate) -> str:
    return f"{held.owner}，序列号尾号 {held.serial[-_SHOWN:]}"


def _audit(
    tx: Transaction, account: Account, at: datetime, act: str, held: KeyCertificate, **more: str
) -> None:
    body = {
        "serial": held.serial,
        "issuer": held.issuer,
        "subject": held.subject,
        "sha256": held.sha256,
        **more,
    }
    tx.records.audit(account.region, at, account.login, act, account.login, body)

"""Deputies: an account works in another's role of the same unit between two days; every act says 代…."""

from datetime import date, timedelta

from core.domain.accounts import Account, Session
from core.domain.errors import ForbiddenError, InvalidError, NotFoundError
from core.service import accounts, acting
from core.service.identity_ports import Appointment
from core.service.ports import Transaction
from core.service.system import System

LONGEST = timedelta(days=366)


def appoint(
    system: System, actor: Account, deputy_login: str, since: date, until: date, *, principal_login: str = ""
) -> Appointment:
    """Let a colleague act in one's role from `since` to `until`, both included.

    Whoever administers the unit may do so for others (`principal_login`). Errors: InvalidError, ForbiddenError.
    """
    acting.refuse_deputies(actor)
    with system.database.write() as tx:
        principal = actor
        if principal_login and principal_login != actor.login:
            principal = _colleague(tx, actor, principal_login, "principal")
            if not acting.manages(system, actor, principal):
                raise ForbiddenError("只有本单位的管理员可以替别人指定代办人")
        deputy = _colleague(tx, principal, deputy_login, "deputy")
        _sensible(system, principal, deputy, since, until)
        now = system.clock()
        values = {
            "principal_id": principal.id, "deputy_id": deputy.id, "since": since, "until": until,
            "appointed_by": actor.id, "at": now,
        }  # fmt: skip
        made = tx.staff.appointment(tx.staff.appoint(values))
        assert made is not None, "just made"  # noqa: S101
        body = {"deputy": deputy.login, "since": since.isoformat(), "until": until.isoformat()}
        tx.records.audit(actor.region, now, actor.login, "deputy_appoint", principal.login, body)
        tx.records.notify(
            [deputy.id], "", f"{principal.label}请您在 {since} 至 {until} 代办，在“我的账号”里可以开始", now
        )
        return made


def _colleague(tx: Transaction, actor: Account, login: str, field: str) -> Account:
    found = tx.accounts.credentials(login.strip())
    if found is None or not found.active or found.account.unit.id != actor.unit.id:
        raise InvalidError("本单位没有这个账号", fields={field: "本单位没有这个账号"})
    return found.account


def _sensible(system: System, principal: Account, deputy: Account, since: date, until: date) -> None:
    wrong: dict[str, object] = {}
    if deputy.id == principal.id:
        wrong["deputy"] = "不能代自己"
    elif deputy.role is principal.role:
        wrong["deputy"] = "两个账号职责相同，不用指定代办"
    if until < since:
        wrong["until"] = "结束日期在开始日期之前"
    elif until < system.today:
        wrong["until"] = "结束日期已经过了"
    elif until - since > LONGEST:
        wrong["until"] = "一次最多指定一年"
    if wrong:
        raise InvalidError("；".join(str(text) for text in wrong.values()), fields=wrong)


def listing(system: System, actor: Account) -> list[Appointment]:
    """Appointments in which the actor is the one or the other, the newest first."""
    with system.database.read() as tx:
        return tx.staff.appointments(actor.id)


def end(system: System, actor: Account, appointment_id: int) -> None:
    """End an appointment now: either of the two may, and who administers the unit. NotFoundError for others."""
    now = system.clock()
    with system.database.write() as tx:
        found = tx.staff.appointment(appointment_id)
        concerned = found is not None and (
            actor.id in {found.principal.id, found.deputy.id}
            or acting.manages(system, actor, found.principal)
        )
        if found is None or not concerned:
            raise NotFoundError("没有这个代办", fields={"deputy": "没有找到"})
        if not tx.staff.end_appointment(appointment_id, now):
            raise InvalidError("这个代办已经结束了", code="deputy_ended")
        body = {"deputy": found.deputy.login}
        tx.records.audit(actor.region, now, actor.login, "deputy_end", found.principal.login, body)


def act_for(system: System, opened: Session, appointment_id: int | None) -> Session:
    """Work in the other's role from now on in this session, or (None) as oneself again."""
    account = accounts.account(system, opened.account.id)
    with system.database.write() as tx:
        if appointment_id is not None:
            found = tx.staff.appointment(appointment_id)
            if found is None or found.deputy.id != account.id:
                raise NotFoundError("没有这个代办", fields={"deputy": "没有找到"})
            if acting.at_work(system, tx, account, appointment_id) == account:
                raise InvalidError(
                    f"代办只在 {found.since} 至 {found.until} 有效，现在不在这段时间里，或已经结束",
                    code="deputy_not_now",
                )
        tx.accounts.set_deputy(accounts.digest(opened.token), appointment_id)
        subject = found.principal.login if appointment_id is not None and found else account.login
        act = "deputy_begin" if appointment_id is not None else "deputy_pause"
        tx.records.audit(account.region, system.clock(), account.login, act, subject, {})
    return accounts.session(system, opened.token)

"""Members of units, invitations, deputies and the tree of units in SQL."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from core.adapters.account_store import ACCOUNT_COLUMNS, JOINED, UNIT_COLUMNS, account_of, unit_of
from core.adapters.identity_tables import account, deputy, invitation, registered_phone, unit
from core.adapters.table_types import inserted_id
from core.domain.accounts import Account, Role, Unit
from core.service.identity_ports import Appointment, Invitation, Member

_MEMBER = select(*ACCOUNT_COLUMNS, account.c.phone, account.c.active, account.c.locked_until).select_from(
    JOINED
)
_INVITED = select(invitation, *(column.label(f"u_{column.key}") for column in UNIT_COLUMNS)).select_from(
    invitation.join(unit, invitation.c.unit_id == unit.c.id)
)


def _member(row: Any) -> Member:
    return Member(account_of(row), row.phone, row.active, row.locked_until)


class StaffStore:
    """Implements `core.service.identity_ports.Staff`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    # ── members ──────────────────────────────────────────────────────────

    def members(self, unit_id: int) -> list[Member]:
        """Accounts of a unit by login, suspended ones too."""
        found = _MEMBER.where(account.c.unit_id == unit_id).order_by(account.c.login)
        return [_member(row) for row in self._connection.execute(found)]

    def member(self, account_id: int) -> Member:
        """One account known to exist."""
        return _member(self._connection.execute(_MEMBER.where(account.c.id == account_id)).one())

    def set_active(self, account_id: int, *, active: bool) -> bool:
        """Suspend or let in again; False when it is so already."""
        changed = update(account).where(account.c.id == account_id, account.c.active.is_(not active))
        return self._connection.execute(changed.values(active=active)).rowcount == 1

    def set_phone(self, account_id: int, phone: str) -> None:
        """Phone of an account."""
        self._connection.execute(update(account).where(account.c.id == account_id).values(phone=phone))

    def register_phone(self, phone: str, account_id: int, at: datetime) -> bool:
        """Make a number somebody's; False when it is somebody's already."""
        try:
            with self._connection.begin_nested():
                self._connection.execute(
                    insert(registered_phone).values(phone=phone, account_id=account_id, at=at)
                )
        except IntegrityError:
            return False
        return True

    def phone_known(self, phone: str) -> bool:
        """Whether a number is registered, or stands with any account."""
        registered = exists().where(registered_phone.c.phone == phone)
        known = exists().where(account.c.phone == phone)
        return bool(self._connection.execute(select(or_(registered, known))).scalar_one())

    def lock_unit(self, unit_id: int) -> None:
        """Let those queue up who change the same unit's staff."""
        self._connection.execute(select(unit.c.id).where(unit.c.id == unit_id).with_for_update())

    def logins_like(self, beginning: str) -> set[str]:
        """Logins that begin so."""
        statement = select(account.c.login).where(account.c.login.startswith(beginning, autoescape=True))
        return set(self._connection.execute(statement).scalars())

    # ── invitations ──────────────────────────────────────────────────────

    def invite(self, values: Mapping[str, Any]) -> int:
        """New invitation; its id."""
        return inserted_id(self._connection.execute(insert(invitation).values(**values)))

    def invitations(self, unit_id: int) -> list[Invitation]:
        """Of a unit, the newest first."""
        found = _INVITED.where(invitation.c.unit_id == unit_id).order_by(invitation.c.id.desc())
        return [_invitation(row) for row in self._connection.execute(found)]

    def invitation(self, digest: str) -> Invitation | None:
        """By the hash of its code."""
        row = self._connection.execute(_INVITED.where(invitation.c.code_hash == digest)).first()
        return _invitation(row) if row else None

    def invitation_by_id(self, invitation_id: int) -> Invitation | None:
        """By its id."""
        row = self._connection.execute(_INVITED.where(invitation.c.id == invitation_id)).first()
        return _invitation(row) if row else None

    def close_invitation(self, invitation_id: int, state: str, account_id: int | None = None) -> bool:
        """Accept or withdraw; False when it is closed already: of two who try, one succeeds."""
        still = update(invitation).where(invitation.c.id == invitation_id, invitation.c.state == "open")
        return self._connection.execute(still.values(state=state, account_id=account_id)).rowcount == 1

    # ── deputies ─────────────────────────────────────────────────────────

    def appoint(self, values: Mapping[str, Any]) -> int:
        """New appointment; its id."""
        return inserted_id(self._connection.execute(insert(deputy).values(**values)))

    def appointment(self, appointment_id: int) -> Appointment | None:
        """One appointment."""
        row = self._connection.execute(select(deputy).where(deputy.c.id == appointment_id)).first()
        return self._appointment(row) if row else None

    def appointments(self, account_id: int) -> list[Appointment]:
        """Those in which the account is the one or the other, the newest first."""
        either = or_(deputy.c.principal_id == account_id, deputy.c.deputy_id == account_id)
        rows = self._connection.execute(select(deputy).where(either).order_by(deputy.c.id.desc())).all()
        return [self._appointment(row) for row in rows]

    def end_appointment(self, appointment_id: int, at: datetime) -> bool:
        """End it now; False when it was ended before."""
        running = update(deputy).where(deputy.c.id == appointment_id, deputy.c.ended_at.is_(None))
        return self._connection.execute(running.values(ended_at=at)).rowcount == 1

    def standing_in(self, principal_ids: Collection[int], day: date) -> list[Appointment]:
        """Appointments by which others act for one of these on a day."""
        return self._holding(deputy.c.principal_id.in_(list(principal_ids)), day)

    def standing_in_for(self, deputy_id: int, day: date) -> list[Appointment]:
        """Appointments by which the account acts for others on a day."""
        return self._holding(deputy.c.deputy_id == deputy_id, day)

    def _holding(self, whose: ColumnElement[bool], day: date) -> list[Appointment]:
        found = select(deputy).where(whose, holding(day)).order_by(deputy.c.id)
        return [self._appointment(row) for row in self._connection.execute(found).all()]

    def _appointment(self, row: Any) -> Appointment:
        principal, standing_in = self._account(row.principal_id), self._account(row.deputy_id)
        return Appointment(row.id, principal, standing_in, row.since, row.until, row.ended_at)

    def _account(self, account_id: int) -> Account:
        statement = select(*ACCOUNT_COLUMNS).select_from(JOINED).where(account.c.id == account_id)
        return account_of(self._connection.execute(statement).one())

    # ── units ────────────────────────────────────────────────────────────

    def tree(self, unit_id: int) -> list[tuple[int, Unit]]:
        """(depth, unit) of a unit and all below it, each below its parent, siblings by code."""
        top = select(unit.c.id).where(unit.c.id == unit_id).cte(recursive=True)
        # UNION, not UNION ALL: units that are each other's parents end here and not never
        below = top.union(select(unit.c.id).join(top, unit.c.parent_id == top.c.id))
        rows = self._connection.execute(select(*UNIT_COLUMNS).where(unit.c.id.in_(select(below.c.id))))
        found = {row.unit_id: unit_of(row) for row in rows.all()}
        children: dict[int | None, list[Unit]] = {}
        for item in sorted(found.values(), key=lambda one: one.code):
            children.setdefault(item.parent_id, []).append(item)
        return list(_walk(found[unit_id], children)) if unit_id in found else []


_PRINCIPAL = account.alias("principal")  # whoever asks may have the table already


def holding(day: Any) -> ColumnElement[bool]:
    """Appointments of deputies that hold on a day (a date or a `bindparam`), of those who still work here."""
    works = exists().where(_PRINCIPAL.c.id == deputy.c.principal_id, _PRINCIPAL.c.active)
    return and_(deputy.c.since <= day, deputy.c.until >= day, deputy.c.ended_at.is_(None), works)


def _walk(top: Unit, children: Mapping[int | None, list[Unit]]) -> list[tuple[int, Unit]]:
    result: list[tuple[int, Unit]] = []
    waiting, seen = [(0, top)], {top.id}
    while waiting:
        depth, item = waiting.pop()
        result.append((depth, item))
        fresh = [child for child in children.get(item.id, []) if child.id not in seen]
        seen.update(child.id for child in fresh)
        waiting += [(depth + 1, child) for child in reversed(fresh)]
    return result


def _invitation(row: Any) -> Invitation:
    invited_to = Unit(
        row.u_unit_id, row.u_region, row.u_division, row.u_code, row.u_unit_name, row.u_parent_id,
        row.u_office_id, row.u_procurement_id, row.u_token_label, row.u_landline,
    )  # fmt: skip
    return Invitation(
        row.id, invited_to, Role(row.role), row.name, row.phone, row.invited_by, row.created_at,
        row.expires_at, row.state,
    )  # fmt: skip

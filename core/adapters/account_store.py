"""Units, accounts and sessions in SQL."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from core.adapters.prepared import Prepared
from core.adapters.tables import account, inserted_id, session, unit
from core.domain.accounts import Account, Role, Unit
from core.domain.errors import NotFoundError
from core.service.identity_ports import OpenSession
from core.service.ports import Credentials

ACCOUNT_COLUMNS = (
    account.c.id,
    account.c.login,
    account.c.name,
    account.c.role,
    unit.c.id.label("unit_id"),
    unit.c.region,
    unit.c.division,
    unit.c.code,
    unit.c.name.label("unit_name"),
    unit.c.parent_id,
    unit.c.office_id,
    unit.c.procurement_id,
    unit.c.token_label,
    unit.c.landline,
)
JOINED = account.join(unit, account.c.unit_id == unit.c.id)
UNIT_COLUMNS = ACCOUNT_COLUMNS[4:]


def unit_of(row: Any) -> Unit:
    """Unit of a row of `UNIT_COLUMNS`."""
    return Unit(
        row.unit_id, row.region, row.division, row.code, row.unit_name,
        row.parent_id, row.office_id, row.procurement_id, row.token_label, row.landline,
    )  # fmt: skip


def account_of(row: Any) -> Account:
    """Account of a row of `ACCOUNT_COLUMNS`."""
    return Account(row.id, row.login, row.name, Role(row.role), unit_of(row))


SESSION_ID = 16  # characters of a token's hash that name a session to its owner
_SESSIONS = select(
    *ACCOUNT_COLUMNS, session.c.token_hash, session.c.created_at, session.c.expires_at, session.c.method,
    session.c.certificate, session.c.device, session.c.deputy_id,
).select_from(JOINED.join(session, session.c.account_id == account.c.id))  # fmt: skip
_ONE_SESSION = Prepared(_SESSIONS.where(session.c.token_hash == bindparam("hash")))  # asked by every request


def _session(row: Any) -> OpenSession:
    return OpenSession(
        row.token_hash[:SESSION_ID], account_of(row), row.created_at, row.expires_at, row.method,
        row.certificate, row.device, row.deputy_id,
    )  # fmt: skip


def _credentials(row: Any) -> Credentials:
    return Credentials(account_of(row), row.password_hash, row.failures, row.locked_until, row.active)


_UNIT = select(*UNIT_COLUMNS)
_ACCOUNT = select(*ACCOUNT_COLUMNS).select_from(JOINED)
# Statements of every act are built once: building one costs more than running it.
_UNIT_BY_ID = Prepared(_UNIT.where(unit.c.id == bindparam("sought")))
_UNITS_BY_ID = _UNIT.where(unit.c.id.in_(bindparam("sought", expanding=True)))
_ACCOUNT_BY_ID = Prepared(_ACCOUNT.where(account.c.id == bindparam("sought")))
_OF_UNIT = _ACCOUNT.where(account.c.unit_id == bindparam("of_unit"), account.c.active.is_(True)).order_by(
    account.c.id
)
_MEMBERS = {
    False: Prepared(_OF_UNIT),
    True: Prepared(_OF_UNIT.where(account.c.role == bindparam("of_role"))),
}


class AccountStore:
    """Implements `core.service.ports.Accounts`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection
        # One transaction asks for the same few again and again.
        self._units: dict[int, Unit] = {}
        self._members: dict[tuple[int, Role | None], list[Account]] = {}

    def credentials(self, login: str, *, lock: bool = False) -> Credentials | None:
        """Account and password hash by login; `lock` makes those who count failures queue up."""
        statement = select(
            *ACCOUNT_COLUMNS,
            account.c.password_hash,
            account.c.failures,
            account.c.locked_until,
            account.c.active,
        ).select_from(JOINED)
        statement = statement.where(account.c.login == login)
        if lock:
            statement = statement.with_for_update(of=account)
        row = self._connection.execute(statement).first()
        return _credentials(row) if row else None

    def account(self, account_id: int) -> Account:
        """Account that is known to exist."""
        return account_of(_ACCOUNT_BY_ID.one(self._connection, {"sought": account_id}))

    def unit(self, unit_id: int) -> Unit:
        """Unit that is known to exist."""
        if unit_id not in self._units:
            self._units[unit_id] = unit_of(_UNIT_BY_ID.one(self._connection, {"sought": unit_id}))
        return self._units[unit_id]

    def gather(self, unit_ids: Collection[int]) -> None:
        """Look up these units at once; `unit` then gives them without another look."""
        unknown = [unit_id for unit_id in unit_ids if unit_id not in self._units]
        if len(unknown) > 1:
            rows = self._connection.execute(_UNITS_BY_ID, {"sought": unknown})
            self._units.update((row.unit_id, unit_of(row)) for row in rows)

    def unit_by_code(self, division: str, code: str) -> Unit | None:
        """Unit by its codes."""
        found = self._connection.execute(
            _UNIT.where(unit.c.division == division, unit.c.code == code)
        ).first()
        return unit_of(found) if found else None

    def units_by_code(self, region: str, code: str) -> list[Unit]:
        """Units of a region with this code (agencies and suppliers have one division-wide code)."""
        rows = self._connection.execute(_UNIT.where(unit.c.region == region, unit.c.code == code))
        return [unit_of(row) for row in rows]

    def units_of(self, divisions: Collection[str]) -> list[Unit]:
        """All units of these divisions."""
        rows = self._connection.execute(_UNIT.where(unit.c.division.in_(sorted(divisions))))
        return [unit_of(row) for row in rows]

    def units_with(self, region: str, role: Role) -> list[Unit]:
        """Units of a region in which somebody active has this role, by name."""
        active = exists().where(
            account.c.unit_id == unit.c.id, account.c.role == role.value, account.c.active.is_(True)
        )
        rows = self._connection.execute(_UNIT.where(unit.c.region == region, active).order_by(unit.c.name))
        return [unit_of(row) for row in rows]

    def of(self, unit_id: int, role: Role | None = None) -> list[Account]:
        """Accounts of a unit that are not suspended, all or those of one role."""
        if (unit_id, role) not in self._members:
            sought = {"of_unit": unit_id} if role is None else {"of_unit": unit_id, "of_role": role.value}
            rows = _MEMBERS[role is not None].rows(self._connection, sought)
            self._members[unit_id, role] = [account_of(row) for row in rows]
        return list(self._members[unit_id, role])

    def system(self, region: str) -> Account:
        """The account in whose name the platform itself acts; NotFoundError where a region has none."""
        statement = _ACCOUNT.where(unit.c.region == region, account.c.role == Role.INTEGRATION.value)
        row = self._connection.execute(statement.limit(1)).first()
        if row is None:
            raise NotFoundError(
                f"“{region}”在这里没有平台账号，请核对区域代码", fields={"region": "没有找到"}
            )
        return account_of(row)

    def record_failure(self, account_id: int, failures: int, locked_until: datetime | None) -> None:
        """Set the count of failed sign-ins and the lock."""
        values = {"failures": failures, "locked_until": locked_until}
        self._connection.execute(update(account).where(account.c.id == account_id).values(values))

    def set_landline(self, unit_id: int, landline: str) -> None:
        """The unit's landline, where others reach it."""
        self._connection.execute(update(unit).where(unit.c.id == unit_id).values(landline=landline))

    def set_token(self, unit_id: int, label: str) -> None:
        """The label of the unit's key."""
        self._connection.execute(update(unit).where(unit.c.id == unit_id).values(token_label=label))

    def set_password(self, account_id: int, password_hash: str) -> None:
        """A new password; what failed before it does not count."""
        values = {"password_hash": password_hash, "failures": 0, "locked_until": None}
        self._connection.execute(update(account).where(account.c.id == account_id).values(values))

    def add_session(
        self, token_hash: str, account_id: int, now: datetime, expires: datetime, *, method: str = "password",
        certificate: str = "", device: str = "",
    ) -> None:  # fmt: skip
        """Open a session, saying how it was opened and where."""
        values = {
            "token_hash": token_hash, "account_id": account_id, "created_at": now, "expires_at": expires,
            "method": method, "certificate": certificate, "device": device,
        }  # fmt: skip
        self._connection.execute(insert(session).values(values))

    def session(self, token_hash: str) -> OpenSession | None:
        """A session with its account, expired or not."""
        row = _ONE_SESSION.first(self._connection, {"hash": token_hash})
        return _session(row) if row else None

    def sessions(self, account_id: int, now: datetime) -> list[OpenSession]:
        """An account's sessions that are still good, the newest first."""
        good = _SESSIONS.where(session.c.account_id == account_id, session.c.expires_at > now)
        rows = self._connection.execute(good.order_by(session.c.created_at.desc(), session.c.token_hash))
        return [_session(row) for row in rows]

    def set_deputy(self, token_hash: str, appointment_id: int | None) -> None:
        """In whose role this session works; None: its own."""
        own = update(session).where(session.c.token_hash == token_hash)
        self._connection.execute(own.values(deputy_id=appointment_id))

    def forget_sessions(self, before: datetime) -> int:
        """Delete the sessions that ended before a time; how many."""
        return self._connection.execute(delete(session).where(session.c.expires_at < before)).rowcount

    def end_session(self, token_hash: str) -> None:
        """Forget a session."""
        self._connection.execute(delete(session).where(session.c.token_hash == token_hash))

    def end_sessions(
        self, account_id: int, *, session_id: str = "", certificate: str = "", but: str = ""
    ) -> int:
        """End an account's sessions: all, the one with this id, or those that a certificate opened; how many.

        `but` is the hash of a token that stays.
        """
        mine = delete(session).where(session.c.account_id == account_id, session.c.token_hash != but)
        if session_id:
            mine = mine.where(func.substr(session.c.token_hash, 1, SESSION_ID) == session_id)
        if certificate:
            mine = mine.where(session.c.certificate == certificate)
        return int(self._connection.execute(mine).rowcount)

    def add_unit(self, values: Mapping[str, Any]) -> int:
        """New unit; its id."""
        return inserted_id(self._connection.execute(insert(unit).values(**values)))

    def add_account(self, values: Mapping[str, Any]) -> int:
        """New account; its id."""
        self._members.clear()
        return inserted_id(self._connection.execute(insert(account).values(**values)))

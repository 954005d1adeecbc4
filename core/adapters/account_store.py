"""Units, accounts and sessions in SQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from core.adapters.tables import account, inserted_id, session, unit
from core.domain.accounts import Account, Role, Unit
from core.service.ports import Credentials

_COLUMNS = (
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
)
_JOINED = account.join(unit, account.c.unit_id == unit.c.id)


def _unit(row: Any) -> Unit:
    return Unit(
        row.unit_id, row.region, row.division, row.code, row.unit_name,
        row.parent_id, row.office_id, row.procurement_id, row.token_label,
    )  # fmt: skip


def _account(row: Any) -> Account:
    return Account(row.id, row.login, row.name, Role(row.role), _unit(row))


_UNIT = select(*_COLUMNS[4:])
_ACCOUNT = select(*_COLUMNS).select_from(_JOINED)
# Statements of every act are built once: building one costs more than running it.
_UNIT_BY_ID = _UNIT.where(unit.c.id == bindparam("sought"))
_OF_UNIT = _ACCOUNT.where(account.c.unit_id == bindparam("of_unit")).order_by(account.c.id)
_OF_UNIT_AND_ROLE = _OF_UNIT.where(account.c.role == bindparam("of_role"))


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
            *_COLUMNS, account.c.password_hash, account.c.failures, account.c.locked_until
        ).select_from(_JOINED)
        statement = statement.where(account.c.login == login)
        if lock:
            statement = statement.with_for_update(of=account)
        row = self._connection.execute(statement).first()
        return Credentials(_account(row), row.password_hash, row.failures, row.locked_until) if row else None

    def account(self, account_id: int) -> Account:
        """Account that is known to exist."""
        return _account(self._connection.execute(_ACCOUNT.where(account.c.id == account_id)).one())

    def unit(self, unit_id: int) -> Unit:
        """Unit that is known to exist."""
        if unit_id not in self._units:
            self._units[unit_id] = _unit(self._connection.execute(_UNIT_BY_ID, {"sought": unit_id}).one())
        return self._units[unit_id]

    def unit_by_code(self, division: str, code: str) -> Unit | None:
        """Unit by its codes."""
        found = self._connection.execute(
            _UNIT.where(unit.c.division == division, unit.c.code == code)
        ).first()
        return _unit(found) if found else None

    def units_by_code(self, region: str, code: str) -> list[Unit]:
        """Units of a region with this code (agencies and suppliers have one division-wide code)."""
        rows = self._connection.execute(_UNIT.where(unit.c.region == region, unit.c.code == code))
        return [_unit(row) for row in rows]

    def of(self, unit_id: int, role: Role | None = None) -> list[Account]:
        """Accounts of a unit, all or those of one role."""
        statement, sought = (_OF_UNIT, {}) if role is None else (_OF_UNIT_AND_ROLE, {"of_role": role.value})
        if (unit_id, role) not in self._members:
            rows = self._connection.execute(statement, {"of_unit": unit_id, **sought})
            self._members[unit_id, role] = [_account(row) for row in rows]
        return list(self._members[unit_id, role])

    def system(self, region: str) -> Account:
        """The account in whose name the platform itself acts."""
        statement = _ACCOUNT.where(unit.c.region == region, account.c.role == Role.INTEGRATION.value)
        return _account(self._connection.execute(statement.limit(1)).one())

    def record_failure(self, account_id: int, failures: int, locked_until: datetime | None) -> None:
        """Set the count of failed sign-ins and the lock."""
        values = {"failures": failures, "locked_until": locked_until}
        self._connection.execute(update(account).where(account.c.id == account_id).values(values))

    def add_session(self, token_hash: str, account_id: int, now: datetime, expires: datetime) -> None:
        """Open a session."""
        self._connection.execute(
            insert(session).values(
                token_hash=token_hash, account_id=account_id, created_at=now, expires_at=expires
            )
        )

    def session(self, token_hash: str) -> tuple[Account, datetime] | None:
        """Account and expiry of a session, expired or not."""
        statement = (
            select(*_COLUMNS, session.c.expires_at)
            .select_from(_JOINED.join(session, session.c.account_id == account.c.id))
            .where(session.c.token_hash == token_hash)
        )
        row = self._connection.execute(statement).first()
        return (_account(row), row.expires_at) if row else None

    def end_session(self, token_hash: str) -> None:
        """Forget a session."""
        self._connection.execute(delete(session).where(session.c.token_hash == token_hash))

    def add_unit(self, values: Mapping[str, Any]) -> int:
        """New unit; its id."""
        return inserted_id(self._connection.execute(insert(unit).values(**values)))

    def add_account(self, values: Mapping[str, Any]) -> int:
        """New account; its id."""
        self._members.clear()
        return inserted_id(self._connection.execute(insert(account).values(**values)))

"""One-time things, bound certificates and second factors in SQL."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.adapters.identity_tables import (
    account,
    account_certificate,
    one_time,
    recovery_code,
    second_factor,
    unit,
)
from core.domain.certificates import KeyCertificate
from core.service.identity_ports import Binding, Factor, OneTime

_BOUND = select(account_certificate, account.c.login, unit.c.region).select_from(
    account_certificate.join(account, account_certificate.c.account_id == account.c.id).join(
        unit, account.c.unit_id == unit.c.id
    )
)


def _binding(row: Any) -> Binding:
    held = KeyCertificate(row.serial, row.issuer, row.subject, row.not_after, row.sha256)
    return Binding(row.id, row.account_id, row.login, row.region, held, row.bound_at)


class IdentityStore:
    """Implements `core.service.identity_ports.Identities`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def issue(
        self, digest: str, purpose: str, account_id: int | None, body: Mapping[str, Any], expires: datetime
    ) -> None:
        """Something that `take` gives out once."""
        values = {
            "hash": digest,
            "purpose": purpose,
            "account_id": account_id,
            "body": dict(body),
            "expires_at": expires,
        }
        self._connection.execute(insert(one_time).values(values))

    def one_time(self, digest: str, purpose: str) -> OneTime | None:
        """Look at it without using it up."""
        statement = select(one_time).where(one_time.c.hash == digest, one_time.c.purpose == purpose)
        row = self._connection.execute(statement).first()
        return OneTime(row.account_id, row.body, row.expires_at) if row else None

    def take(self, digest: str, purpose: str) -> OneTime | None:
        """Use it up; of two who try, one gets it."""
        statement = delete(one_time).where(one_time.c.hash == digest, one_time.c.purpose == purpose)
        row = self._connection.execute(statement.returning(one_time)).first()
        return OneTime(row.account_id, row.body, row.expires_at) if row else None

    def forget_one_time(self, *, before: datetime | None = None, account_id: int | None = None) -> None:
        """Those that expired before a time, or all of an account."""
        statement = delete(one_time)
        if before is not None:
            statement = statement.where(one_time.c.expires_at < before)
        if account_id is not None:
            statement = statement.where(one_time.c.account_id == account_id)
        self._connection.execute(statement)

    def binding(self, sha256: str) -> Binding | None:
        """To whom this certificate is bound."""
        row = self._connection.execute(_BOUND.where(account_certificate.c.sha256 == sha256)).first()
        return _binding(row) if row else None

    def bindings(self, account_id: int) -> list[Binding]:
        """Certificates of an account, the oldest first."""
        mine = _BOUND.where(account_certificate.c.account_id == account_id).order_by(account_certificate.c.id)
        return [_binding(row) for row in self._connection.execute(mine)]

    def bindings_by_serial(self, region: str, serials: Collection[str]) -> list[Binding]:
        """Bindings of a region's accounts with one of these serials (upper-case hexadecimal)."""
        found = _BOUND.where(account_certificate.c.serial.in_(sorted(serials)), unit.c.region == region)
        return [_binding(row) for row in self._connection.execute(found.order_by(account_certificate.c.id))]

    def bind(self, account_id: int, certificate: KeyCertificate, at: datetime) -> bool:
        """Bind; False when it is bound already, to whomever."""
        values = {
            "account_id": account_id, "serial": certificate.serial, "issuer": certificate.issuer,
            "subject": certificate.subject, "not_after": certificate.not_after, "sha256": certificate.sha256,
            "bound_at": at,
        }  # fmt: skip
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(account_certificate).values(values))
        except IntegrityError:
            return False
        return True

    def unbind(self, binding_id: int) -> bool:
        """Undo a binding; False when it is gone already."""
        gone = delete(account_certificate).where(account_certificate.c.id == binding_id)
        return self._connection.execute(gone).rowcount == 1

    def factor(self, account_id: int) -> Factor | None:
        """The account's second factor."""
        statement = select(second_factor).where(second_factor.c.account_id == account_id)
        row = self._connection.execute(statement).first()
        return Factor(row.secret, row.enrolled_at is not None, row.last_step) if row else None

    def set_factor(self, account_id: int, secret: str) -> None:
        """A new secret that still waits for its first right code."""
        self.drop_factor(account_id)
        self._connection.execute(insert(second_factor).values(account_id=account_id, secret=secret))

    def enrol(self, account_id: int, step: int, codes: Collection[str], at: datetime) -> bool:
        """The first code was right; False when the factor was enrolled already or is gone."""
        waiting = update(second_factor).where(
            second_factor.c.account_id == account_id, second_factor.c.enrolled_at.is_(None)
        )
        if self._connection.execute(waiting.values(enrolled_at=at, last_step=step)).rowcount != 1:
            return False
        rows = [{"account_id": account_id, "code_hash": code} for code in codes]
        self._connection.execute(insert(recovery_code), rows)
        return True

    def use_step(self, account_id: int, step: int) -> bool:
        """Accept the code of a time step; False when it, or a later one, was used before."""
        fresh = update(second_factor).where(
            second_factor.c.account_id == account_id, second_factor.c.last_step < step
        )
        return self._connection.execute(fresh.values(last_step=step)).rowcount == 1

    def use_recovery_code(self, account_id: int, digest: str) -> bool:
        """Use a recovery code up; False when there is none such."""
        known = delete(recovery_code).where(
            recovery_code.c.account_id == account_id, recovery_code.c.code_hash == digest
        )
        return self._connection.execute(known).rowcount == 1

    def recovery_codes_left(self, account_id: int) -> int:
        """How many were not used yet."""
        left = select(func.count()).select_from(recovery_code).where(recovery_code.c.account_id == account_id)
        return int(self._connection.execute(left).scalar_one())

    def drop_factor(self, account_id: int) -> None:
        """No second factor any more."""
        for table in (recovery_code, second_factor):
            self._connection.execute(delete(table).where(table.c.account_id == account_id))

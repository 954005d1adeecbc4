"""One buyer with all who review it, an agency, a supplier and one indicator: enough for any act, built in no time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import make_url

from core import worlds
from core.bootstrap import build_system, migrate
from core.domain.accounts import Account, Role
from core.domain.documents import Document
from core.service import acts, entering
from core.service.ports import Certificate, Indicator
from core.service.system import System
from core.settings import Settings

REGION, DIVISION, YEAR = "neimenggu", "150299", 2026
CODE = "Z2026-001"
PRICE_FEN = 100_000  # of the one thing that each plan buys
_UNITS = ("parent", "office", "procurement", "buyer", "agency", "supplier", "platform")
_CREW = {
    Role.HANDLER: "buyer", Role.REVIEWER: "buyer", Role.SUPERVISING: "parent", Role.OFFICE_FIRST: "office",
    Role.OFFICE_SECOND: "office", Role.PROCUREMENT_FIRST: "procurement", Role.PROCUREMENT_SECOND: "procurement",
    Role.AGENCY: "agency", Role.SUPPLIER: "supplier", Role.INTEGRATION: "platform", Role.SUPPORT: "platform",
}  # fmt: skip
_REVIEWERS = (
    Role.REVIEWER, Role.SUPERVISING, Role.OFFICE_FIRST, Role.OFFICE_SECOND, Role.PROCUREMENT_FIRST,
    Role.PROCUREMENT_SECOND,
)  # fmt: skip
TO_COMPLETED = ("submit", *["pass"] * 6)
TO_FILED = (*TO_COMPLETED, "sign", "file")
_CERTIFICATE = Certificate("0" * 64, "公章", "1A", datetime(2026, 6, 1, tzinfo=UTC))


def settings(url: str, var: Path) -> Settings:
    return Settings(var=var, database_url=url)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    system: System
    crew: Mapping[Role, Account]
    units: Mapping[str, int]
    indicator_id: int

    def enter(self, key: str, *, variant: str = "mall", price_fen: int = PRICE_FEN) -> Document:
        """A new plan."""
        item = {
            "catalogue": "A02021003",
            "name": "打印机",
            "quantity": 1,
            "unit": "台",
            "unit_price_fen": price_fen,
        }
        form: dict[str, Any] = {
            "name": "激光打印机",
            "lines": [item],
            "funding": [{"indicator": self.indicator_id, "amount_fen": price_fen}],
            "implementation": "网上竞价",
        }
        if variant == "project":
            form["agency"] = "AGENCY"
        return entering.create(self.system, self.crew[Role.HANDLER], "plan", variant, form, key=key)

    def plan(self, key: str, *steps: str, variant: str = "mall", price_fen: int = PRICE_FEN) -> Document:
        """A new plan, brought on by `steps`, each by whoever may."""
        document = self.enter(key, variant=variant, price_fen=price_fen)
        for index, step in enumerate(steps):
            role = _REVIEWERS[index - 1] if step == "pass" else Role.HANDLER
            self.act(document.number, step, role=role, key=f"{key}-{index}")
        return self.find(document.number)

    def act(
        self, number: str, action: str, *, role: Role, key: str, version: int | None = None, **arguments: str
    ) -> None:
        """One act by the account of `role`, on the document as it is now or was at `version`."""
        acts.perform(
            self.system, self.crew[role], number, action, version=version or self.find(number).version,
            arguments=arguments, key=key, certificate=_CERTIFICATE if action == "sign" else None,
        )  # fmt: skip

    def find(self, number: str) -> Document:
        with self.system.database.read() as tx:
            document = tx.documents.by_number(number, None)
        assert document is not None
        return document

    def indicator(self) -> Indicator:
        with self.system.database.read() as tx:
            found = tx.ledger.indicator(self.indicator_id)
        assert found is not None
        return found

    def problems(self) -> list[str]:
        """What is wrong with the books."""
        with self.system.database.read() as tx:
            return [*tx.ledger.imbalances(), *tx.records.broken_audit()]


@cache
def _migrated() -> bytes:
    """A SQLite database that is empty and migrated: that takes longer than all else in building a world."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        migrate(settings(f"sqlite:///{file}", Path(folder)))
        return file.read_bytes()


def build(url: str, var: Path, *, clock: Callable[[], datetime] = now, total_fen: int = 10**9) -> World:
    """Migrate an empty database and put the world into it."""
    file = make_url(url).database if url.startswith("sqlite") else None
    if file and not Path(file).exists():
        Path(file).write_bytes(_migrated())
    else:
        migrate(settings(url, var))
    system = build_system(settings(url, var), clock=clock)
    with system.database.write() as tx:
        units: dict[str, int] = {}
        for name in _UNITS:
            values: dict[str, Any] = {
                "region": REGION, "division": DIVISION, "code": name.upper(), "name": f"示范单位{name}",
            }  # fmt: skip
            if name == "buyer":
                values |= {f"{above}_id": units[above] for above in ("parent", "office", "procurement")}
            units[name] = tx.accounts.add_unit(values)
        for role, unit in _CREW.items():
            tx.accounts.add_account(
                {
                    "login": role.value,
                    "name": "某人",
                    "role": role.value,
                    "unit_id": units[unit],
                    "password_hash": "-",
                }
            )
        indicator = worlds.budget(system, tx, units["buyer"], CODE, "设备购置", total_fen, YEAR)
    return _world(system, units, indicator)


def reopen(url: str, var: Path, *, clock: Callable[[], datetime] = now) -> World:
    """The same world with connections of one's own (another process, another thread)."""
    system = build_system(settings(url, var), clock=clock)
    with system.database.read() as tx:
        found = {name: tx.accounts.unit_by_code(DIVISION, name.upper()) for name in _UNITS}
        units = {name: unit.id for name, unit in found.items() if unit}
        indicator = tx.ledger.indicators(units["buyer"])[0].id
    return _world(system, units, indicator)


def _world(system: System, units: Mapping[str, int], indicator: int) -> World:
    with system.database.read() as tx:
        crew = {role: tx.accounts.of(units[unit], role)[0] for role, unit in _CREW.items()}
    return World(system, crew, units, indicator)

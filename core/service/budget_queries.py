"""What a unit has to spend: which indicators came over from finance and still hold, and all budgets with those below.

Sources: fj-1.1 (指标预算查询: synchronised? valid?) and fj-1.2 (采购预算查询: entered by hand and synchronised, with the
units below unless left out). Amounts are fen, times UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.accounts import Account, Role, Unit
from core.service.ports import Indicator, Transaction
from core.service.system import System


class Origin(StrEnum):
    """Where a budget came from."""

    SYNCHRONISED = "synchronised"
    ENTERED = "entered"


ORIGIN_LABELS = {Origin.SYNCHRONISED: "一体化同步", Origin.ENTERED: "手工录入"}


@dataclass(frozen=True)
class Budget:
    """One budget of a unit. `synchronised_at` is the latest push from finance; `why` says what is wrong, if anything."""

    unit: Unit
    indicator: Indicator
    origin: Origin
    synchronised_at: datetime | None
    why: str

    @property
    def valid(self) -> bool:
        """Whether projects may still be paid from it."""
        return not self.why


def budgets(
    system: System, actor: Account, *, text: str = "", below: bool = True, origin: Origin | None = None
) -> list[Budget]:
    """Budgets of the own unit and, unless `below` is false, of every unit under it at any depth; own ones first.

    Those whose code or name contains `text`, and only of one `origin` where it is given: of those from finance (fj-1.1),
    what is missing has not come over yet.
    """
    with system.database.read() as tx:
        units = _with_those_below(tx, actor.unit) if below else [actor.unit]
        found = _budgets(system, tx, units, text)
    return [budget for budget in found if origin in (None, budget.origin)]


def _with_those_below(tx: Transaction, top: Unit) -> list[Unit]:
    """The unit and all buyers under it, level by level."""
    buyers = tx.accounts.units_with(top.region, Role.HANDLER)
    units, level = [top], {top.id}
    while level:
        known = {unit.id for unit in units}
        next_level = [unit for unit in buyers if unit.parent_id in level and unit.id not in known]
        units += next_level
        level = {unit.id for unit in next_level}
    return units


def _budgets(system: System, tx: Transaction, units: Sequence[Unit], text: str) -> list[Budget]:
    wanted = text.strip().lower()
    found = [
        (unit, item)
        for unit in units
        for item in tx.ledger.indicators(unit.id)
        if wanted in f"{item.code} {item.name}".lower()
    ]
    pushed = {
        (body["division"], body["unit"], body["year"], body["code"]): at
        for at, body in tx.records.imports(units[0].region, {item.code for _, item in found})
    }
    year = system.today.year
    return [
        _budget(unit, item, pushed.get((unit.division, unit.code, item.year, item.code)), year)
        for unit, item in found
    ]


def _budget(unit: Unit, item: Indicator, pushed_at: datetime | None, year: int) -> Budget:
    origin = Origin.SYNCHRONISED if pushed_at else Origin.ENTERED
    why = ""
    if item.year != year:
        why = f"是 {item.year} 年的指标，{year} 年不能用"
    elif not item.total_fen:
        why = "额度是 0 元，在一体化里核对是不是调剂或收回了"
    return Budget(unit, item, origin, pushed_at, why)

"""Units that a form may name."""

from dataclasses import dataclass

from core.domain.accounts import Account, Role
from core.service.system import System


@dataclass(frozen=True)
class UnitView:
    """A unit as a form offers it; `code` is what the form keeps."""

    code: str
    name: str


def agencies(system: System, actor: Account) -> list[UnitView]:
    """Agencies of the actor's region with somebody at work there, by name."""
    with system.database.read() as tx:
        return [UnitView(unit.code, unit.name) for unit in tx.accounts.units_with(actor.region, Role.AGENCY)]

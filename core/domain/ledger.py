"""Where a document's money is, and which movements bring it to where its node wants it.

A hold is what one document keeps of one indicator: `frozen` (promised) or `used` (spent), in fen. All rules are here
as pure functions; the database repeats them as constraints.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.domain.errors import BlockedError
from core.domain.process import Funds


class MovementKind(StrEnum):
    """freeze: available → frozen; release: back; use: frozen → used; reverse: used → available."""

    FREEZE = "freeze"
    RELEASE = "release"
    USE = "use"
    REVERSE = "reverse"


MOVEMENT_LABELS = {
    MovementKind.FREEZE: "冻结",
    MovementKind.RELEASE: "解冻退回",
    MovementKind.USE: "使用",
    MovementKind.REVERSE: "使用退回",
}


@dataclass(frozen=True)
class Hold:
    """What a document keeps of one indicator, in fen."""

    indicator_id: int
    frozen_fen: int = 0
    used_fen: int = 0


@dataclass(frozen=True)
class Movement:
    """One change of an indicator's balances by a positive amount in fen."""

    indicator_id: int
    kind: MovementKind
    amount_fen: int

    @property
    def frozen_change(self) -> int:
        """Change of `frozen` in fen."""
        sign = {
            MovementKind.FREEZE: 1,
            MovementKind.RELEASE: -1,
            MovementKind.USE: -1,
            MovementKind.REVERSE: 0,
        }
        return sign[self.kind] * self.amount_fen

    @property
    def used_change(self) -> int:
        """Change of `used` in fen."""
        sign = {
            MovementKind.FREEZE: 0,
            MovementKind.RELEASE: 0,
            MovementKind.USE: 1,
            MovementKind.REVERSE: -1,
        }
        return sign[self.kind] * self.amount_fen


def settle(holds: Iterable[Hold], wanted: Funds, funding: Mapping[int, int]) -> list[Movement]:
    """Movements, in indicator order, that bring `holds` to what the node wants.

    `funding` maps indicator ids to the fen that the document's form takes from each; it matters for FROZEN only.
    BlockedError(code `funds_spent`) when spent money would have to be promised again.
    """
    current = {hold.indicator_id: hold for hold in holds}
    moves: list[Movement] = []
    if wanted is Funds.KEEP:
        return moves
    for indicator in sorted(current.keys() | (funding.keys() if wanted is Funds.FROZEN else set())):
        hold = current.get(indicator, Hold(indicator))
        if wanted is Funds.FREE:
            moves += _some(indicator, MovementKind.RELEASE, hold.frozen_fen)
            moves += _some(indicator, MovementKind.REVERSE, hold.used_fen)
        elif wanted is Funds.USED:
            moves += _some(indicator, MovementKind.USE, hold.frozen_fen)
        else:
            if hold.used_fen:
                raise BlockedError("资金已经使用，不能再转为冻结", code="funds_spent")
            difference = funding.get(indicator, 0) - hold.frozen_fen
            moves += _some(indicator, MovementKind.FREEZE, difference)
            moves += _some(indicator, MovementKind.RELEASE, -difference)
    return moves


def _some(indicator: int, kind: MovementKind, amount: int) -> list[Movement]:
    return [Movement(indicator, kind, amount)] if amount > 0 else []


def replay(movements: Iterable[Movement]) -> dict[int, tuple[int, int]]:
    """Frozen and used fen of each indicator as its movements say; must equal the balances."""
    totals: dict[int, tuple[int, int]] = {}
    for move in movements:
        frozen, used = totals.get(move.indicator_id, (0, 0))
        totals[move.indicator_id] = (frozen + move.frozen_change, used + move.used_change)
    return totals

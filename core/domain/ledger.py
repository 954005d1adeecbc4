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
    """freeze: available → frozen; release: back; use: frozen → used; reverse: used → available.

    grant and revoke change the total of a document's own account.
    """

    FREEZE = "freeze"
    RELEASE = "release"
    USE = "use"
    REVERSE = "reverse"
    GRANT = "grant"
    REVOKE = "revoke"


MOVEMENT_LABELS = {
    MovementKind.FREEZE: "冻结",
    MovementKind.RELEASE: "解冻退回",
    MovementKind.USE: "使用",
    MovementKind.REVERSE: "使用退回",
    MovementKind.GRANT: "额度增加",
    MovementKind.REVOKE: "额度减少",
}


# How the record calls what finance pushes (an increase, a total), and all by which budgets come onto the platform.
PUSHES = ("finance.indicator", "finance.budget")
IMPORTS = (*PUSHES, "budget.import")


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
        return _FROZEN_SIGN.get(self.kind, 0) * self.amount_fen

    @property
    def used_change(self) -> int:
        """Change of `used` in fen."""
        return _USED_SIGN.get(self.kind, 0) * self.amount_fen

    @property
    def total_change(self) -> int:
        """Change of `total` in fen."""
        return _TOTAL_SIGN.get(self.kind, 0) * self.amount_fen


_FROZEN_SIGN = {MovementKind.FREEZE: 1, MovementKind.RELEASE: -1, MovementKind.USE: -1}
_USED_SIGN = {MovementKind.USE: 1, MovementKind.REVERSE: -1}
_TOTAL_SIGN = {MovementKind.GRANT: 1, MovementKind.REVOKE: -1}


def settle(
    holds: Iterable[Hold], wanted: Funds, funding: Mapping[int, int], spent_fen: int = 0
) -> list[Movement]:
    """Movements, in indicator order, that bring `holds` to what the node wants.

    `funding` maps indicator ids to the fen that the document's form takes from each; `spent_fen` is what was taken
    from the document's own account. BlockedError(code `funds_spent`) when spent money would have to be promised again.
    """
    current = {hold.indicator_id: hold for hold in holds}
    moves: list[Movement] = []
    if wanted is Funds.KEEP:
        return moves
    for indicator in sorted(current.keys() | funding.keys()):
        hold = current.get(indicator, Hold(indicator))
        if wanted is Funds.FREE:
            moves += _to(hold, 0, 0)
        elif wanted is Funds.USED:
            moves += _to(hold, 0, funding.get(indicator, 0))
        elif wanted is Funds.SPENT:
            kept = min(hold.used_fen, spent_fen)
            spent_fen -= kept
            moves += _to(hold, 0, kept)
        elif wanted is Funds.RAISED:
            moves += _to(hold, max(funding.get(indicator, 0) - hold.used_fen, 0), hold.used_fen)
        elif hold.used_fen:
            raise BlockedError("资金已经使用，不能再转为冻结", code="funds_spent")
        else:
            moves += _to(hold, funding.get(indicator, 0), 0)
    return moves


def _to(hold: Hold, frozen: int, used: int) -> list[Movement]:
    """Movements from a hold to these amounts; each kind at most once, and never below nothing on the way."""
    back = max(hold.used_fen - used, 0)
    use = max(used - hold.used_fen, 0)
    freeze = frozen + use - hold.frozen_fen
    key = hold.indicator_id
    return [
        *_some(key, MovementKind.REVERSE, back),
        *_some(key, MovementKind.RELEASE, -freeze),
        *_some(key, MovementKind.FREEZE, freeze),
        *_some(key, MovementKind.USE, use),
    ]


def _some(indicator: int, kind: MovementKind, amount: int) -> list[Movement]:
    return [Movement(indicator, kind, amount)] if amount > 0 else []


def replay(movements: Iterable[Movement]) -> dict[int, tuple[int, int]]:
    """Frozen and used fen of each indicator as its movements say; must equal the balances."""
    totals: dict[int, tuple[int, int]] = {}
    for move in movements:
        frozen, used = totals.get(move.indicator_id, (0, 0))
        totals[move.indicator_id] = (frozen + move.frozen_change, used + move.used_change)
    return totals


def granted(movements: Iterable[Movement]) -> dict[int, int]:
    """Total fen of each document's own account as its movements say; must equal its balance."""
    totals: dict[int, int] = {}
    for move in movements:
        if move.total_change:
            totals[move.indicator_id] = totals.get(move.indicator_id, 0) + move.total_change
    return totals

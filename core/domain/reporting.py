"""Figures of contracts and payments for reports: pure sums over facts, in fen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

CATEGORIES = {"A": "货物", "B": "工程", "C": "服务"}  # the first letter of a catalogue code
SMALL = ("medium", "small", "micro")
TINY = ("small", "micro")


@dataclass(frozen=True)
class ContractFacts:
    """A filed contract as reports see it. `paid_fen` is net of write-offs; `method` and `size` are labels.

    `due_fen` is what it may still take of its project's money, `held_fen` and `account_used_fen` are the ledger's.
    """

    number: str
    name: str
    unit_name: str
    supplier: str
    size: str
    category: str
    method: str
    signed_on: str
    node_label: str
    amount_fen: int
    fiscal_fen: int
    other_fen: int
    small_fen: int
    micro_fen: int
    reserve: str
    reserved: bool
    paid_fen: int
    written_off_fen: int
    ended: bool
    held_fen: int
    account_used_fen: int

    @property
    def open_fen(self) -> int:
        """What is still to be paid; nothing once the contract has ended."""
        return 0 if self.ended else self.amount_fen - self.paid_fen

    @property
    def ties(self) -> bool:
        """Whether documents and ledger say the same."""
        held = self.paid_fen if self.ended else self.amount_fen
        return self.held_fen == held and self.account_used_fen == self.paid_fen


@dataclass(frozen=True)
class Column:
    """One column of figures."""

    label: str
    of: Callable[[ContractFacts], int]
    money: bool = True


COLUMNS = (
    Column("合同份数", lambda _contract: 1, money=False),
    Column("合同金额", lambda c: c.amount_fen),
    Column("其中财政性资金", lambda c: c.fiscal_fen),
    Column("其中其他资金", lambda c: c.other_fen),
    Column("授予中小企业金额", lambda c: c.small_fen),
    Column("已支付", lambda c: c.paid_fen),
    Column("未支付", lambda c: c.open_fen),
)


def category_of(codes: Mapping[str, int]) -> str:
    """Category of the catalogue codes (code → fen) with the largest amount; the earlier letter where they are equal."""
    sums: dict[str, int] = {}
    for code, fen in codes.items():
        sums[code[:1]] = sums.get(code[:1], 0) + fen
    letter = min(sums, key=lambda key: (-sums[key], key), default="")
    return CATEGORIES.get(letter, "其他")


def within(signed_on: str, since: date | None, until: date | None) -> bool:
    """Whether a day lies in the period; both ends belong to it."""
    return (since is None or signed_on >= since.isoformat()) and (
        until is None or signed_on <= until.isoformat()
    )


def grouped(
    contracts: Iterable[ContractFacts], key: Callable[[ContractFacts], str], order: Sequence[str] = ()
) -> list[tuple[str, tuple[int, ...]]]:
    """A row of sums for each group: those of `order` first, whether there are any or not; the last row is the total."""
    everything = list(contracts)
    names = list(dict.fromkeys([*order, *sorted({key(contract) for contract in everything})]))
    rows = [(name, _sums(c for c in everything if key(c) == name)) for name in names]
    return [*rows, ("合计", _sums(everything))]


def _sums(contracts: Iterable[ContractFacts]) -> tuple[int, ...]:
    everything = list(contracts)
    return tuple(sum(column.of(contract) for contract in everything) for column in COLUMNS)

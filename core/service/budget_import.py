"""Budgets as finance states them, from a file or pushed: each line says what an indicator's total is now.

Stating the same again changes nothing. Another total becomes a movement of the difference, never below what documents
have frozen and used; one line that cannot be taken keeps all of them out, and every such cell is named.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Account, Unit
from core.domain.money import yuan
from core.domain.rights import Capability
from core.service import list_import, rights
from core.service.budget_lines import BudgetLine, bad_cell, read
from core.service.list_import import BadCell, Report
from core.service.list_ports import Spreadsheets
from core.service.ports import BudgetChange, Indicator, Transaction
from core.service.system import System

Key = tuple[int, int, str]  # unit, year, code


@dataclass(frozen=True)
class Origin:
    """Who stated totals, and with which file or message (a new `source` each time).

    `as_of`: a push, and when finance knew this; None: a file, which says how things are now.
    `region`: whose units alone it may state; empty for all. `left`: sheets of the file that were not read.
    """

    by: str
    source: str
    as_of: datetime | None = None
    region: str = ""
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How many lines did what, and by how much the totals grew (fen). `outdated`: a later statement came earlier.

    `left`: sheets with something in them that were not read.
    """

    added: int = 0
    raised: int = 0
    lowered: int = 0
    renamed: int = 0
    same: int = 0
    outdated: int = 0
    change_fen: int = 0
    left: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is not as it was."""
        return bool(self.added or self.raised or self.lowered or self.renamed)

    @property
    def said(self) -> str:
        """For people."""
        parts = {
            "新增": self.added, "调增": self.raised, "调减": self.lowered, "改名": self.renamed, "没有变化": self.same,
            "已有更新的数、没有用": self.outdated,
        }  # fmt: skip
        counted = "，".join(f"{label} {count} 条" for label, count in parts.items() if count)
        left = f"；文件里的工作表“{'”“'.join(self.left)}”也有内容，没有读" if self.left else ""
        return f"{counted}；总额{'增加' if self.change_fen >= 0 else '减少'} {yuan(abs(self.change_fen))} 元{left}"


def may_upload(system: System, actor: Account) -> None:
    """ForbiddenError, naming who may, unless the actor may bring in budgets as a file."""
    rights.require(system, actor, Capability.IMPORT_BUDGETS)


def preview(system: System, actor: Account, content: bytes, sheets: Spreadsheets) -> Outcome:
    """What `upload` would do; nothing is changed. Errors as there."""
    may_upload(system, actor)
    book = list_import.opened(content, sheets)
    lines, wrong = read(book.rows)
    origin = Origin(actor.login, "", region=actor.region, left=book.left)
    with system.database.read() as tx:
        return _compared(tx, lines, origin, wrong, lock=False).outcome


def upload(system: System, actor: Account, content: bytes, sheets: Spreadsheets) -> Outcome:
    """Take in a file for units of the actor's region.

    ForbiddenError without the capability `import_budgets`; InvalidError as `import_file`.
    """
    may_upload(system, actor)
    return import_file(system, content, sheets, by=actor.login, region=actor.region)


def import_file(
    system: System, content: bytes, sheets: Spreadsheets, *, by: str, region: str = ""
) -> Outcome:
    """Take in a file for units of a region, or of any; `by` stands in the audit.

    InvalidError: code `bad_list` names every bad cell, `bad_spreadsheet` what is wrong with the file.
    """
    book = list_import.opened(content, sheets)
    lines, wrong = read(book.rows)
    source = f"file:{hashlib.sha256(content).hexdigest()[:16]}@{system.clock().isoformat()}"
    with system.database.write() as tx:
        return take_in(system, tx, lines, Origin(by, source, region=region, left=book.left), wrong)


def units_of(tx: Transaction, lines: Sequence[BudgetLine]) -> dict[tuple[str, str], Unit]:
    """(division, code) → unit, of all lines at once."""
    found = tx.accounts.units_of({line.division for line in lines}) if lines else []
    return {(unit.division, unit.code): unit for unit in found}


def _unknown(lines: Sequence[BudgetLine], units: Mapping[tuple[str, str], Unit]) -> list[BadCell]:
    said = "没有这个单位，请核对区划编码和预算单位编码"
    return [bad_cell(line.row, "unit", said) for line in lines if (line.division, line.unit) not in units]


@dataclass(frozen=True)
class _Compared:
    """What is stated beside what there is: lines by indicator, indicators known, and the region of each."""

    wanted: Mapping[Key, BudgetLine]
    known: Mapping[Key, Indicator]
    regions: Mapping[Key, str]
    outcome: Outcome


def _compared(
    tx: Transaction, lines: Sequence[BudgetLine], origin: Origin, unread: Sequence[BadCell], *, lock: bool
) -> _Compared:
    units = {key: unit for key, unit in units_of(tx, lines).items() if origin.region in {"", unit.region}}
    good = [line for line in lines if (line.division, line.unit) in units]
    wanted = {(units[line.division, line.unit].id, line.year, line.code): line for line in reversed(good)}
    known = {
        (one.unit_id, one.year, one.code): one
        for one in tx.ledger.budgets({key[0] for key in wanted}, {key[1] for key in wanted}, lock=lock)
    }
    wrong = [
        *unread,
        *_unknown(lines, units),
        *_repeated(good, units, wanted),
        *(cell for key, line in wanted.items() if (cell := _refused(line, known.get(key), origin.as_of))),
    ]
    list_import.refuse(Report("", wrong=tuple(sorted(wrong, key=lambda cell: (cell.row, cell.column)))))
    regions = {key: units[line.division, line.unit].region for key, line in wanted.items()}
    return _Compared(wanted, known, regions, _counted(wanted, known, origin))


def take_in(
    system: System,
    tx: Transaction,
    lines: Sequence[BudgetLine],
    origin: Origin,
    unread: Sequence[BadCell] = (),
) -> Outcome:
    """Bring the totals to what the lines say, in the caller's transaction.

    InvalidError names every cell that cannot be taken, `unread` ones too; then nothing is changed.
    """
    compared = _compared(tx, lines, origin, unread, lock=True)
    wanted, known, regions = compared.wanted, compared.known, compared.regions
    now = system.clock()
    fresh = [
        {
            "unit_id": key[0], "year": key[1], "code": key[2], "name": line.name, "total_fen": line.total_fen,
            "stated_at": origin.as_of,
        }
        for key, line in wanted.items() if key not in known
    ]  # fmt: skip
    changes = [
        BudgetChange(one.id, line.total_fen - one.total_fen, line.name, origin.as_of)
        for key, line in wanted.items()
        if (one := known.get(key))
        and not _outdated(one, origin.as_of)
        and (origin.as_of or _differs(one, line))
    ]
    tx.ledger.add_budgets(fresh, origin.source, now)
    tx.ledger.change_budgets(changes, origin.source, now)
    outcome = compared.outcome
    if origin.as_of:
        current = {key: line for key, line in wanted.items() if not _outdated(known.get(key), origin.as_of)}
        _record_each(tx, current, regions, origin.by, now)
    elif outcome.changed:
        for region in sorted(set(regions.values())):
            tx.records.audit(region, now, origin.by, "budget.import", origin.source, {**vars(outcome)})
    return outcome


def _repeated(
    lines: Sequence[BudgetLine], units: Mapping[tuple[str, str], Unit], first: Mapping[Key, BudgetLine]
) -> list[BadCell]:
    found = []
    for line in lines:
        other = first[units[line.division, line.unit].id, line.year, line.code]
        if other.row != line.row:
            found.append(bad_cell(line.row, "code", f"与第 {other.row} 行是同一个指标"))
    return found


def _refused(line: BudgetLine, one: Indicator | None, as_of: datetime | None) -> BadCell | None:
    if one is None or _outdated(one, as_of):
        return None
    if one.document_id is not None:
        return bad_cell(line.row, "code", "这是单据自己的额度，不是预算指标")
    taken = one.frozen_fen + one.used_fen
    if line.total_fen < taken:
        return bad_cell(line.row, "total_fen", f"已经冻结和使用 {yuan(taken)} 元，总额不能低于它")
    return None


def _outdated(one: Indicator | None, as_of: datetime | None) -> bool:
    return bool(one and as_of and one.stated_at and as_of < one.stated_at)


def _differs(one: Indicator, line: BudgetLine) -> bool:
    return (one.total_fen, one.name) != (line.total_fen, line.name)


def _counted(wanted: Mapping[Key, BudgetLine], known: Mapping[Key, Indicator], origin: Origin) -> Outcome:
    counts: Counter[str] = Counter()
    change = 0
    for key, line in wanted.items():
        what, difference = _what(line, known.get(key), origin.as_of)
        counts[what] += 1
        change += difference
    return Outcome(**counts, change_fen=change, left=origin.left)


def _what(line: BudgetLine, one: Indicator | None, as_of: datetime | None) -> tuple[str, int]:
    """What a line does, as `Outcome` counts it, and its change in fen."""
    if one is None:
        return "added", line.total_fen
    if _outdated(one, as_of):
        return "outdated", 0
    change = line.total_fen - one.total_fen
    if change:
        return ("raised" if change > 0 else "lowered"), change
    return ("same" if one.name == line.name else "renamed"), 0


def _record_each(
    tx: Transaction, lines: Mapping[Key, BudgetLine], regions: Mapping[Key, str], by: str, at: datetime
) -> None:
    """Each total that finance stated, as budget queries look it up."""
    for key, line in lines.items():
        body = {
            "division": line.division, "unit": line.unit, "year": line.year, "code": line.code,
            "name": line.name, "total_fen": line.total_fen,
        }  # fmt: skip
        tx.records.audit(regions[key], at, by, "finance.budget", line.code, body)

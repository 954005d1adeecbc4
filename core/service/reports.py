"""Reports from contracts and payments: the finance ministry's tables, the reserve for small firms, what has been paid.

All figures come from the documents; each report says whether they tie to the ledger.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.errors import BlockedError, InvalidError, NotFoundError
from core.domain.money import yuan
from core.domain.reporting import CATEGORIES, COLUMNS, ContractFacts, grouped
from core.service import contract_facts, entering, situations
from core.service.system import System

Cell = str | int | float  # whole numbers count, floats are yuan


@dataclass(frozen=True)
class Kind:
    """A report: a table of sums by `key`, or (without one) a line for each contract."""

    id: str
    label: str
    key: Callable[[ContractFacts], str] | None = None
    order: tuple[str, ...] = ()


# fj-11.2.1 and fj-11.2.2 name the first and the last; the others follow the same pattern under names of our own.
KINDS = {
    kind.id: kind
    for kind in (
        Kind("funds", "01-政府采购资金情况表", lambda c: c.category, tuple(CATEGORIES.values())),
        Kind("methods", "政府采购方式情况表", lambda c: c.method),
        Kind("firms", "政府采购授予企业情况表", lambda c: c.size or "未填"),
        Kind("contracts", "单位采购合同信息统计-表一"),
    )
}
# Column of the contracts' table: label for people, code in the upload file, value.
_CONTRACT: tuple[tuple[str, str, Callable[[ContractFacts], Cell]], ...] = (
    ("合同编号", "HTBH", lambda c: c.number),
    ("合同名称", "HTMC", lambda c: c.name),
    ("采购单位", "CGDW", lambda c: c.unit_name),
    ("供应商", "GYS", lambda c: c.supplier),
    ("供应商规模", "GYSGM", lambda c: c.size),
    ("采购类别", "CGLB", lambda c: c.category),
    ("采购方式", "CGFS", lambda c: c.method),
    ("签订日期", "QDRQ", lambda c: c.signed_on),
    ("合同状态", "HTZT", lambda c: c.node_label),
    ("合同金额", "HTJE", lambda c: c.amount_fen / 100),
    ("其中财政性资金", "CZZJ", lambda c: c.fiscal_fen / 100),
    ("其中其他资金", "QTZJ", lambda c: c.other_fen / 100),
    ("已支付", "YZF", lambda c: c.paid_fen / 100),
    ("未支付", "WZF", lambda c: c.open_fen / 100),
)


@dataclass(frozen=True)
class Report:
    """A finished table; the last row is the total. `untied` are numbers of contracts that differ from the ledger."""

    id: str
    label: str
    period: str
    header: tuple[str, ...]
    codes: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    untied: tuple[str, ...]

    @property
    def tie(self) -> str:
        """What to write under the table."""
        return f"与账本不一致的合同：{'、'.join(self.untied)}" if self.untied else "与账本核对一致"


@dataclass(frozen=True)
class Paid:
    """What has been paid of a contract (fj-6.2), in fen; `waiting` is under review, `lines` are (number, node, fen)."""

    number: str
    name: str
    amount_fen: int
    paid_fen: int
    written_off_fen: int
    waiting_fen: int
    open_fen: int
    lines: tuple[tuple[str, str, int], ...]

    @property
    def said(self) -> str:
        """In one sentence."""
        off = f"（已扣掉冲销 {yuan(self.written_off_fen)} 元）" if self.written_off_fen else ""
        waiting = f"，另有 {yuan(self.waiting_fen)} 元在审核" if self.waiting_fen else ""
        return (
            f"合同 {self.number} 共 {yuan(self.amount_fen)} 元，已付 {yuan(self.paid_fen)} 元{off}，"
            f"还没付 {yuan(self.open_fen)} 元{waiting}。"
        )


def report(
    system: System, viewer: Account, kind_id: str, since: date | None = None, until: date | None = None
) -> Report:
    """One table over the contracts of the viewer's scope signed in the period; NotFoundError for an unknown one.

    InvalidError where the period ends before it begins.
    """
    kind = KINDS.get(kind_id)
    if kind is None:
        raise NotFoundError(f"没有这张报表，现有：{'、'.join(item.label for item in KINDS.values())}")
    if since and until and since > until:
        raise InvalidError("开始日期不能晚于结束日期", fields={"until": "早于开始日期"})
    with system.database.read() as tx:
        contracts = contract_facts.collect(system, tx, viewer, since, until)
    period = f"{since or '最早'} 至 {until or '今天'}"
    untied = tuple(contract.number for contract in contracts if not contract.ties)
    if kind.key is None:
        header, codes = tuple(item[0] for item in _CONTRACT), tuple(item[1] for item in _CONTRACT)
        rows = _contract_rows(contracts)
    else:
        header = ("项目", *(column.label for column in COLUMNS))
        codes = ("XM", "HTFS", "HTJE", "CZZJ", "QTZJ", "ZXQY", "YZF", "WZF")
        rows = tuple((name, *_cells(sums)) for name, sums in grouped(contracts, kind.key, kind.order))
    return Report(kind.id, kind.label, period, header, codes, rows, untied)


def _cells(sums: Sequence[int]) -> tuple[Cell, ...]:
    return tuple(fen / 100 if column.money else fen for column, fen in zip(COLUMNS, sums, strict=True))


def _contract_rows(contracts: list[ContractFacts]) -> tuple[tuple[Cell, ...], ...]:
    sums = (
        sum(contract.amount_fen for contract in contracts), sum(contract.fiscal_fen for contract in contracts),
        sum(contract.other_fen for contract in contracts), sum(contract.paid_fen for contract in contracts),
        sum(contract.open_fen for contract in contracts),
    )  # fmt: skip
    texts = ("合计", f"{len(contracts)} 份", *[""] * (len(_CONTRACT) - len(sums) - 2))
    lines = (tuple(of(contract) for _, _, of in _CONTRACT) for contract in contracts)
    return (*lines, (*texts, *(fen / 100 for fen in sums)))


def paid(system: System, viewer: Account, number: str) -> Paid:
    """What was paid of a contract that the viewer may see, what waits, what is open; BlockedError for other kinds."""
    with system.database.read() as tx:
        document = situations.find(tx, viewer, number)
        if document.kind != "contract":
            raise BlockedError(f"{document.number} 不是合同；查支付请给合同编号")
        known = contract_facts.facts(system, tx, document, tx.accounts.unit(document.unit_id))
        payments = [d for d in tx.documents.descendants(document.id) if d.kind == "payment"]
        lines = tuple(
            (d.number, system.processes.version(d.process_version, tx).node(d.node).label, d.amount_fen)
            for d in payments
        )
        waiting = sum(d.amount_fen for d in payments if d.node == "unit_second")
        return Paid(
            document.number, document.title, known.amount_fen, known.paid_fen, known.written_off_fen, waiting,
            known.open_fen, lines,
        )  # fmt: skip


def fill_reserved(system: System, actor: Account, number: str, *, version: int, key: str) -> Document:
    """Work out the reserve for small firms of the period that a draft of the notice names, and put it in (fj-8.4).

    Errors as `entering.save`; BlockedError where the draft has no period.
    """
    with system.database.read() as tx:
        draft = situations.find(tx, actor, number)
        try:
            since, until = (
                date.fromisoformat(str(draft.form.get(name))) for name in ("starts_on", "ends_on")
            )
        except ValueError:
            raise BlockedError(
                "请先填统计开始日期和结束日期，再查询",
                fields={"starts_on": "先填日期", "ends_on": "先填日期"},
            ) from None
        contracts = contract_facts.collect(system, tx, actor, since, until)
    rows = [
        {
            "contract": c.number,
            "project": c.name,
            "reserve": c.reserve,
            "small_fen": c.small_fen,
            "micro_fen": c.micro_fen,
        }
        for c in contracts
        if c.reserved
    ]
    queried = {
        "queried_on": system.today.isoformat(),
        "queried_from": since.isoformat(),
        "queried_until": until.isoformat(),
    }
    form = {**draft.form, "figures": "computed", "rows": rows, **queried}
    return entering.save(system, actor, number, form, version=version, key=key)

"""Facts of filed contracts for reports: from the contract, the documents above and below it, and the ledger."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from core.domain import forms
from core.domain.accounts import Account, Unit
from core.domain.documents import Document
from core.domain.errors import ForbiddenError
from core.domain.process import NodeType, Process
from core.domain.reporting import SMALL, TINY, ContractFacts, category_of, within
from core.service import situations
from core.service.ports import Transaction
from core.service.system import System

_NOT_VALID = {
    "cancelled",
    "void",
    "entry",
    "unit_second",
}  # a contract that was withdrawn is being entered anew


def collect(
    system: System, tx: Transaction, viewer: Account, since: date | None = None, until: date | None = None
) -> list[ContractFacts]:
    """Filed contracts of the viewer's scope that were signed in the period, oldest first.

    ForbiddenError for roles that look after no buyer.
    """
    units = {unit.id: unit for unit in tx.reports.scope(viewer)}
    if not units:
        raise ForbiddenError("报表只给采购单位和它的主管、财政部门看")
    found = tx.reports.documents(units.keys(), ["contract"])
    return [
        facts(system, tx, document, units[document.unit_id])
        for document in reversed(found)
        if counts(document) and within(str(document.form.get("signed_on", "")), since, until)
    ]


def counts(document: Document) -> bool:
    """Whether a contract has been filed and not been withdrawn since."""
    return "filed" in document.trail and document.node not in _NOT_VALID


def facts(system: System, tx: Transaction, document: Document, unit: Unit) -> ContractFacts:
    """All that reports want to know of one contract, its supplements added (their money is the budget's)."""
    process = system.processes.version(document.process_version, tx)
    document = in_force(tx, document, process)
    form = forms.names(process.form.fields, document.form)
    below = tx.documents.descendants(document.id)
    payments = [d for d in below if d.kind == "payment" and d.node == "filed"]
    signed = [document, *(d for d in below if d.kind == "supplement" and d.node in ("filed", "closed"))]
    small, micro = _to_small_firms(document, form, below)
    accounts = [account for d in signed if (account := tx.ledger.account_of(d.id))]
    more = sum(d.amount_fen for d in signed[1:])  # supplements are paid from the same project
    lines = forms.rows(form, "lines")
    supplier = tx.accounts.unit(document.supplier_id).name if document.supplier_id else ""
    return ContractFacts(
        number=document.number, name=document.title, unit_name=unit.name, supplier=supplier,
        size=option(process, "supplier_size", form), category=_category(lines), method=_method(system, tx, document),
        signed_on=str(form.get("signed_on", "")), node_label=process.node(document.node).label,
        amount_fen=document.amount_fen + more,
        fiscal_fen=sum(row.get("fiscal_fen") or 0 for row in lines) + more,
        other_fen=sum(row.get("other_fen") or 0 for row in lines), small_fen=small, micro_fen=micro,
        reserve=option(process, "reserve", form), reserved=form.get("reserve", "none") not in ("none", ""),
        paid_fen=sum(payment.amount_fen for payment in payments),
        written_off_fen=sum(int(payment.form.get("written_off_fen") or 0) for payment in payments),
        ended=process.node(document.node).type is NodeType.END,
        held_fen=sum(hold.used_fen for d in signed for hold in tx.ledger.holds(d.id)),
        account_used_fen=sum(account.used_fen for account in accounts),
    )  # fmt: skip


def in_force(tx: Transaction, document: Document, process: Process) -> Document:
    """The contract with what was last filed of it: a change counts from when it is passed, not while it is asked for."""
    if document.node == "filed" or process.node(document.node).type is NodeType.END:
        return document
    filed = [entry.at for entry in tx.documents.history(document.id) if entry.target == "filed"]
    kept = tx.documents.forms(document.id)
    if not filed or not kept or kept[0].at < filed[-1]:
        return document
    return replace(document, form=kept[0].form, amount_fen=kept[0].amount_fen)


def _to_small_firms(document: Document, form: Mapping[str, Any], below: list[Document]) -> tuple[int, int]:
    """Fen to small and medium firms, and of them to small and micro ones; by subcontracts where it was so reserved."""
    if form.get("reserve") == "subcontract":
        parts = [d for d in below if d.kind == "subcontract" and d.node == "filed"]
        shares = [(str(d.form.get("size", "")), d.amount_fen) for d in parts]
    elif form.get("reserve") in ("whole", "package", "joint"):
        amount = int(form.get("reserve_fen") or 0)
        size = str(form.get("supplier_size", ""))
        shares = [(size if size in SMALL else "medium", amount)]
    else:
        shares = [(str(form.get("supplier_size", "")), document.amount_fen)]
    return sum(fen for size, fen in shares if size in SMALL), sum(fen for size, fen in shares if size in TINY)


def _category(lines: list[Mapping[str, Any]]) -> str:
    sums: dict[str, int] = {}
    for row in lines:
        code = str(row.get("catalogue") or "")
        sums[code] = sums.get(code, 0) + int(row.get("total_fen") or 0)
    return category_of(sums)


def _method(system: System, tx: Transaction, document: Document) -> str:
    """How it was procured: what its plan says, else the kind of plan."""
    if document.parent_id is None:
        return "未填"
    plan = _plan(tx, tx.documents.by_id(document.parent_id))
    process = system.processes.version(plan.process_version, tx)
    named = option(process, "method", forms.names(process.form.fields, plan.form))
    return named or process.variant_label


def _plan(tx: Transaction, above: Document) -> Document:
    """The plan at any height above; of a joint project, where it stands beside the answers, the one that was filed."""
    line = list(situations.line_of(tx, above))
    if plans := [one for one in line if one.kind == "plan"]:
        return plans[0]
    beside = tx.documents.descendants(line[-1].id)
    return next((one for one in beside if one.kind == "plan" and one.node == "filed"), line[-1])


def option(process: Process, name: str, form: Mapping[str, Any]) -> str:
    """Label of what was chosen in a field; empty without such a field or choice."""
    field = next((item for item in process.form.fields if item.id == name), None)
    options = {item.value: item.label for item in field.options} if field else {}
    return options.get(str(form.get(name, "")), "")

"""Creating, changing, finding and showing documents."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.domain import forms
from core.domain.accounts import ROLE_LABELS, Account, Role
from core.domain.documents import Document, Entry
from core.domain.errors import BlockedError, ConflictError, ForbiddenError, InvalidError
from core.domain.process import Process
from core.service import once, people, situations
from core.service.offers import offers
from core.service.ports import Transaction
from core.service.system import System
from core.service.views import DocumentSummary, DocumentView, HoldView

_PREFIX = {"plan": "JH", "mall_order": "DD"}
_TITLE_LIMIT = 200


def create(
    system: System,
    actor: Account,
    kind: str,
    variant: str,
    form: Mapping[str, Any],
    *,
    key: str,
    parent: str | None = None,
) -> Document:
    """New document at the start of its process; its mistakes may stand until it is sent on.

    InvalidError names broken fields, ForbiddenError who may enter this kind.
    """
    process = system.processes.current(actor.region, kind, variant)
    with system.database.write() as tx:
        earlier = once.earlier(tx, actor, key, ("create", kind, variant, dict(form), parent))
        if earlier is not None:
            return situations.find(system, tx, actor, earlier["number"])
        document = _new(system, tx, actor, process, form, parent)
        start = process.node(process.start)
        if not people.may(actor, actor.unit, document, start.actors):
            who = "、".join(ROLE_LABELS[item.role] for item in start.actors)
            raise ForbiddenError(f"{process.variant_label}要由{who}录入")
        document = tx.documents.add(document)
        tx.documents.append(document.id, _created(document, actor))
        tx.documents.set_tasks(
            document.id, [(u, a.role) for u, a in people.places(actor.unit, document, start.actors)]
        )
        tx.documents.add_parties(document.id, people.involved(actor.unit, document, process))
        tx.records.audit(
            actor.region, document.created_at, actor.login, "create", document.number, dict(form)
        )
        once.keep(
            tx, actor, key, ("create", kind, variant, dict(form), parent), {"number": document.number}, system
        )
        return document


def _created(document: Document, actor: Account) -> Entry:
    return Entry(
        1, document.created_at, actor.id, actor.label, "create", "录入", document.node, document.node
    )


def _new(
    system: System,
    tx: Transaction,
    actor: Account,
    process: Process,
    form: Mapping[str, Any],
    parent: str | None,
) -> Document:
    now = system.clock()
    above = situations.find(system, tx, actor, parent, lock=True) if parent else None
    if (process.kind == "mall_order") != _takes_orders(above, actor):
        raise BlockedError("只能在本单位已下达的卖场计划上下订单，其他单据不挂在计划上")
    prefix = f"{_PREFIX.get(process.kind, 'DJ')}-{actor.unit.division}-{now.year}"
    number = f"{prefix}-{tx.documents.next_number(prefix):06d}"
    agency, supplier = _outside_units(tx, actor, form)
    return Document(
        id=0, number=number, region=actor.region, kind=process.kind, variant=process.variant,
        process_version=process.version, title=_title(form, process), unit_id=actor.unit.id, author_id=actor.id,
        trail=(process.start,), version=1, form=dict(form), amount_fen=forms.plan_total(form), created_at=now,
        updated_at=now, parent_id=above.id if above else None, agency_id=agency, supplier_id=supplier,
    )  # fmt: skip


def _takes_orders(plan: Document | None, buyer: Account) -> bool:
    return plan is not None and (plan.kind, plan.variant, plan.node, plan.unit_id) == (
        "plan", "mall", "dispatched", buyer.unit.id,
    )  # fmt: skip


def _title(form: Mapping[str, Any], process: Process) -> str:
    """The plan's name, with what the first line calls the thing where that says more."""
    name = str(form.get("name") or process.variant_label)
    lines = form.get("lines")
    first = (
        lines[0].get("name") if isinstance(lines, list) and lines and isinstance(lines[0], Mapping) else None
    )
    return (f"{name}（{first}）" if first and first != name else name)[:_TITLE_LIMIT]


def _outside_units(tx: Transaction, actor: Account, form: Mapping[str, Any]) -> tuple[int | None, int | None]:
    found: list[int | None] = []
    for field, role in (("agency", Role.AGENCY), ("supplier", Role.SUPPLIER)):
        code = form.get(field)
        units = tx.accounts.units_by_code(actor.region, str(code)) if code else []
        chosen = next((u for u in units if tx.accounts.of(u.id, role)), None)
        if code and chosen is None:
            raise InvalidError(
                f"没有编码为“{str(code)[:20]}”的{ROLE_LABELS[role]}", fields={field: "没有这个单位"}
            )
        found.append(chosen.id if chosen else None)
    return found[0], found[1]


def save(
    system: System, actor: Account, number: str, form: Mapping[str, Any], *, version: int, key: str
) -> Document:
    """Change the form where the process lets this account edit. ConflictError when the document moved."""
    with system.database.write() as tx:
        earlier = once.earlier(tx, actor, key, ("save", number, dict(form), version))
        document = situations.find(system, tx, actor, number, lock=True)
        if earlier is not None:
            return document
        process = system.processes.version(document.process_version, tx)
        node = process.node(document.node)
        owner = tx.accounts.unit(document.unit_id)
        if not node.editable:
            raise BlockedError(f"单据现在在“{node.label}”，不能修改；先退回到可修改的环节")
        if not people.may(actor, owner, document, node.actors):
            raise ForbiddenError(f"只有{people.names(tx, owner, document, node.actors)}可以修改")
        agency, supplier = _outside_units(tx, actor, form)
        changed = replace(
            document, form=dict(form), title=_title(form, process), amount_fen=forms.plan_total(form),
            version=document.version + 1, updated_at=system.clock(), agency_id=agency, supplier_id=supplier,
        )  # fmt: skip
        if document.version != version or not tx.documents.replace(document, changed):
            raise ConflictError(
                "单据刚刚被改过，您看到的不是最新内容，请刷新后再改", fields={"version": document.version}
            )
        tx.records.audit(
            document.region, changed.updated_at, actor.login, "save", document.number, dict(form)
        )
        once.keep(tx, actor, key, ("save", number, dict(form), version), {"number": number}, system)
        return changed


def get(system: System, actor: Account, number: str) -> DocumentView:
    """One document with all its page shows; NotFoundError for another unit's."""
    with system.database.read() as tx:
        case = situations.case(system, tx, situations.find(system, tx, actor, number))
        document = case.document
        named = {item.id: item for item in tx.ledger.indicators(document.unit_id)}
        holds = tuple(
            HoldView(named[h.indicator_id].code, named[h.indicator_id].name, h.frozen_fen, h.used_fen)
            for h in tx.ledger.holds(document.id)
        )
        summary = summarise(system, tx, [document])[0]
        return DocumentView(
            document=document, process=case.process, unit=case.owner, summary=summary,
            history=tuple(tx.documents.history(document.id)), offers=offers(case, actor), whose_turn=summary.whose,
            linked=tuple(summarise(system, tx, [child for child, _ in case.linked])), form_errors=case.form_errors,
            holds=holds, certificate=tx.records.certificate(document.id),
        )  # fmt: skip


def listing(
    system: System,
    actor: Account,
    *,
    kind: str | None = None,
    text: str = "",
    node: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[DocumentSummary]:
    """Documents the actor may see, newest first."""
    with system.database.read() as tx:
        found = tx.documents.find(
            actor, kind=kind, words=text.strip(), node=node, todo=False, limit=min(limit, 200), before=before
        )
        return summarise(system, tx, found)


def todo(system: System, actor: Account, limit: int = 100) -> list[DocumentSummary]:
    """Documents where it is this account's turn."""
    with system.database.read() as tx:
        found = tx.documents.find(actor, kind=None, words="", node=None, todo=True, limit=limit, before=None)
        return summarise(system, tx, found)


def summarise(system: System, tx: Transaction, found: Sequence[Document]) -> list[DocumentSummary]:
    """Lines of a list, with whose turn it is."""
    tasks: dict[int, list[str]] = {}
    units = {document.unit_id: tx.accounts.unit(document.unit_id) for document in found}
    for document_id, unit_id, role in tx.documents.tasks([document.id for document in found]):
        if unit_id not in units:
            units[unit_id] = tx.accounts.unit(unit_id)
        tasks.setdefault(document_id, []).append(f"{units[unit_id].name} {ROLE_LABELS[role]}")
    return [
        _summary(
            system.processes.version(d.process_version, tx), d, units[d.unit_id].name, tasks.get(d.id, [])
        )
        for d in found
    ]


def _summary(process: Process, document: Document, unit_name: str, whose: list[str]) -> DocumentSummary:
    return DocumentSummary(
        number=document.number, kind=document.kind, kind_label=process.label, variant=document.variant,
        variant_label=process.variant_label, title=document.title, node=document.node,
        node_label=process.node(document.node).label, amount_fen=document.amount_fen, unit_name=unit_name,
        updated_at=document.updated_at, version=document.version, whose="、".join(whose), id=document.id,
    )  # fmt: skip

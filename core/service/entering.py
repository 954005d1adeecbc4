"""Entering and changing documents of every kind; their mistakes may stand until they are sent on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.domain import form_state
from core.domain.accounts import ROLE_LABELS, Account, Role, Unit
from core.domain.documents import Document, Entry
from core.domain.errors import BlockedError, ConflictError, ForbiddenError, InvalidError
from core.domain.forms import FieldType, rows
from core.domain.process import Parent, Process
from core.service import arriving, attachments, once, people, situations, standings
from core.service.ports import Transaction
from core.service.system import System

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
    """New document at the start of its process, under `parent` where its kind wants one.

    InvalidError names broken fields, ForbiddenError who may enter this kind, BlockedError which document has to be
    above it.
    """
    process = system.processes.current(actor.region, kind, variant)
    request = ("create", kind, variant, dict(form), parent)
    with system.database.write() as tx:
        earlier = once.earlier(tx, actor, key, request)
        if earlier is not None:
            return situations.find(tx, actor, earlier["number"])
        document = create_in(system, tx, actor, process, form, parent=parent)
        once.keep(tx, actor, key, request, {"number": document.number}, system)
        return document


def create_in(
    system: System,
    tx: Transaction,
    actor: Account,
    process: Process,
    form: Mapping[str, Any],
    *,
    parent: str | None,
) -> Document:
    """As `create`, inside a transaction that sees to it that it happens once."""
    above = situations.find(tx, actor, parent, lock=True) if parent else None
    fits(process, above)
    owner = tx.accounts.unit(above.unit_id) if above else actor.unit
    draft = blank(process, owner, actor.id, above, system.clock(), _number(system, tx, process, owner))
    taken = inherited(process, above)
    _only(process, process.start, taken, {**taken, **form})
    draft = _filled(system, tx, draft, process, {**taken, **form})
    refuse_entry(actor, owner, draft, process)
    return _added(system, tx, draft, process, owner, actor)


def spawn(
    system: System,
    tx: Transaction,
    process: Process,
    above: Document,
    row: Mapping[str, Any],
    actor: Account,
) -> Document:
    """A document that an act on `above` brings into being; a row that names a `unit` is entered for that unit."""
    owner = tx.accounts.unit(above.unit_id)
    units = tx.accounts.units_by_code(above.region, str(row["unit"])) if row.get("unit") else []
    owner = units[0] if units else owner
    start = process.node(process.start)
    own = [a for item in start.actors if item.of.value == "unit" for a in tx.accounts.of(owner.id, item.role)]
    author_id = own[0].id if own else above.author_id
    draft = blank(process, owner, author_id, above, system.clock(), _number(system, tx, process, owner))
    known = {item.id for item in process.form.fields}
    values = {**inherited(process, above), **{name: row[name] for name in row.keys() & known}}
    draft = _filled(system, tx, draft, process, values)
    return _added(system, tx, draft, process, owner, actor)


def _added(
    system: System, tx: Transaction, draft: Document, process: Process, owner: Unit, actor: Account
) -> Document:
    document = tx.documents.add(draft)
    attachments.bind(tx, document, process, actor)
    entry = Entry(
        1, document.created_at, actor.id, actor.label, "create", "录入", document.node, document.node
    )
    tx.documents.append(document.id, entry)
    here = process.node(document.node)
    tx.documents.set_tasks(document.id, standings.fresh(tx, document, owner, here).turns)
    tx.documents.add_parties(document.id, people.involved(owner, document, process))
    arriving.arrive(system, tx, document, process, actor)
    tx.records.audit(
        document.region, document.created_at, actor.login, "create", document.number, dict(document.form)
    )
    return document


def fits(process: Process, above: Document | None) -> None:
    """BlockedError where a document of this kind may not be entered here."""
    if process.made:
        raise BlockedError(process.made)
    if above is None:
        if process.alone:
            return
    elif any(_matches(item, above, process.variant) for item in process.parents):
        return
    elif not process.parents:
        raise BlockedError(f"{process.variant_label}不挂在别的单据下面，请直接新建")
    said = next((item.say for item in process.parents if item.say), "")
    raise BlockedError(said or f"{process.label}要从它的上级单据里新建，现在没有合适的上级单据")


def _matches(wanted: Parent, above: Document, variant: str) -> bool:
    return (
        above.kind == wanted.kind
        and (not wanted.variant_in or above.form.get(wanted.variant_in) == variant)
        and (not wanted.variants or above.variant in wanted.variants)
        and (not wanted.nodes or above.node in wanted.nodes)
    )


def refuse_entry(actor: Account, owner: Unit, draft: Document, process: Process) -> None:
    """ForbiddenError, naming who may, where documents of this kind are not the actor's to enter."""
    actors = process.node(process.start).actors
    if not people.may(actor, owner, draft, actors):
        who = "、".join(ROLE_LABELS[item.role] for item in actors)
        raise ForbiddenError(f"{process.variant_label}要由{who}录入")


def may_stand_under(process: Process, above: Document) -> bool:
    """Whether a document of this process may be entered under `above` as it stands."""
    return any(_matches(item, above, process.variant) for item in process.parents)


def inherited(process: Process, above: Document | None) -> dict[str, Any]:
    """What the form takes over from the document above."""
    if above is None:
        return {}
    return {own: above.form[name] for own, name in process.inherits.items() if name in above.form}


def _number(system: System, tx: Transaction, process: Process, owner: Unit) -> str:
    prefix = f"{process.prefix}-{owner.division}-{system.clock().year}"
    return f"{prefix}-{tx.documents.next_number(prefix):06d}"


def blank(
    process: Process, owner: Unit, author_id: int, above: Document | None, now: datetime, number: str = ""
) -> Document:
    """A document with nothing filled in yet, at the start of its process; it is in no database."""
    return Document(
        id=0, number=number, region=process.region, kind=process.kind,
        variant=process.variant, process_version=process.version, title="", unit_id=owner.id, author_id=author_id,
        trail=(process.start,), version=1, form={}, amount_fen=0, created_at=now, updated_at=now,
        parent_id=above.id if above else None, agency_id=above.agency_id if above else None,
        supplier_id=above.supplier_id if above else None,
    )  # fmt: skip


def _filled(
    system: System, tx: Transaction, document: Document, process: Process, values: Mapping[str, Any]
) -> Document:
    refuse_unwritable(values)
    form, amount = situations.complete(system, tx, document, process, values)
    named = _outside_units(tx, document, process, form)
    return replace(
        document, form=form, amount_fen=amount, title=_title(form, process),
        agency_id=named.get("agency_id", document.agency_id),
        supplier_id=named.get("supplier_id", document.supplier_id),
    )  # fmt: skip


def refuse_unwritable(values: Mapping[str, Any]) -> None:
    """InvalidError where something in a form could never be kept."""
    broken = form_state.unwritable(values)
    if broken:
        raise InvalidError(
            "有一处内容不能保存，请重新输入",
            fields={broken[:60]: "含有不能保存的字符、太大的数，或层次太深"},
        )


def _title(form: Mapping[str, Any], process: Process) -> str:
    """What the form calls the document, with what the first line calls the thing where that says more."""
    name = str(form.get(process.form.title) or process.variant_label)
    first = next((str(row.get("name") or "") for row in rows(form, "lines")), "")
    return (f"{name}（{first}）" if first and first != name else name)[:_TITLE_LIMIT]


def _outside_units(
    tx: Transaction, document: Document, process: Process, form: Mapping[str, Any]
) -> dict[str, int | None]:
    """The agency and the supplier that the form names; a code that is nobody's cannot be saved."""
    found: dict[str, int | None] = {}
    for item in process.form.fields:
        if item.type is not FieldType.UNIT or item.role not in {Role.AGENCY, Role.SUPPLIER}:
            continue
        code = form.get(item.id)
        units = tx.accounts.units_by_code(document.region, str(code)) if code else []
        chosen = next((u for u in units if tx.accounts.of(u.id, Role(item.role))), None)
        if code and chosen is None:
            raise InvalidError(
                f"没有编码为“{str(code)[:20]}”的{ROLE_LABELS[Role(item.role)]}",
                fields={item.id: "没有这个单位"},
            )
        found[f"{item.role}_id"] = chosen.id if chosen else None
    return found


def _only(process: Process, node_id: str, before: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Where a node lets only some fields be changed, the others stay as they are; what is worked out follows them."""
    node, locked = process.node(node_id), form_state.locked(process, node_id)
    wrong = [
        item
        for item in process.form.fields
        if item.id in locked
        and not (item.computed or item.default)
        and before.get(item.id) != given.get(item.id)
    ]
    if wrong:
        raise InvalidError(
            f"在“{node.label}”只能改：{'、'.join(f.label for f in process.form.fields if f.id in node.fields)}",
            fields={item.id: "这一步不能改这一项" for item in wrong},
        )


def save(
    system: System, actor: Account, number: str, form: Mapping[str, Any], *, version: int, key: str
) -> Document:
    """Change the form where the process lets this account edit. ConflictError when the document moved."""
    request = ("save", number, dict(form), version)
    with system.database.write() as tx:
        earlier = once.earlier(tx, actor, key, request)
        document = situations.find(tx, actor, number, lock=True)
        if earlier is not None:
            return document
        process = system.processes.version(document.process_version, tx)
        node = process.node(document.node)
        owner = tx.accounts.unit(document.unit_id)
        if not node.editable:
            raise BlockedError(f"单据现在在“{node.label}”，不能修改；先退回到可修改的环节")
        if not people.may(actor, owner, document, node.actors):
            raise ForbiddenError(f"只有{people.names(tx, owner, document, node.actors)}可以修改")
        _only(process, document.node, document.form, form)
        changed = _filled(
            system,
            tx,
            replace(document, version=document.version + 1, updated_at=system.clock()),
            process,
            form,
        )
        if document.version != version or not tx.documents.replace(document, changed):
            raise ConflictError(
                "单据刚刚被改过，您看到的不是最新内容，请刷新后再改", fields={"version": document.version}
            )
        attachments.bind(tx, changed, process, actor)
        tx.records.audit(
            document.region, changed.updated_at, actor.login, "save", document.number, dict(changed.form)
        )
        once.keep(tx, actor, key, request, {"number": number}, system)
        return changed

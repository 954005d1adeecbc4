"""Forms while they are being filled in: what is asked, worked out, wrong and doubtful now. Nothing is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from core.domain import form_state
from core.domain.accounts import Account, Relation, Role, Unit
from core.domain.documents import Document
from core.domain.errors import ForbiddenError
from core.domain.form_state import FormState
from core.domain.forms import Field, FieldType, Review
from core.domain.money import yuan
from core.domain.process import Process
from core.service import entering, people, situations
from core.service.page_ports import Query
from core.service.ports import Indicator, Transaction
from core.service.system import System

_MOST = 300  # choices of a list; more are found by typing


@dataclass(frozen=True)
class Filling:
    """A form as it stands while it is filled in. `number` is empty for a new document, `above` for one that hangs on none."""

    process: Process
    owner: Unit
    number: str
    version: int
    title: str
    values: Mapping[str, Any]
    amount_fen: int
    state: FormState
    review: Review
    above: str = ""
    above_title: str = ""
    choices: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()  # fields that stay as they are where the document stands


@dataclass(frozen=True)
class Entry:
    """A kind and variant that may be entered: by itself (`alone`), or under documents of the kinds `under`."""

    kind: str
    variant: str
    label: str
    variant_label: str
    menu: str
    alone: bool
    under: tuple[tuple[str, str], ...]
    say: str


def new(
    system: System,
    actor: Account,
    kind: str,
    variant: str,
    *,
    parent: str | None = None,
    values: Mapping[str, Any] | None = None,
) -> Filling:
    """A form of a document that does not exist yet; errors as of `entering.create`."""
    process = system.processes.current(actor.region, kind, variant)
    with system.database.read() as tx:
        above = situations.find(tx, actor, parent) if parent else None
        entering.fits(process, above)
        owner = tx.accounts.unit(above.unit_id) if above else actor.unit
        draft = entering.blank(process, owner, actor.id, above, system.clock())
        entering.refuse_entry(actor, owner, draft, process)
        taken = entering.inherited(process, above)
        given = taken if values is None else form_state.kept(process, process.start, taken, values)
        return _filling(system, tx, actor, draft, process, given, above)


def existing(system: System, actor: Account, number: str, values: Mapping[str, Any] | None = None) -> Filling:
    """The form of a document that this account may change now; errors as of `entering.save`."""
    with system.database.read() as tx:
        document = situations.find(tx, actor, number)
        process = system.processes.version(document.process_version, tx)
        node, owner = process.node(document.node), tx.accounts.unit(document.unit_id)
        if not node.editable:
            raise ForbiddenError(
                f"单据现在在“{node.label}”，不能直接改。请在单据页面点“改这份单据”，看怎样拿回来"
            )
        if not people.may(actor, owner, document, node.actors):
            raise ForbiddenError(f"只有{people.names(tx, owner, document, node.actors)}可以修改")
        above = tx.documents.by_id(document.parent_id) if document.parent_id else None
        given = document.form if values is None else values
        return _filling(system, tx, actor, document, process, given, above)


def _filling(
    system: System,
    tx: Transaction,
    actor: Account,
    document: Document,
    process: Process,
    values: Mapping[str, Any],
    above: Document | None,
) -> Filling:
    entering.refuse_unwritable(values)
    form, amount = situations.complete(system, tx, document, process, values)
    case = situations.case(system, tx, replace(document, form=form, amount_fen=amount))
    state = form_state.state(process.form, form, situations.evaluator(case.situation))
    return Filling(
        process=process, owner=case.owner, number=document.number, version=document.version, title=document.title,
        values=form, amount_fen=amount, state=state, review=case.review,
        above=above.number if above else "", above_title=above.title if above else "",
        choices=_choices(system, tx, actor, case.document, process),
        locked=form_state.locked(process, document.node),
    )  # fmt: skip


def _choices(
    system: System, tx: Transaction, actor: Account, document: Document, process: Process
) -> dict[str, tuple[tuple[str, str], ...]]:
    """What may be chosen in fields whose choices are not in the data: `table.column` → (value, label)."""
    found = {}
    for name, item in columns(process.form.fields):
        if item.type is FieldType.INDICATOR:
            found[name] = _indicators(tx, document, item)
        elif item.type is FieldType.UNIT:
            found[name] = _units(tx, document.region, item.role)
        elif item.type is FieldType.DOCUMENT:
            found[name] = _documents(system, tx, actor, document, item)
    return found


def columns(fields: tuple[Field, ...]) -> list[tuple[str, Field]]:
    """Fields and columns by name: `name`, `lines`, `lines.quantity`."""
    return [
        (name, item)
        for outer in fields
        for name, item in (
            (outer.id, outer),
            *((f"{outer.id}.{column.id}", column) for column in outer.fields),
        )
    ]


def _indicators(tx: Transaction, document: Document, item: Field) -> tuple[tuple[str, str], ...]:
    wanted = item.kinds or ("",)
    ids = [each for each, kind in tx.ledger.payers(document.unit_id).items() if kind in wanted]
    found = [known for each in ids[:_MOST] if (known := tx.ledger.indicator(each))]
    return tuple((str(one.id), f"{indicator_name(one)}，可用 {yuan(one.available_fen)} 元") for one in found)


def indicator_name(indicator: Indicator) -> str:
    """`办公设备更新（Z2026-…）`."""
    return f"{indicator.name}（{indicator.code}）"


def _units(tx: Transaction, region: str, role: str) -> tuple[tuple[str, str], ...]:
    roles = [Role(role)] if role else [Role.HANDLER]
    units = [unit for each in roles for unit in tx.accounts.units_with(region, each)]
    return tuple((unit.code, f"{unit.name}（{unit.code}）") for unit in units[:_MOST])


def _documents(
    system: System, tx: Transaction, actor: Account, document: Document, item: Field
) -> tuple[tuple[str, str], ...]:
    found = []
    for kind, node in product(item.kinds or ("",), item.nodes or ("",)):
        for one in tx.lists.find(actor, Query(kind=kind, node=node), limit=_MOST, before=None):
            if one.unit_id == document.unit_id:
                process = system.processes.version(one.process_version, tx)
                found.append((one.number, f"{one.title}（{one.number}，{process.node(one.node).label}）"))
    return tuple(found)


def entries(system: System, actor: Account) -> list[Entry]:
    """What this account may enter, in the order of the region's data."""
    found = _current(system, actor.region)
    return [_entry(system, one) for one in found if not one.made and _enters(actor, one)]


def _current(system: System, region: str) -> list[Process]:
    kinds = system.processes.kinds(region)
    return [process for kind in kinds for process in system.processes.variants(region, kind)]


def _enters(actor: Account, process: Process) -> bool:
    """Whether the account's role enters such documents; of which unit is seen where one is entered."""
    actors = process.node(process.start).actors
    return any(item.role is actor.role and item.of is not Relation.SYSTEM for item in actors)


def _entry(system: System, process: Process) -> Entry:
    kinds = dict.fromkeys(parent.kind for parent in process.parents)
    under = tuple((kind, system.processes.variants(process.region, kind)[0].label) for kind in kinds)
    say = next((parent.say for parent in process.parents if parent.say), "")
    return Entry(
        process.kind,
        process.variant,
        process.label,
        process.variant_label,
        process.menu,
        process.alone,
        under,
        say,
    )


def under(system: System, actor: Account, number: str) -> list[Entry]:
    """What this account may enter under the document as it stands."""
    with system.database.read() as tx:
        above = situations.find(tx, actor, number)
        owner = tx.accounts.unit(above.unit_id)
        return [
            _entry(system, process)
            for process in _current(system, actor.region)
            if entering.may_stand_under(process, above)
            and people.may(
                actor, owner, entering.blank(process, owner, actor.id, above, system.clock()),
                process.node(process.start).actors,
            )
        ]  # fmt: skip

"""Supervision: warnings over the course of projects (fj-11.1.1); findings are documents of their own (fj-11.1.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.domain.accounts import Account, Unit
from core.domain.documents import Document
from core.domain.errors import ForbiddenError
from core.domain.warning_rules import LEVEL_LABELS, STAGE_LABELS, Rule
from core.service import situations
from core.service.ports import Transaction
from core.service.system import System

_MOST_DOCUMENTS = 2000  # the newest ones are looked at


@dataclass(frozen=True)
class Query:
    """Which warnings to show; empty means all. `words` are part of a title or number, `unit` is a unit's code."""

    stage: str = ""
    level: str = ""
    rule: str = ""
    unit: str = ""
    words: str = ""


@dataclass(frozen=True)
class Raised:
    """A rule that holds for a document now. `project` is the number of the topmost document above it."""

    rule: str
    label: str
    stage: str
    stage_label: str
    level: str
    level_label: str
    number: str
    title: str
    kind_label: str
    node_label: str
    unit_name: str
    project: str
    said: str
    source: str


@dataclass(frozen=True)
class Point:
    """One document in the course of a project; `depth` 0 is the topmost."""

    number: str
    title: str
    kind: str
    kind_label: str
    node_label: str
    amount_fen: int
    depth: int
    raised: tuple[Raised, ...]


def raised(system: System, viewer: Account, query: Query | None = None) -> list[Raised]:
    """Warnings over the viewer's scope as things are now, newest document first.

    ForbiddenError for roles that look after no buyer.
    """
    query = query or Query()
    rules = [rule for rule in system.warnings if _wanted(rule, query)]
    with system.database.read() as tx:
        units = {unit.id: unit for unit in _scope(tx, viewer) if query.unit in ("", unit.code)}
        kinds = {rule.kind for rule in rules}
        found = tx.reports.documents(units.keys(), kinds, limit=_MOST_DOCUMENTS)
        fitting = [d for d in found if query.words in d.title or query.words.upper() in d.number]
        return [item for document in fitting for item in _of(system, tx, document, rules, units)]


def course(system: System, viewer: Account, number: str) -> list[Point]:
    """Every document of the project that a document belongs to, from the first to the last, with its warnings.

    For whoever may see that document; supervisors see the whole way of the units they look after. NotFoundError else.
    """
    with system.database.read() as tx:
        units = {unit.id: unit for unit in tx.reports.scope(viewer)}
        document = tx.documents.by_number(number.strip().upper(), None)
        if document is None or document.unit_id not in units:
            document = situations.find(tx, viewer, number)
        top = situations.topmost(tx, document)
        whole = [top, *tx.documents.descendants(top.id)]
        own = tx.documents.seen(viewer, [d.id for d in whole])
        seen = [d for d in whole if d.unit_id in units or d.id in own]
        depths = {top.id: 0}
        for item in whole[1:]:
            depths[item.id] = depths.get(item.parent_id or 0, 0) + 1
        return [_point(system, tx, item, depths[item.id]) for item in seen]


def rule_labels(system: System) -> dict[str, str]:
    """Rules to choose from: id → label."""
    return {rule.id: rule.label for rule in system.warnings}


def _wanted(rule: Rule, query: Query) -> bool:
    return (
        query.stage in ("", rule.stage.value)
        and query.level in ("", rule.level.value)
        and query.rule in ("", rule.id)
    )


def _scope(tx: Transaction, viewer: Account) -> list[Unit]:
    units = tx.reports.scope(viewer)
    if not units:
        raise ForbiddenError("预警只给采购单位和它的主管、财政部门看")
    return units


def _point(system: System, tx: Transaction, document: Document, depth: int) -> Point:
    process = system.processes.version(document.process_version, tx)
    units = {document.unit_id: tx.accounts.unit(document.unit_id)}
    return Point(
        document.number, document.title, document.kind, process.label, process.node(document.node).label,
        document.amount_fen, depth, tuple(_of(system, tx, document, list(system.warnings), units)),
    )  # fmt: skip


def _of(
    system: System, tx: Transaction, document: Document, rules: list[Rule], units: dict[int, Unit]
) -> Iterator[Raised]:
    asked = [rule for rule in rules if rule.of(document.region, document.kind)]
    if not asked:
        return
    case = situations.case(system, tx, document)
    for rule in asked:
        said = rule.raised(case.situation)
        if said is not None:
            yield Raised(
                rule=rule.id, label=rule.label, stage=rule.stage.value, stage_label=STAGE_LABELS[rule.stage],
                level=rule.level.value, level_label=LEVEL_LABELS[rule.level], number=document.number,
                title=document.title, kind_label=case.process.label,
                node_label=case.process.node(document.node).label, unit_name=units[document.unit_id].name,
                project=situations.topmost(tx, document).number, said=said, source=rule.source,
            )  # fmt: skip

"""What stands around a document: what it hangs on and what hangs on it, its account, earlier forms, files, names."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from core.domain import form_state
from core.domain.accounts import Account
from core.domain.documents import Document, FormVersion
from core.domain.errors import NotFoundError
from core.domain.forms import Field, FieldType, rows
from core.domain.process import Process
from core.service import situations
from core.service.documents import summarise
from core.service.filling import indicator_name
from core.service.page_ports import Attachment
from core.service.ports import Indicator, Transaction
from core.service.system import System
from core.service.views import DocumentSummary

_IDS_END = 2**63


@dataclass(frozen=True)
class Branch:
    """A document of the tree; `depth` 0 is the topmost one, `here` the document itself."""

    summary: DocumentSummary
    depth: int
    here: bool


@dataclass(frozen=True)
class Dossier:
    """`names`: path in the form → what a code there means; `hidden` are fields that the form does not ask for."""

    tree: tuple[Branch, ...]
    account: Indicator | None
    kept: tuple[FormVersion, ...]
    files: tuple[Attachment, ...]
    hidden: frozenset[str]
    names: Mapping[str, str]


@dataclass(frozen=True)
class Comparison:
    """Two forms of one document, the earlier one first; `now` is the form that holds."""

    document: Document
    process: Process
    earlier: FormVersion
    later: FormVersion
    names: tuple[Mapping[str, str], Mapping[str, str]]
    now: bool


def dossier(system: System, actor: Account, number: str) -> Dossier:
    """Of a document that the account may see; documents around it that it may not see are left out."""
    with system.database.read() as tx:
        case = situations.case(system, tx, situations.find(tx, actor, number))
        document, form = case.document, case.process.form
        state = form_state.state(form, document.form, situations.evaluator(case.situation))
        return Dossier(
            tree=_tree(system, tx, actor, document, situations.below(tx, actor, case)),
            account=tx.ledger.account_of(document.id),
            kept=tuple(tx.documents.forms(document.id)),
            files=tuple(tx.attachments.of([document.id])),
            hidden=state.hidden,
            names=names(tx, document, form.fields, document.form),
        )


def _tree(
    system: System, tx: Transaction, actor: Account, document: Document, below: list[Document]
) -> tuple[Branch, ...]:
    line = list(situations.line_of(tx, document))[1:]
    seen = tx.documents.seen(actor, [one.id for one in line])
    above = list(takewhile(lambda one: one.id in seen, line))[::-1]
    children: dict[int, list[Document]] = {}
    for child in below:
        children.setdefault(child.parent_id or 0, []).append(child)
    ordered = [(one, depth) for depth, one in enumerate(above)]
    stack = [(document, len(above))]
    while stack:
        one, depth = stack.pop()
        ordered.append((one, depth))
        stack += [(child, depth + 1) for child in reversed(children.get(one.id, []))]
    lines = summarise(system, tx, [one for one, _ in ordered])
    return tuple(
        Branch(line, depth, one.id == document.id) for line, (one, depth) in zip(lines, ordered, strict=True)
    )


def names(
    tx: Transaction,
    document: Document,
    fields: tuple[Field, ...],
    values: Mapping[str, Any],
    prefix: str = "",
) -> dict[str, str]:
    """What codes of units, numbers of documents and ids of indicators mean, by path."""
    found: dict[str, str] = {}
    for item in fields:
        value, path = values.get(item.id), prefix + item.id
        if item.type is FieldType.TABLE:
            for index, row in enumerate(rows(values, item.id)):
                found |= names(tx, document, item.fields, row, f"{path}.{index}.")
        elif item.type is FieldType.UNIT and isinstance(value, str) and value:
            units = tx.accounts.units_by_code(document.region, value)
            if units:
                found[path] = f"{units[0].name}（{value}）"
        elif item.type is FieldType.INDICATOR and isinstance(value, int) and 0 < value < _IDS_END:
            indicator = tx.ledger.indicator(value)
            if indicator and indicator.unit_id == document.unit_id:
                found[path] = indicator_name(indicator)
        elif item.type is FieldType.DOCUMENT and isinstance(value, str) and value:
            named = tx.documents.by_number(value, None)
            if named and named.unit_id == document.unit_id:
                found[path] = f"{named.title}（{value}）"
    return found


def compare(system: System, actor: Account, number: str, seq: int, other: int | None = None) -> Comparison:
    """A kept form beside a later one (`other`), or beside the form that holds now."""
    with system.database.read() as tx:
        document = situations.find(tx, actor, number)
        process = system.processes.version(document.process_version, tx)
        held = FormVersion(document.version, document.form, document.amount_fen, document.updated_at, "现在")
        kept = {form.seq: form for form in tx.documents.forms(document.id)}
        earlier, later = kept.get(seq), kept.get(other) if other is not None else held
        if earlier is None or later is None:
            raise NotFoundError("没有留存这一版内容")
        meant = [names(tx, document, process.form.fields, form.form) for form in (earlier, later)]
        return Comparison(document, process, earlier, later, (meant[0], meant[1]), other is None)

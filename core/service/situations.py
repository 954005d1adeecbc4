"""What is true of a document now: its process, form mistakes, what hangs on it. Shared by the use cases."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from core.domain import expressions, forms, graph, guards
from core.domain.accounts import Account, Role, Unit
from core.domain.approval import Assignment, Seat, Standing
from core.domain.documents import Document, Entry, Linked, Money, Situation
from core.domain.errors import BlockedError, ForbiddenError, NotFoundError
from core.domain.forms import Field, Known, Review
from core.domain.planner import Given, Subject
from core.domain.process import Action, Guard, NodeType, Process
from core.service import facts, people, standings
from core.service.ports import Transaction
from core.service.system import System

_NAMED_UNDER = 3  # documents named beside one of the wrong kind


@dataclass(frozen=True)
class Case:
    """A document with all that rules look at. `linked` hang on it, at any depth; `standing`: whose turn it is."""

    document: Document
    process: Process
    owner: Unit
    situation: Situation
    linked: tuple[tuple[Document, Process], ...] = ()
    review: Review = field(default_factory=Review)
    standing: Standing = field(default_factory=lambda: Standing(()))
    latest: Entry | None = None  # what was done last, where an act here asks who did it

    @property
    def form_errors(self) -> dict[str, str]:
        """Path in the form → what is wrong there."""
        return self.review.errors

    @cached_property
    def skip(self) -> frozenset[str]:
        """Nodes that this document does not pass."""
        return graph.skipped(self.process, self.situation)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What the planner searches over: the document first, then what hangs on it."""
        document = self.document
        given = Given(document.number, self.process, self.situation, "", self.skip, document.cut)
        below = (_subject(self, child, process) for child, process in self.linked)
        return (Subject(given, document.trail, document.flags), *below)


def _subject(case: Case, document: Document, process: Process) -> Subject:
    above = {d.id: d.number for d in (case.document, *(d for d, _ in case.linked))}
    situation = Situation(
        flags=document.flags, form=forms.names(process.form.fields, document.form), variant=document.variant,
        node=document.node, amount_fen=document.amount_fen, today=case.situation.today,
        values=case.situation.values, known=case.situation.known,
    )  # fmt: skip
    skip = graph.skipped(process, situation)
    given = Given(
        document.number, process, situation, above.get(document.parent_id or 0, ""), skip, document.cut
    )
    return Subject(given, document.trail, document.flags)


def find(tx: Transaction, viewer: Account | None, number: str, *, lock: bool = False) -> Document:
    """Document that the viewer may see; NotFoundError alike for none and for another unit's.

    `lock` it before judging whether it may be changed: what is true of it then stays true until the commit;
    ForbiddenError `read_only` where it was only copied to the viewer.
    """
    sought = number.strip().upper()
    document = tx.documents.by_number(sought, viewer, lock=lock)
    if document is None and lock and tx.documents.by_number(sought, viewer):
        raise ForbiddenError(f"{sought} 是抄送给您看的，只能看，不能办理", code="read_only")
    if document is None:
        raise NotFoundError(
            f"没有找到编号为“{number.strip()[:40]}”的单据，请核对编号", fields={"number": "没有找到"}
        )
    return document


def below(tx: Transaction, viewer: Account, case: Case) -> list[Document]:
    """What hangs on a document, as far as the viewer may see it."""
    seen = tx.documents.seen(viewer, [child.id for child, _ in case.linked])
    return [child for child, _ in case.linked if child.id in seen]


def case(system: System, tx: Transaction, document: Document) -> Case:
    """Everything about a document that rules look at."""
    process = system.processes.version(document.process_version, tx)
    owner = tx.accounts.unit(document.unit_id)
    linked = tuple(
        (child, system.processes.version(child.process_version, tx))
        for child in (tx.documents.descendants(document.id) if document.id else ())
    )
    bare = _situation(system, tx, document, process, owner, linked)
    review = judge(system, tx, document, process, bare)
    situation = replace(bare, form_errors=review.errors)
    standing = standings.of(tx, document, process, owner)
    asked = any(Guard.OWN_LAST in action.guards for action in process.actions_from[document.node])
    latest = tx.documents.history(document.id)[-1] if asked and document.id else None
    return Case(document, process, owner, situation, linked, review, standing, latest)


def _situation(
    system: System,
    tx: Transaction,
    document: Document,
    process: Process,
    owner: Unit,
    linked: tuple[tuple[Document, Process], ...],
) -> Situation:
    numbers = {document.id: document.number, **{d.id: d.number for d, _ in linked}}
    above = tx.documents.by_id(document.parent_id) if document.parent_id else None
    line = line_of(tx, above) if above and process.asks_above else ()
    today = system.today
    values = system.processes.values(document.region)
    return Situation(
        flags=document.flags, form=forms.names(process.form.fields, document.form), variant=document.variant,
        node=document.node, amount_fen=document.amount_fen, division=owner.division, unit_code=owner.code,
        parent=_linked(above, system.processes.version(above.process_version, tx), "") if above else None,
        ancestors=tuple(_linked(d, system.processes.version(d.process_version, tx), "") for d in line),
        facts=partial(facts.fact, system, tx, document, owner),
        children=tuple(_linked(d, p, numbers.get(d.parent_id or 0, "")) for d, p in linked),
        money=_money(tx, document) if process.asks_money and document.id else Money(), today=today,
        values=lambda name, *keys: values.on(name, today, *keys), known=system.catalogue,
    )  # fmt: skip


def line_of(tx: Transaction, document: Document) -> Iterator[Document]:
    """The document and all above it, nearest first: the last one is the topmost."""
    yield document
    while document.parent_id is not None:
        document = tx.documents.by_id(document.parent_id)
        yield document


def topmost(tx: Transaction, document: Document) -> Document:
    """What the whole project hangs on."""
    *_, top = line_of(tx, document)
    return top


def _linked(document: Document, process: Process, above: str) -> Linked:
    ended = process.node(document.node).type is NodeType.END
    return Linked(
        document.number, document.kind, document.variant, document.node, document.flags, ended,
        document.amount_fen, forms.names(process.form.fields, document.form), above,
    )  # fmt: skip


def _money(tx: Transaction, document: Document) -> Money:
    holds, account = tx.ledger.holds(document.id), tx.ledger.account_of(document.id)
    return Money(
        sum(hold.frozen_fen for hold in holds), sum(hold.used_fen for hold in holds),
        account.total_fen if account else 0, account.frozen_fen if account else 0, account.used_fen if account else 0,
    )  # fmt: skip


def seen_by(case: Case, actor: Account) -> Situation:
    """The situation as conditions see it that ask who acts."""
    last = case.latest
    own = (
        last is not None and last.account_id == actor.id and last.source != last.target == case.document.node
    )
    return replace(case.situation, own_last=True) if own else case.situation


def may(case: Case, actor: Account, action: Action) -> bool:
    """Whether it is for `actor` to take `action` where the document stands, as far as roles and votes go."""
    if case.standing.special and not action.by:
        return bool(case.standing.seats_of(standings.seat_of(actor)))
    return people.may(actor, case.owner, case.document, case.process.actors(action, case.document.node))


def turns(case: Case, action: Action) -> Sequence[Seat]:
    """Whose turn `action` is where the document stands, as `may` judges; empty where it is the platform's."""
    if case.standing.special and not action.by:
        return case.standing.turns
    return people.seats(case.owner, case.document, case.process.actors(action, case.document.node))


def refuse_unmet(case: Case, action: Action, situation: Situation) -> None:
    """BlockedError, with every reason, where what `action` wants does not hold in the situation."""
    reasons = guards.refusals(action, situation)
    if reasons:
        raise BlockedError("；".join(reasons), fields={"reasons": reasons, **case.form_errors})


def waited_for(case: Case, actor: Account, action: Action) -> tuple[Assignment, ...]:
    """Opinions and signatures that `actor` has to wait for before it may agree."""
    if not case.standing.rows or not case.process.agrees(action, case.document.node):
        return ()
    seats = case.standing.seats_of(standings.seat_of(actor))
    return tuple(row for seat in seats for row in case.standing.waits(seat))


def evaluator(situation: Situation) -> forms.Evaluate:
    """Works out the form's expressions in a situation."""
    return partial(expressions.evaluate, situation=situation)


def judge(
    system: System, tx: Transaction, document: Document, process: Process, situation: Situation
) -> Review:
    """Mistakes and doubts of the document's form."""
    if not process.form.fields:
        return Review()
    known = Known(
        catalogue=system.catalogue,
        indicators=tx.ledger.payers(document.unit_id) if process.form.asks_indicators else {},
        unit=partial(_unknown_unit, tx, document.region),
        document=partial(_unknown_document, system, tx, document),
        file=partial(_unknown_file, tx, document),
    )
    return forms.review(process.form, document.form, known, evaluator(situation))


def _unknown_unit(tx: Transaction, region: str, code: str, role: str) -> str | None:
    units = tx.accounts.units_by_code(region, code)
    if any(not role or tx.accounts.of(unit.id, Role(role)) for unit in units):
        return None
    return f"没有编码为“{code[:20]}”的单位，请从列表里选"


def _unknown_document(
    system: System, tx: Transaction, document: Document, number: str, item: Field
) -> str | None:
    """A document may name one of its own unit, of the right kind and at the right place."""
    named = tx.documents.by_number(number.strip().upper(), None)
    if named is None or named.unit_id != document.unit_id:
        return f"{item.label}：没有找到编号为“{number[:40]}”的单据"
    if item.kinds and named.kind not in item.kinds:
        return _another_kind(system, tx, named, item)
    if item.nodes and named.node not in item.nodes:
        return f"{item.label}：{named.number} 现在的状态还不能选"
    return None


def _another_kind(system: System, tx: Transaction, named: Document, item: Field) -> str:
    """What was named instead of what the field wants, and what of that stands under it."""
    wanted = "或".join(
        variants[0].label
        for kind in item.kinds
        if (variants := system.processes.variants(named.region, kind))
    )
    under = [one.number for one in tx.documents.descendants(named.id) if one.kind in item.kinds]
    more = f"等 {len(under)} 张" if len(under) > _NAMED_UNDER else ""
    there = f"它下面有 {'、'.join(under[:_NAMED_UNDER])}{more}" if under else f"它下面还没有{wanted}"
    is_one = system.processes.version(named.process_version, tx).label
    return f"{item.label}：{named.number} 是{is_one}，这里要选{wanted}；{there}"


def _unknown_file(tx: Transaction, document: Document, sha256: str) -> str | None:
    """A document may name what its units uploaded, and what it or the document above has named."""
    above = [document.parent_id] if document.parent_id else []
    if any(file.sha256 == sha256 for file in tx.attachments.of([document.id, *above])):
        return None
    units = [unit for unit in (document.unit_id, document.agency_id, document.supplier_id) if unit]
    return None if tx.attachments.uploaded(sha256, units) else "文件没有上传成功，请重新上传"


def complete(
    system: System, tx: Transaction, document: Document, process: Process, values: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """The form with what is computed, and the amount in fen."""
    owner = tx.accounts.unit(document.unit_id)
    situation = _situation(system, tx, document, process, owner, ())
    work_out = evaluator(situation)
    form = forms.complete(process.form, values, work_out)
    return form, forms.amount(process.form, form, work_out)

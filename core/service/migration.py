"""Moving open documents to the current version of their process. Each moves by itself or stays as it is.

A document keeps the version it began with until somebody moves it. It can move where its node is still there (or was
renamed, which the process data say), its form is right by the new rules (unless its author can still mend it there),
its amount does not change under those who approved it, and its money can be brought to where the node wants it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from core.domain.approval import Seat
from core.domain.documents import Document, Entry, Trail
from core.domain.errors import DomainError, NotFoundError
from core.domain.money import yuan
from core.domain.process import NodeType, Process
from core.service import documents, following, funding, limits, people, situations, standings
from core.service.ports import Transaction
from core.service.system import System

ACTION, LABEL = "migrate", "流程改版"


@dataclass(frozen=True)
class Move:
    """What becomes of one open document. `why` says what keeps it on its version; empty: it can move, or has moved."""

    number: str
    title: str
    before: str
    after: str
    source: str
    source_label: str
    target: str
    target_label: str
    why: str = ""


class _OnlyTriedError(Exception):
    """Takes back what a preview has tried."""


class _StaysError(DomainError):
    """The document cannot move."""


def preview(system: System, region: str = "") -> Iterator[Move]:
    """What `move` would do now, tried out and taken back, document by document. `region` empty: all regions."""
    for document, old in _open(system, region):
        yield _tried(system, document, old, keep=False)


def move(system: System, region: str = "") -> Iterator[Move]:
    """Move what can move, one transaction each; stopped half way it goes on where it was the next time."""
    for document, old in _open(system, region):
        yield _tried(system, document, old, keep=True)


def waiting(system: System) -> int:
    """How many open documents are not on the current version."""
    return sum(1 for _ in _open(system, ""))


def _open(system: System, region: str) -> Iterator[tuple[Document, Process]]:
    """Documents that have not ended and whose version is not current, with their process, by version and age."""
    current = {process.version for process in system.processes.all()}
    with system.database.read() as tx:
        versions = sorted(set(tx.documents.versions()) - current)
        processes = [system.processes.version(version, tx) for version in versions]
    for process in processes:
        if region and process.region != region:
            continue
        nodes = [node.id for node in process.nodes.values() if node.type is not NodeType.END]
        yield from ((document, process) for document in documents.standing_at(system, process, nodes))


def _tried(system: System, document: Document, old: Process, *, keep: bool) -> Move:
    new = _current(system, document)
    source, target = old.node(document.node), new.successor(document.node) if new else ""
    outcome = Move(
        document.number, document.title, old.version, new.version if new else "", source.id, source.label,
        target, new.node(target).label if new and target else "",
    )  # fmt: skip
    try:
        if new is None:
            raise _StaysError("新版里没有这类单据了")
        if not target:
            raise _StaysError(f"环节“{source.label}”在新版里没有了，新版也没有写它改叫什么")
        with system.database.write() as tx:
            _move(system, tx, document, old, new)
            _take_back(tried=not keep)
    except _OnlyTriedError:
        return outcome
    except DomainError as error:
        return replace(outcome, why=error.message)
    return outcome


def _take_back(*, tried: bool) -> None:
    if tried:
        raise _OnlyTriedError


def _current(system: System, document: Document) -> Process | None:
    try:
        return system.processes.current(document.region, document.kind, document.variant)
    except NotFoundError:
        return None


def _move(system: System, tx: Transaction, document: Document, old: Process, new: Process) -> None:
    """All that moving changes; an error where the document has to stay."""
    if tx.assignments.live(document.id):
        raise _StaysError("这一步有人在会签、加签、委派或转办，等办完再搬")
    platform, at = tx.accounts.system(document.region), system.clock()
    trail = _trail(new, document.trail)
    after = replace(
        document, process_version=new.version, trail=trail, cut=_cut(new, document.cut),
        version=document.version + 1, updated_at=at,
    )  # fmt: skip
    node = new.node(after.node)
    form, amount = situations.complete(system, tx, after, new, document.form)
    if node.editable:
        after = replace(after, form=form, amount_fen=amount)
    else:
        _still_right(system, tx, document, after, amount)
    if not tx.documents.replace(document, after):
        raise _StaysError("刚才有人在办这张单据，再运行一次就会搬")
    funding.settle(tx, after, new, node, at)
    tx.documents.append(
        after.id,
        Entry(
            after.version, at, platform.id, platform.label, ACTION, LABEL, document.node, after.node,
            f"流程版本 {old.version} → {new.version}",
        ),
    )  # fmt: skip
    owner = tx.accounts.unit(after.unit_id)
    before = old.node(document.node)
    decided = (before.actors, before.approval, document.node in old.finish)
    if (node.actors, node.approval, after.node in new.finish) != decided:
        turn = standings.first_turns(tx, after, new, owner)
        tx.documents.set_tasks(after.id, turn)
        _tell(tx, after, node.label, turn, at)
    tx.documents.add_parties(after.id, people.involved(owner, after, new))
    limits.renew(system, tx, after, new)
    following.follow(system, tx, after, ACTION, platform)
    body = {
        "from": document.node, "to": after.node, "version": after.version, "process": [old.version, new.version],
    }  # fmt: skip
    tx.records.audit(after.region, at, platform.login, ACTION, after.number, body)


def _trail(new: Process, trail: Trail) -> Trail:
    """The live way in the new version: nodes that are gone cannot be returned to any more."""
    names = [name for node in trail if (name := new.successor(node))]
    return tuple(names[: names.index(names[-1]) + 1])  # where two nodes became one, as after a return


def _cut(new: Process, cut: Trail) -> Trail:
    """What the latest return cut off, as long as whoever returned the document is still there to get it back."""
    if not cut or not new.successor(cut[-1]):
        return ()
    return tuple(name for node in cut if (name := new.successor(node)))


def _still_right(system: System, tx: Transaction, document: Document, after: Document, amount: int) -> None:
    """Who approved a form approved it as it is: it has to be right by the new rules without a change."""
    if amount != document.amount_fen:
        said = f"按新版计算，金额会从 {yuan(document.amount_fen)} 元变成 {yuan(amount)} 元"
        raise _StaysError(f"{said}；先退回给录入人改，再搬")
    before = situations.case(system, tx, document).form_errors
    now = situations.case(system, tx, after).form_errors
    fresh = [sentence for path, sentence in now.items() if path not in before]
    if fresh:
        raise _StaysError(f"表单不合新版的要求：{'；'.join(fresh)}；先退回给录入人改，再搬")


def _tell(tx: Transaction, after: Document, label: str, turn: Iterable[Seat], at: datetime) -> None:
    what = f"{after.number} {after.title}：流程改版，现在在“{label}”"
    waiting_ = {account.id for account in people.accounts_at(tx, turn)}
    tx.records.notify(waiting_, after.number, f"{what}，轮到您办理", at)
    tx.records.notify({after.author_id} - waiting_, after.number, what, at)

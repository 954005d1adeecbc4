"""Lists of documents: what waits for an account, what it did, began, got to read or finds late; filters, kept views."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from core.domain import graph
from core.domain.accounts import Account
from core.domain.errors import DomainError, InvalidError
from core.domain.process import Cost, Node, Process
from core.service import acts, situations
from core.service.documents import summarise
from core.service.offers import offers
from core.service.page_ports import Query, SavedView
from core.service.ports import Transaction
from core.service.system import System
from core.service.views import DocumentSummary

FOLDERS = {
    "todo": "待办", "done": "我办过的", "mine": "我录入的", "copied": "抄送我的", "late": "超过期限", "all": "全部",
}  # fmt: skip
_ORDERS = {"todo": "urgent", "late": "urgent", "copied": "copied"}  # the others: newest first
MOST_VIEWS = 20
MOST_AT_ONCE = 50
_NAME_LIMIT = 40
_SIMPLE = {"opinion", "reason"}  # what several documents can be told alike


@dataclass(frozen=True)
class Kind:
    """A kind with the nodes that its documents may stand at, as (id, label)."""

    kind: str
    label: str
    nodes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Common:
    """An act that several documents of a list offer; `asks` are the fields it wants: (name, label, required)."""

    action: str
    label: str
    count: int
    asks: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one document of a batch."""

    number: str
    done: bool
    said: str


def find(
    system: System, actor: Account, query: Query, *, limit: int = 20, before: int | None = None
) -> list[DocumentSummary]:
    """Documents of a list in the order that its query says."""
    with system.database.read() as tx:
        return find_in(system, tx, actor, query, limit, before)


def find_in(
    system: System, tx: Transaction, actor: Account, query: Query, limit: int, before: int | None = None
) -> list[DocumentSummary]:
    """As `find`, inside a transaction."""
    found = tx.lists.find(actor, replace(query, now=system.clock()), limit=limit, before=before)
    lines = summarise(system, tx, found)
    if query.folder != "copied":
        return lines
    notes = tx.copies.notes(actor.desk_id, [line.id for line in lines])
    return [replace(line, copy=notes[line.id]) for line in lines]


def order_of(folder: str) -> str:
    """In which order a list is shown."""
    return _ORDERS.get(folder, "newest")


def rank(folder: str, line: DocumentSummary) -> datetime | None:
    """From where the page after `line` goes on, for `Query.after`."""
    if order_of(folder) == "urgent":
        return line.due.at if line.due else None
    return line.copy.at if line.copy else None


def kinds(system: System, actor: Account) -> list[Kind]:
    """Kinds of the account's region, for filters."""
    found = []
    for kind in system.processes.kinds(actor.region):
        variants = system.processes.variants(actor.region, kind)
        nodes = {node.id: node.label for process in variants for node in _ordered(process)}
        found.append(Kind(kind, variants[0].label, tuple(nodes.items())))
    return found


def _ordered(process: Process) -> list[Node]:
    line = graph.main_line(process)
    return [process.node(name) for name in (*line, *(n for n in process.nodes if n not in line))]


def views(system: System, actor: Account) -> list[SavedView]:
    """Lists that the account keeps."""
    with system.database.read() as tx:
        return tx.lists.views(actor.id)


def keep_view(system: System, actor: Account, name: str, query: Mapping[str, str]) -> None:
    """Keep a list under a name; the same name again replaces it."""
    name = name.strip()
    if not 0 < len(name) <= _NAME_LIMIT:
        raise InvalidError(f"给这个查询起个名字，最多 {_NAME_LIMIT} 字", fields={"name": "请填名字"})
    with system.database.write() as tx:
        known = tx.lists.views(actor.id)
        if len(known) >= MOST_VIEWS and name not in {view.name for view in known}:
            raise InvalidError(f"最多保存 {MOST_VIEWS} 个查询，请先删掉不用的", fields={"name": "太多了"})
        tx.lists.keep_view(actor.id, name, query)


def drop_view(system: System, actor: Account, view_id: int) -> None:
    """Forget a list."""
    with system.database.write() as tx:
        tx.lists.drop_view(actor.id, view_id)


def common(system: System, actor: Account, listed: list[DocumentSummary]) -> list[Common]:
    """Acts that can be taken on several of these documents at once, those that most offer first."""
    count: dict[tuple[str, str], int] = {}
    asks: dict[tuple[str, str], tuple[tuple[str, str, bool], ...]] = {}
    with system.database.read() as tx:
        for line in listed:
            case = situations.case(system, tx, situations.find(tx, actor, line.number))
            for offer in offers(case, actor):
                if offer.irreversible or not {field.name for field in offer.form} <= _SIMPLE:
                    continue
                one = (offer.action, offer.label)
                count[one] = count.get(one, 0) + 1
                asks[one] = tuple((field.name, field.label, field.required) for field in offer.form)
    found = [Common(action, label, n, asks[action, label]) for (action, label), n in count.items() if n > 1]
    return sorted(found, key=lambda one: -one.count)


def act_on_all(
    system: System,
    actor: Account,
    chosen: Mapping[str, int],
    action: str,
    arguments: Mapping[str, str],
    *,
    key: str,
) -> list[Outcome]:
    """Take the same act on several documents (number → version seen), each in a transaction of its own.

    What fails is said in its line and stops none of the others; the same `key` again does nothing twice.
    """
    if not 0 < len(chosen) <= MOST_AT_ONCE:
        raise InvalidError(f"请勾选 1 到 {MOST_AT_ONCE} 张单据", fields={"pick": "请勾选单据"})
    found = []
    for place, (number, version) in enumerate(chosen.items()):
        try:
            asked = _asked(system, actor, number, action, arguments)
            result = acts.perform(
                system, actor, number, action, version=version, arguments=asked, key=f"{key}-{place}"
            )
            found.append(Outcome(number, done=True, said=result.said))
        except DomainError as error:
            found.append(Outcome(number, done=False, said=error.message))
    return found


def _asked(
    system: System, actor: Account, number: str, action: str, arguments: Mapping[str, str]
) -> dict[str, str]:
    """Of the arguments those that this document's act wants; an irreversible act is taken one by one."""
    with system.database.read() as tx:
        document = situations.find(tx, actor, number)
        process = system.processes.version(document.process_version, tx)
    known = process.actions.get(action)
    if known and known.cost is Cost.PUBLIC:
        raise InvalidError(f"“{known.label}”办了不能撤回，请一张一张地办")
    wanted = {name.removesuffix("?") for name in known.form} if known else set()
    return {name: text for name, text in arguments.items() if name in wanted and text}

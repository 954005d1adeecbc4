"""Copies: a document given to somebody to read, by the process or by hand. Who got one may read and nothing else."""

from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Account, Unit
from core.domain.documents import Document
from core.domain.errors import InvalidError
from core.domain.process import Process
from core.service import once, people, situations
from core.service.ports import Transaction
from core.service.system import System

NOTE_LIMIT = 200
MOST = 50  # copies of one document
_TREE_LIMIT = 20  # units above each other


@dataclass(frozen=True)
class Copied:
    """A copy that was given; `said` tells it."""

    number: str
    to: str
    said: str


def give_at(tx: Transaction, document: Document, process: Process, actor: Account) -> None:
    """Give the document to whom the data of its node says; whoever brought it there knows it already."""
    node = process.node(document.node)
    if not node.copies:
        return
    owner = tx.accounts.unit(document.unit_id)
    told = people.accounts_at(tx, people.seats(owner, document, node.copies))
    ids = [account.id for account in told if account.id != actor.id]
    at, note = document.updated_at, f"到“{node.label}”时自动抄送"
    tx.copies.give(document.id, ids, (None, "系统（自动抄送）"), document.node, note, at)
    text = f"{document.number} {document.title}：到了“{node.label}”，抄送给您看"
    tx.records.notify(ids, document.number, text, at)


def send(system: System, actor: Account, number: str, to: str, note: str, *, key: str) -> Copied:
    """Give a document to a person of the own unit tree (`to` is a login) to read, with a note.

    InvalidError names the field; ForbiddenError `read_only` for whoever got only a copy; repeating a key does nothing.
    """
    note, to = note.strip(), to.strip()
    if len(note) > NOTE_LIMIT:
        raise InvalidError(f"附言最多 {NOTE_LIMIT} 字", fields={"note": f"最多 {NOTE_LIMIT} 字"})
    request = ("copy", number, to, note)
    with system.database.write() as tx:
        earlier = once.earlier(tx, actor, key, request)
        document = situations.find(tx, actor, number, lock=True)
        if earlier is not None:
            return Copied(document.number, earlier["to"], earlier["said"])
        reader = _reader(tx, actor, to)
        if len(tx.copies.of(document.id)) >= MOST:
            raise InvalidError(f"一张单据最多抄送 {MOST} 人", fields={"to": "太多了"})
        now = system.clock()
        tx.copies.give(document.id, [reader.id], (actor.id, actor.label), document.node, note, now)
        quoted = f"，附言：{note}" if note else ""
        text = f"{actor.label}把 {document.number} {document.title} 抄送给您看{quoted}"
        tx.records.notify([reader.id], document.number, text, now)
        body = {"to": reader.login, "by": actor.label, "note": note}
        tx.records.audit(document.region, now, actor.login, "copy", document.number, body)
        said = f"已把 {document.number} 抄送给{reader.label}，只能看，不能办理"
        once.keep(tx, actor, key, request, {"to": reader.label, "said": said}, system)
        return Copied(document.number, reader.label, said)


def _reader(tx: Transaction, actor: Account, login: str) -> Account:
    found = tx.accounts.credentials(login)
    known = {unit.id for unit in _tree(tx, actor.unit)}
    if found is None or not found.active or found.account.unit.id not in known:
        raise InvalidError("请从列表里选一个人", fields={"to": "本单位和上下级单位里没有这个账号"})
    if found.account.id in {actor.id, actor.acts_for_id}:
        raise InvalidError("不用抄送给自己", fields={"to": "这是您自己"})
    return found.account


def readers(system: System, actor: Account) -> list[Account]:
    """People to whom the actor may give a copy: of its own unit, of those above it and below."""
    with system.database.read() as tx:
        people_of = [tx.accounts.of(unit.id) for unit in _tree(tx, actor.unit)]
    return [one for found in people_of for one in found if one.id not in {actor.id, actor.acts_for_id}]


def _tree(tx: Transaction, unit: Unit) -> list[Unit]:
    """All units under the topmost one above `unit`, that one first."""
    top = unit
    for _ in range(_TREE_LIMIT):
        if top.parent_id is None:
            break
        top = tx.accounts.unit(top.parent_id)
    return [found for _, found in tx.staff.tree(top.id)]


def read(system: System, actor: Account, number: str) -> datetime | None:
    """The actor has the document before it: an unread copy is read now. None where there was none."""
    with system.database.read() as tx:
        document = situations.find(tx, actor, number)
        held = tx.copies.notes(actor.desk_id, [document.id]).get(document.id)
    if held is None or held.read_at is not None:
        return None
    with system.database.write() as tx:
        now = system.clock()
        return now if tx.copies.mark_read(document.id, actor.desk_id, actor.label, now) else None

"""Reminders by hand: who brought a document where it is, or entered it, asks those whose turn it is to act."""

from dataclasses import dataclass
from datetime import date

from core.domain.accounts import Account
from core.domain.calendar import day_of
from core.domain.documents import Document
from core.domain.errors import BlockedError, DomainError, ForbiddenError
from core.service import once, people, situations
from core.service.ports import Transaction
from core.service.system import System
from core.service.term_ports import Nudge, Term


@dataclass(frozen=True)
class Reminded:
    """A reminder that was sent to `told`; the next one can be sent from the day `again`."""

    number: str
    told: str
    again: date
    said: str


@dataclass(frozen=True)
class Prospect:
    """Whether a reminder can be sent now: to whom it would go, or why not. `mine`: the actor is one who may at all."""

    mine: bool
    told: str = ""
    why_not: str = ""
    code: str = ""


def remind(system: System, actor: Account, number: str, *, key: str) -> Reminded:
    """Remind those whose turn it is: once in a working day while a document is at one node.

    Errors: ForbiddenError (neither who entered it nor who brought it here), BlockedError (nobody to be reminded, or
    `reminded_today` with the field `again`). Repeating a key reminds nobody twice.
    """
    request = ("remind", number)
    with system.database.write() as tx:
        earlier = once.earlier(tx, actor, key, request)
        document = situations.find(tx, actor, number, lock=True)
        if earlier is not None:
            again = date.fromisoformat(earlier["again"])
            return Reminded(document.number, earlier["told"], again, earlier["said"])
        term, told = _lawful(system, tx, actor, document)
        now = system.clock()
        names = _names(system, tx, actor, told)
        mark = Nudge(
            document.id,
            term.visit,
            _slot(system),
            actor.id,
            actor.label,
            document.node,
            f"催办：{names}",
            now,
        )
        if not tx.terms.nudge(mark):
            raise _too_soon(system)
        tx.terms.reminded(document.id)
        label = system.processes.version(document.process_version, tx).node(document.node).label
        waited = system.calendar.between(day_of(term.since), system.today)
        since = f"已等 {waited} 个工作日" if waited else "在等您办理"
        text = f"{actor.label}催办：{document.number} {document.title} 在“{label}”{since}，请尽快办理"
        tx.records.notify({account.id for account in told} - {actor.id}, document.number, text, now)
        body = {"node": document.node, "by": actor.label, "told": names}
        tx.records.audit(document.region, now, actor.login, "remind", document.number, body)
        again = _again(system)
        said = f"已提醒{names}办理 {document.number}。{_day(again)}起可以再催一次"
        once.keep(tx, actor, key, request, {"told": names, "again": again.isoformat(), "said": said}, system)
        return Reminded(document.number, names, again, said)


def prospect(system: System, actor: Account, number: str) -> Prospect:
    """What `remind` would do now."""
    with system.database.read() as tx:
        return prospect_in(system, tx, actor, situations.find(tx, actor, number))


def prospect_in(system: System, tx: Transaction, actor: Account, document: Document) -> Prospect:
    """As `prospect`, inside a transaction."""
    try:
        _, told = _lawful(system, tx, actor, document)
    except ForbiddenError:
        return Prospect(mine=False)
    except DomainError as error:
        return Prospect(mine=True, why_not=error.message, code=error.code)
    return Prospect(mine=True, told=_names(system, tx, actor, told))


def _lawful(
    system: System, tx: Transaction, actor: Account, document: Document
) -> tuple[Term, list[Account]]:
    """The limit that runs and whom to remind."""
    if not {actor.id, actor.desk_id} & _may(tx, document):
        raise ForbiddenError(f"只有录入人和上一步的办理人可以催办 {document.number}", code="not_yours")
    term = tx.terms.of([document.id]).get(document.id)
    told = people.waiting(tx, document.id)
    if term is None or not tx.documents.tasks([document.id]):
        raise BlockedError(f"{document.number} 现在不等谁办理，不用催办")
    if any((one.unit.id, one.role) == (actor.unit.id, actor.role) for one in told):
        raise BlockedError(f"{document.number} 现在轮到您自己办理", code="own_turn")
    if not told:
        raise BlockedError(f"要办 {document.number} 的单位还没有这个岗位的账号，请直接联系对方单位")
    if any(one.slot == _slot(system) and one.visit == term.visit for one in tx.terms.nudges(document.id)):
        raise _too_soon(system)
    return term, told


def _may(tx: Transaction, document: Document) -> set[int]:
    """Who entered the document, and who brought it where it is."""
    history = tx.documents.history(document.id)
    moves = [one for one in history if one.target == document.node and one.source != one.target]
    return {document.author_id, *(one.account_id for one in moves[-1:])}


def _names(system: System, tx: Transaction, actor: Account, told: list[Account]) -> str:
    """Who is reminded, and who else stands in for them today."""
    deputies = [
        one.deputy.standing_in_for(one.principal)
        for one in tx.staff.standing_in([account.id for account in told], system.today)
        if one.deputy.id != actor.id
    ]
    return people.labels((*told, *deputies))


def _slot(system: System) -> str:
    """One for each working day; a weekend counts with the working day after it."""
    return f"remind-{system.calendar.add(system.today, 0)}"


def _again(system: System) -> date:
    return system.calendar.add(system.calendar.add(system.today, 0), 1)


def _too_soon(system: System) -> BlockedError:
    again = _again(system)
    return BlockedError(
        f"同一步一个工作日只能催办一次，刚才已经催过了，{_day(again)}起可以再催",
        code="reminded_today",
        fields={"again": again.isoformat()},
    )


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"

"""Time limits: until when a document should be acted on where it is.

A limit begins when a document comes to a node and ends when it leaves it; on re-entry it begins anew. What follows when
it passes is `core.service.escalating`.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from core.domain.calendar import day_of, end_of
from core.domain.documents import Document
from core.domain.process import Limit, Process
from core.service import situations
from core.service.ports import Transaction
from core.service.system import System
from core.service.term_ports import Term
from core.service.views import Due

_ONE = timedelta(seconds=1)
_MOST = 1000  # limits counted anew at one start


def begin(system: System, tx: Transaction, document: Document, process: Process) -> None:
    """The limit of where the document is begins now; where its process says none, the platform's idea of too long."""
    fresh = Term(document.id, document.version, document.updated_at, document.updated_at, None, guessed=False)
    tx.terms.begin(_counted(system, fresh, process.node(document.node).limit))


def renew(system: System, tx: Transaction, document: Document, process: Process) -> None:
    """Count the limit anew, from when the document came where it is: its process or the calendar has changed."""
    held = tx.terms.of([document.id]).get(document.id)
    if not tx.documents.tasks([document.id]):
        tx.terms.end(document.id)
    elif held is None:
        begin(system, tx, document, process)
    else:
        tx.terms.begin(_counted(system, held, process.node(document.node).limit))


def _counted(system: System, term: Term, limit: Limit | None) -> Term:
    due_at = system.calendar.due(term.since, limit.days if limit else system.rules.late_days)
    known = system.calendar.announced(day_of(term.since), day_of(due_at))
    counted = replace(term, due_at=due_at, days=limit.days if limit else None, guessed=not known)
    return replace(counted, next_at=next_at(system, counted, limit))


def next_at(system: System, term: Term, limit: Limit | None) -> datetime | None:
    """When the first step that is not done comes; None where there is none."""
    if limit is None or term.step >= len(limit.steps):
        return None
    return end_of(system.calendar.add(_last_day(term.due_at), limit.steps[term.step].after))


def due(system: System, term: Term) -> Due:
    """As people see it."""
    now, today, last = system.clock(), system.today, _last_day(term.due_at)
    shown = Due(
        since=term.since, at=term.due_at, days=term.days, late=now >= term.due_at,
        waited=system.calendar.between(day_of(term.since), today),
        left=max(system.calendar.between(today, last), 0), over=max(system.calendar.between(last, today), 0),
        guessed=term.guessed, reminded=term.reminded, words="",
        spent_s=int(system.calendar.spent(term.since, now).total_seconds()),
    )  # fmt: skip
    return replace(shown, words=_words(shown))


def _words(shown: Due) -> str:
    if shown.days is None:
        return f"已等 {shown.waited} 个工作日" if shown.late else ""
    if shown.late:
        return f"超期 {shown.over} 个工作日" if shown.over else "刚过期限"
    last = _last_day(shown.at)
    day = f"{last.month}月{last.day}日"
    return f"{day}前办，还剩 {shown.left} 个工作日" if shown.left else f"{day}到期"


def _last_day(due_at: datetime) -> date:
    return day_of(due_at - _ONE)


def recount(system: System) -> int:
    """Count limits anew that reached into a year whose holidays are announced by now; how many changed."""
    with system.database.read() as tx:
        guessed = tx.terms.guessed(_MOST)
    found = [term for term in guessed if system.calendar.announced(day_of(term.since), day_of(term.due_at))]
    for term in found:
        with system.database.write() as tx:
            number = tx.documents.by_id(term.document_id).number
            document = situations.find(tx, None, number, lock=True)
            renew(system, tx, document, system.processes.version(document.process_version, tx))
    return len(found)

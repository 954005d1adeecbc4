"""What follows when a time limit passes: steps of the process data, each done once and recorded.

A document is locked before its limit is looked at, as every act does, and each step of a visit has one slot in the
record: of two workers that come at once the second finds the slot taken. Nothing is kept outside the database.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.errors import BlockedError, ConflictError, ForbiddenError, InvalidError
from core.domain.process import Cost, Escalation, Limit, Process
from core.service import acts, limits, people, situations
from core.service.ports import Transaction
from core.service.system import System
from core.service.term_ports import Nudge, Pending, Term

log = logging.getLogger(__name__)

PLATFORM = "系统（办理期限）"


@dataclass(frozen=True)
class _Step:
    """A step that is due, with all it is about."""

    document: Document
    process: Process
    limit: Limit
    term: Term
    at: datetime

    @property
    def data(self) -> Escalation:
        return self.limit.steps[self.term.step]

    @property
    def how_late(self) -> str:
        days, after = self.limit.days, self.data.after
        if after < 0:
            return f"的 {days} 个工作日期限还剩 {-after} 个工作日"
        return f"超过了 {days} 个工作日的期限" + (f"，又过了 {after} 个工作日" if after else "")


def escalate_due(system: System, *, limit: int = 50) -> int:
    """Do the steps whose time has come, at most `limit`; how many were done. One that fails stops none of the others."""
    with system.database.read() as tx:
        found = tx.terms.escalating(system.clock(), limit)
    done = 0
    for pending in found:
        try:
            done += _escalate(system, pending)
        except Exception:
            log.exception("escalation failed number=%s step=%s", pending.number, pending.step)
    return done


def _escalate(system: System, pending: Pending) -> bool:
    """One step; False when it is not due any more, somebody else did it, or the document is just being acted on."""
    try:
        taken = _take(system, pending)
    except ConflictError:
        return False  # it is due again at the next round
    with system.database.write() as tx:
        step = _due_step(system, tx, pending, lock=True)
        if step is None:
            return taken == ""
        text = _told(tx, step, taken)
        mark = Nudge(
            step.document.id, step.term.visit, f"limit-{step.term.step}", None, PLATFORM, step.document.node, text,
            step.at,
        )  # fmt: skip
        if not tx.terms.nudge(mark):
            return False
        following = replace(step.term, step=step.term.step + 1)
        tx.terms.advance(step.term, following.step, limits.next_at(system, following, step.limit))
        body = {"node": step.document.node, "step": step.term.step, "text": text}
        tx.records.audit(step.document.region, step.at, "system", "limit", step.document.number, body)
        return True


def _due_step(system: System, tx: Transaction, pending: Pending, *, lock: bool) -> _Step | None:
    """The step if it is still due."""
    document = situations.find(tx, None, pending.number, lock=lock)
    term = tx.terms.of([document.id]).get(document.id)
    if term is None or (term.visit, term.step) != (pending.visit, pending.step):
        return None
    process = system.processes.version(document.process_version, tx)
    limit = process.node(document.node).limit
    if limit is None or term.step >= len(limit.steps):
        return None
    return _Step(document, process, limit, term, system.clock())


def _take(system: System, pending: Pending) -> str | None:
    """Take the act that the data gives to the platform: "" when it was, else why not; None where there is none.

    Its key makes it happen once. A public act is never taken, whatever the data says. ConflictError when the document
    has just moved.
    """
    with system.database.read() as tx:
        step = _due_step(system, tx, pending, lock=False)
        if step is None or not step.data.take:
            return None
        platform = tx.accounts.system(step.document.region)
    action = step.process.actions[step.data.take]
    if action.cost is Cost.PUBLIC:
        return f"“{action.label}”对外公开，不能自动办"
    wanted = {name.removesuffix("?") for name in action.form}
    said = f"{step.how_late}，系统自动办理"
    arguments: dict[str, str] = dict.fromkeys(wanted & {"opinion", "reason"}, said)
    try:
        acts.perform(
            system, platform, step.document.number, action.id, version=step.document.version, arguments=arguments,
            key=f"limit-{step.document.id}-{step.term.visit}-{step.term.step}",
        )  # fmt: skip
    except (BlockedError, ForbiddenError, InvalidError) as error:
        return error.message
    return ""


def _told(tx: Transaction, step: _Step, taken: str | None) -> str:
    """Tell whom the step says; what stands in the record."""
    document = step.document
    label = step.process.node(document.node).label
    name = f"{document.number} {document.title}：在“{label}”{step.how_late}"
    told = people.waiting(tx, document.id)
    if step.data.tell:
        names = people.labels(told) or "有关人员"
        told, text = _overseers(tx, step), f"{name}，还没有办，等{names}办理，请督促"
        sender = (None, PLATFORM)
        tx.copies.give(document.id, [a.id for a in told], sender, document.node, step.how_late, step.at)
    elif taken:
        text = f"{name}，没能自动办理：{taken}。请您办理"
    elif taken == "":
        told, text = [], f"{name}，已自动办理“{step.process.actions[step.data.take].label}”"
    else:
        text = f"{name}，轮到您办理"
    tx.records.notify([account.id for account in told], document.number, text, step.at)
    return (
        f"在“{label}”{step.how_late}，{f'已提醒{people.labels(told)}' if told else '没有可以提醒的人'}"
        if taken is None
        else text
    )


def _overseers(tx: Transaction, step: _Step) -> list[Account]:
    owner = tx.accounts.unit(step.document.unit_id)
    return people.accounts_at(tx, people.seats(owner, step.document, step.data.tell))

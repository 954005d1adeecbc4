"""What was told about a document without moving it: reminders, limits that passed, copies; and what may be told now."""

from dataclasses import dataclass

from core.domain.accounts import Account
from core.service import copies, reminders, situations
from core.service.reminders import Prospect
from core.service.system import System
from core.service.term_ports import Copy, Nudge


@dataclass(frozen=True)
class Told:
    """`mine` is the copy by which the account sees the document; `reads`: it may read it and nothing else."""

    nudges: tuple[Nudge, ...]
    copies: tuple[Copy, ...]
    prospect: Prospect
    mine: Copy | None
    reads: bool


def opened(system: System, actor: Account, number: str) -> Told:
    """As `told`, for an account that has opened the document: an unread copy is read now."""
    copies.read(system, actor, number)
    return told(system, actor, number)


def told(system: System, actor: Account, number: str) -> Told:
    """Of a document that the account may see."""
    with system.database.read() as tx:
        document = situations.find(tx, actor, number)
        given = tuple(tx.copies.of(document.id))
        mine = next((one for one in given if one.account.id == actor.desk_id), None)
        reads = mine is not None and tx.copies.only_read(document.id, actor.unit.id)
        prospect = reminders.prospect_in(system, tx, actor, document)
        return Told(tuple(tx.terms.nudges(document.id)), given, prospect, mine, reads)

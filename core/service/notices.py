"""What accounts have to hear about documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.accounts import Account
from core.service.ports import Notice
from core.service.system import System


@dataclass(frozen=True)
class Pulse:
    """What is new for an account: notices not yet shown, oldest first, and how many documents wait for it."""

    unseen: tuple[Notice, ...]
    waiting: int


def pulse(system: System, actor: Account) -> Pulse:
    """Asked every few seconds by every open page, so it is a few look-ups in indexes and nothing else."""
    with system.database.read() as tx:
        asked = tx.records.waiting_repairs(actor.unit.id, actor.role)
        numbers = {row.steps[row.position]["number"] for row in asked}
        waiting = tx.documents.waiting(actor) | tx.documents.ids(numbers)
        return Pulse(tuple(tx.records.notices(actor.id)), len(waiting))


def unseen(system: System, actor: Account) -> list[Notice]:
    """Not yet shown, oldest first."""
    with system.database.read() as tx:
        return tx.records.notices(actor.id)


def mark_seen(system: System, actor: Account, ids: Sequence[int]) -> None:
    """These were shown; ids of other accounts are passed over."""
    if ids:
        with system.database.write() as tx:
            tx.records.mark_seen(actor.id, ids)

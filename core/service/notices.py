"""What accounts have to hear about documents."""

from collections.abc import Sequence

from core.domain.accounts import Account
from core.service.ports import Notice
from core.service.system import System


def unseen(system: System, actor: Account) -> list[Notice]:
    """Not yet shown, oldest first."""
    with system.database.read() as tx:
        return tx.records.notices(actor.id)


def mark_seen(system: System, actor: Account, ids: Sequence[int]) -> None:
    """These were shown; ids of other accounts are passed over."""
    if ids:
        with system.database.write() as tx:
            tx.records.mark_seen(actor.id, ids)

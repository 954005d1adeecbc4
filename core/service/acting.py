"""In whose role an account works now, and whom it administers."""

from core.domain.accounts import Account
from core.domain.errors import ForbiddenError
from core.domain.rights import Capability
from core.service import rights
from core.service.ports import Transaction
from core.service.system import System


def at_work(system: System, tx: Transaction, account: Account, appointment_id: int | None) -> Account:
    """The account as its session works now: in the other's role while the appointment holds, else as itself."""
    if appointment_id is None:
        return account
    found = tx.staff.appointment(appointment_id)
    if found is None or found.deputy.id != account.id or not found.holds_on(system.today):
        return account
    if not tx.staff.member(found.principal.id).active or found.principal.unit.id != account.unit.id:
        return account
    return account.standing_in_for(found.principal)


def refuse_deputies(actor: Account) -> None:
    """ForbiddenError for a deputy at work: what belongs to a person is never done in another's role."""
    if actor.acts_for:
        raise ForbiddenError(
            f"您现在正代{actor.acts_for}办理，请先换回自己的身份", code="acting", fields={"who": actor.name}
        )


def manages(system: System, actor: Account, other: Account) -> bool:
    """Whether `actor` administers `other`: of its own unit, or of its region."""
    if actor.region != other.region:
        return False
    own = actor.unit.id == other.unit.id and rights.allows(system, actor, Capability.MANAGE_STAFF)
    return own or rights.allows(system, actor, Capability.MANAGE_ACCOUNTS)

"""From roles and relations to units and accounts of a concrete document."""

from collections.abc import Iterable

from core.domain.accounts import ROLE_LABELS, Account, Relation, Unit
from core.domain.approval import Seat
from core.domain.documents import Document
from core.domain.planner import COLLEAGUE, OTHER, OWN
from core.domain.process import Actor, Process
from core.service.ports import Transaction


def unit_of(owner: Unit, document: Document, relation: Relation) -> int | None:
    """Id of the unit that stands in `relation` to the document; None where there is none (or it is the platform)."""
    return {
        Relation.UNIT: owner.id,
        Relation.PARENT: owner.parent_id,
        Relation.OFFICE: owner.office_id,
        Relation.PROCUREMENT: owner.procurement_id,
        Relation.AGENCY: document.agency_id,
        Relation.SUPPLIER: document.supplier_id,
        Relation.SYSTEM: None,
    }[relation]


def may(actor: Account, owner: Unit, document: Document, actors: Iterable[Actor]) -> bool:
    """Whether `actor` is one of `actors` of this document."""
    return nearness(actor, owner, document, actors) == OWN


def nearness(actor: Account, owner: Unit, document: Document, actors: Iterable[Actor]) -> int:
    """OWN where the account itself may act, COLLEAGUE where someone of its unit may, else OTHER."""
    best = OTHER
    for item in actors:
        if item.of is Relation.SYSTEM:
            if actor.role is item.role and actor.unit.region == document.region:
                return OWN
        elif unit_of(owner, document, item.of) == actor.unit.id:
            if actor.role is item.role:
                return OWN
            best = COLLEAGUE
    return best


def seats(owner: Unit, document: Document, actors: Iterable[Actor]) -> list[Seat]:
    """The seat of every actor that has a unit, in the order of the data."""
    return [
        Seat(unit_id, item.role)
        for item in actors
        if (unit_id := unit_of(owner, document, item.of)) is not None
    ]


def involved(owner: Unit, document: Document, process: Process) -> list[int]:
    """Units that may act on the document where it stands, and so may see it."""
    actors = process.node(document.node).actors
    others = (actor for action in process.actions_from[document.node] for actor in action.by)
    return [seat.unit_id for seat in seats(owner, document, (*actors, *others))]


def waiting(tx: Transaction, document_id: int) -> list[Account]:
    """Accounts whose turn a document is, each once."""
    return accounts_at(tx, (seat for _, seat in tx.documents.tasks([document_id])))


def names(tx: Transaction, owner: Unit, document: Document, actors: Iterable[Actor]) -> str:
    """Who may act, for people: `王芳（采购单位负责人（02））` or the unit where it has no such account."""
    return names_of(tx, seats(owner, document, actors))


def names_of(tx: Transaction, taken: Iterable[Seat]) -> str:
    """As `names`, of seats."""
    found: list[str] = []
    for seat in taken:
        if accounts := _accounts_of(tx, seat):
            found += [account.label for account in accounts]
        else:
            found.append(f"{tx.accounts.unit(seat.unit_id).name}的{ROLE_LABELS[seat.role]}（还没有账号）")
    return "、".join(dict.fromkeys(found))


def desk_of(tx: Transaction, seat: Seat) -> str:
    """A seat in a list, where looking up who works there costs too much: `青原市教育局 主管单位审核`."""
    if seat.account_id:
        return tx.accounts.account(seat.account_id).label
    return f"{tx.accounts.unit(seat.unit_id).name} {ROLE_LABELS[seat.role]}"


def called(account: Account) -> tuple[str, str]:
    """What lists and drawings call whoever looks: as `desk_of` its place, and as `names` the person whose desk it is."""
    role = ROLE_LABELS[account.role]
    return f"{account.unit.name} {role}", f"{account.acts_for or account.name}（{role}）"


def labels(accounts: Iterable[Account]) -> str:
    """`王芳（采购单位负责人（02））、…`, each once."""
    return "、".join(dict.fromkeys(account.label for account in accounts))


def accounts_at(tx: Transaction, taken: Iterable[Seat]) -> list[Account]:
    """Who sits at any of these, each once."""
    return list(dict.fromkeys(account for seat in taken for account in _accounts_of(tx, seat)))


def _accounts_of(tx: Transaction, seat: Seat) -> list[Account]:
    """Who sits there."""
    if seat.account_id:
        return [tx.accounts.account(seat.account_id)]
    return tx.accounts.of(seat.unit_id, seat.role)

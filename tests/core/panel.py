"""A node of plans that three decide together, and colleagues to ask: rules and people for tests of deciding together."""

from typing import Any

from core.domain.accounts import Account, Role
from core.domain.approval import Assignment, Kind
from core.service import assigning, documents
from core.service.assigning import Wish
from core.service.views import ActResult
from tests.core.world import World, new_key

VOTERS = ("supervising", "office_first", "office_second")


def panel(approval: str, more: str = "") -> str:
    """The node 业务科室初审 as one of three voters. 1 vote for the supervising unit, 2 and 1 for the office."""
    return f"""    - set_node:
        id: office_first
        actors: [{{role: supervising, of: parent}}, {{role: office_first, of: office}}, {{role: office_second, of: office}}]
        approval: {{{approval}}}
{more}"""


ALL = panel("mode: all, agree: pass, refuse: return")
ANY = panel("mode: any, agree: pass, refuse: return, refusal: count")
WEIGHTED = panel("mode: weighted, agree: pass, refuse: return, refusal: count, share: 60, weights: [1, 2, 1]")
PERSONS = panel("mode: all, agree: pass, refuse: return, each: person")
STRAIGHT = """    - add_action: {id: resubmit, label: 直接送回, from: [entry, unit_first], to: $returner, guards: [form_complete]}
"""


def colleague(world: World, of: str, role: Role, name: str) -> Account:
    """One more account in the unit of `of`."""
    unit = world[of].unit
    with world.system.database.write() as tx:
        made = tx.accounts.add_account({
            "login": f"{unit.code}-{name}", "name": name, "role": role.value, "unit_id": unit.id, "password_hash": "-",
        })  # fmt: skip
    with world.system.database.read() as tx:
        return tx.accounts.account(made)


def who(world: World, name: str | Account) -> Account:
    return world[name] if isinstance(name, str) else name


def assign(
    world: World, by: str | Account, number: str, kind: Kind, to: str | Account, **wish: Any
) -> ActResult:
    version = wish.pop("version", world.document(number).version)
    return assigning.assign(
        world.system, who(world, by), number, kind, who(world, to).id,
        Wish(version, wish.pop("key", new_key()), wish.pop("note", "请看技术参数")),
    )  # fmt: skip


def live(world: World, number: str) -> list[Assignment]:
    with world.system.database.read() as tx:
        return tx.assignments.live(world.document(number).id)


def answer(
    world: World,
    by: str | Account,
    number: str,
    *,
    agrees: bool = True,
    note: str = "看过了",
    index: int = -1,
) -> ActResult:
    """Answer what was asked last."""
    row = live(world, number)[index]
    if row.kind is Kind.VOTE:
        row = next(one for one in reversed(live(world, number)) if one.kind is not Kind.VOTE)
    wish = Wish(world.document(number).version, new_key(), note)
    return assigning.answer(world.system, who(world, by), number, row.id, wish, agrees=agrees)


def take_back(world: World, by: str | Account, number: str, row: Assignment) -> ActResult:
    wish = Wish(world.document(number).version, new_key())
    return assigning.take_back(world.system, who(world, by), number, row.id, wish)


def todo(world: World, name: str | Account) -> set[str]:
    """Numbers of what waits for this account."""
    return {line.number for line in documents.todo(world.system, who(world, name))}


def waiting(world: World, number: str) -> list[str]:
    """Voters that have not voted yet."""
    return [name for name in VOTERS if number in todo(world, name)]


def offered(world: World, name: str | Account, number: str) -> list[str]:
    return [offer.action for offer in documents.get(world.system, who(world, name), number).offers]


def labels(world: World, number: str) -> list[str]:
    return [entry.label for entry in documents.get(world.system, world["handler"], number).history]

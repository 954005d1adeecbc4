"""Every act at every node by every account: exactly what the data allows is done, all else is refused."""

import pytest

from core.domain import forms, graph
from core.domain.documents import Situation
from core.domain.errors import BlockedError, ForbiddenError, InvalidError, NotFoundError
from core.domain.guards import refusals
from core.domain.process import Process
from core.service import documents
from tests.core.world import NODES, World, filled_in, perform_in

REFUSALS = (NotFoundError, ForbiddenError, BlockedError, InvalidError)
CASES = [(variant, node) for variant, nodes in NODES.items() for node in nodes]


def allowed(world: World, number: str, process: Process) -> set[tuple[str, str]]:
    """(login, act) that the data allows: the route is there, the account is an actor, the guards hold."""
    document = world.document(number)
    situation = Situation(flags=document.flags, form=forms.names(process.form.fields, document.form))
    found = set()
    for action in process.actions.values():
        here = document.node in action.routes
        if not here or not graph.targets(process, action, document.trail):
            continue
        if refusals(action, situation):
            continue
        actors = action.by or process.node(document.node).actors
        found |= {(account.login, action.id) for account in world.those(actors)}
    return found


def attempt(
    world: World, number: str, process: Process
) -> tuple[set[tuple[str, str]], dict[tuple[str, str], str]]:
    """What each account gets done, each act taken back again; and how the others are refused."""
    trail = world.document(number).trail
    done, refused = set(), {}
    with world.system.database.write() as tx:
        for account in world.people.values():
            for action in process.actions:
                undo = tx.connection.begin_nested()  # type: ignore[attr-defined]
                try:
                    perform_in(world, tx, account, number, action, filled_in(process, action, trail))  # type: ignore[arg-type]
                except REFUSALS as error:
                    refused[account.login, action] = error.code
                else:
                    done.add((account.login, action))
                undo.rollback()
    return done, refused


@pytest.mark.parametrize(("variant", "node"), CASES)
def test_exactly_what_the_data_allows(world: World, variant: str, node: str) -> None:
    number = world.plan(variant, node)
    process = world.process(number)
    done, refused = attempt(world, number, process)
    assert done == allowed(world, number, process)
    strangers = {
        world[who].login for who in ("library_handler", "library_reviewer", "supplier", "support", "admin")
    }
    assert {refused[key] for key in refused if key[0] in strangers} == {"not_found"}
    blind = {login for (login, _), code in refused.items() if code == "not_found"}
    offered = {
        (account.login, offer.action)
        for account in world.people.values()
        if account.login not in blind
        for offer in documents.get(world.system, account, number).offers
    }
    assert offered == {pair for pair in done if not process.actions[pair[1]].hidden}
    expected = (
        set() if node in process.finish else {world.place(actor) for actor in process.node(node).actors}
    )
    assert world.tasks(number) == expected


@pytest.mark.parametrize("node", ["placed", "confirmed", "done"])
def test_orders_too(world: World, node: str) -> None:
    number = world.order(world.plan(node="dispatched"), node)
    process = world.process(number)
    done, _ = attempt(world, number, process)
    assert done == allowed(world, number, process)
    assert bool(done) == (node != "done")

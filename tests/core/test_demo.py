"""The demonstration world as `make serve` builds it, with tokens of its own."""

from pathlib import Path

import pytest

from core import demo, worlds
from core.bootstrap import build_system, migrate
from core.domain.accounts import Role
from core.service import accounts, documents, notices, planning
from core.service.planning import RepairPlan
from core.settings import Settings
from tests.core.world import LOGINS, World
from tests.support.need import softhsm_module


def test_every_printed_account_can_sign_in(world: World) -> None:
    shown = demo.accounts(world.system)
    assert {item.login for item in shown} == set(LOGINS.values()) - {LOGINS["platform"]}
    for item in shown[:3]:
        assert accounts.sign_in(world.system, item.login, demo.PASSWORD).account.login == item.login


def test_it_is_built_once_and_then_left_alone(world: World) -> None:
    before = world.everything()
    assert not demo.load(world.system, ["neimenggu"])
    assert world.everything() == before


def test_a_unit_of_an_earlier_world_gets_the_key_it_has_now(world: World) -> None:
    place = worlds.places()["neimenggu"]
    with world.system.database.write() as tx:
        supplier = tx.accounts.unit_by_code(place.division, "SP0001")
        assert supplier is not None
        tx.accounts.set_token(supplier.id, "")
    demo.load(world.system, ["neimenggu"])
    with world.system.database.read() as tx:
        assert tx.accounts.unit_by_code(place.division, "SP0001") == supplier


def test_the_past_is_no_news_and_the_books_are_right(each_world: World) -> None:
    for account in each_world.people.values():
        assert notices.unseen(each_world.system, account) == []
    each_world.sound()


@pytest.mark.covers("nm-2")
def test_both_cases_of_a_mistaken_plan_are_there(world: World) -> None:
    handler = world["handler"]
    nodes = {line.node: line.number for line in documents.listing(world.system, handler, kind="plan")}
    for node in ("supervising", "office_first"):
        found = planning.plan_to(world.system, handler, nodes[node], "editable")
        assert isinstance(found, RepairPlan)
        assert [step.action for step in found.steps] == ["withdraw", "return"]
    assert isinstance(planning.plan_to(world.system, handler, nodes["completed"], "void"), RepairPlan)


def test_with_seals_plans_reach_every_state(tmp_path: Path) -> None:
    softhsm_module()
    system = demo.start(
        Settings(var=tmp_path, database_url=f"sqlite:///{tmp_path / 'demo.db'}"), ["neimenggu"], walked=False
    )
    with system.database.read() as tx:
        known = tx.accounts.credentials(LOGINS["handler"])
    assert known is not None
    lines = documents.listing(system, known.account)
    assert {(line.variant, line.node) for line in lines} >= {
        ("mall", "dispatched"), ("project", "dispatched"), ("direct", "filed"), ("mall", "completed"), ("order", "placed"),
    }  # fmt: skip
    system.database.engine.dispose()  # type: ignore[attr-defined]


def test_without_seals_it_is_built_as_far_as_it_goes(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path, database_url=f"sqlite:///{tmp_path / 'demo.db'}")
    migrate(settings)
    system = build_system(settings)  # no tokens were made: as on a machine without SoftHSM
    assert demo.load(system, ["neimenggu", "shanxi"])  # Shanxi's walk expects another refusal at signing
    with system.database.read() as tx:
        known = tx.accounts.credentials(LOGINS["handler"])
    assert known is not None
    nodes = {line.node for line in documents.listing(system, known.account, kind="plan")}
    assert "completed" in nodes
    assert not nodes & {"filed", "dispatched"}
    system.database.engine.dispose()  # type: ignore[attr-defined]


def test_every_buyer_has_money_to_plan_with(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path, database_url=f"sqlite:///{tmp_path / 'demo.db'}")
    migrate(settings)
    system = build_system(settings)
    demo.load(system, ["fujian"], walked=False)
    with system.database.read() as tx:
        crew = worlds.crew(tx, worlds.places()["fujian"])
        buyers = {unit: account.unit.id for (unit, role), account in crew.items() if role is Role.HANDLER}
        assert set(buyers) == {*worlds.BUYERS, "province"}
        assert [unit for unit, number in buyers.items() if not tx.ledger.indicators(number)] == []

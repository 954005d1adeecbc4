"""One main walk of each region through the public API: real HTTP, the right accounts, passwords, keys and seals."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core import walks, worlds
from core.domain.errors import DomainError
from core.service.system import System
from core.settings import Settings
from core.walk_ways import Who
from tests.support.api_way import ApiWay
from tests.support.need import softhsm_module
from tests.support.servers import serving
from tests.support.shared import copy_of
from tests.web.echo import app_over

WALKS = walks.load()
MAIN = [
    "neimenggu/project_to_closing",
    "shanxi/entrustment",
    "anhui/from_budget_to_contract",
    "xuchang/from_plan_to_acceptance",
    "fujian/contract_to_acceptance",
]


@pytest.fixture
def world(bare_worlds: Settings, tmp_path: Path) -> Iterator[System]:
    """A world that only this walk changes."""
    with copy_of(bare_worlds, tmp_path / "walk.db") as system:
        yield system


@pytest.fixture
def client(world: System, bare_worlds: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The application on a socket of this machine; keys are found where the world's are."""
    monkeypatch.setenv("CAIGOU_VAR", str(bare_worlds.var))
    for name in ("SOFTHSM2_CONF", "CAIGOU_PKCS11_MODULE"):
        monkeypatch.delenv(name, raising=False)
    with serving(app_over(world)) as address, httpx.Client(base_url=f"{address}/api/v1", timeout=60) as http:
        yield http


@pytest.mark.parametrize("name", MAIN)
def test_a_main_walk_through_the_api(name: str, world: System, client: httpx.Client) -> None:
    softhsm_module()
    walk = WALKS[name]
    way = ApiWay(client, worlds.places()[walk.region])
    walks.Player(world, walk, name, way).play()
    with world.database.read() as tx:
        assert tx.ledger.imbalances() == []
        assert tx.records.broken_audit() == []


def test_the_api_refuses_what_the_use_cases_refuse(world: System, client: httpx.Client) -> None:
    """The same walk fails where an account does what is not its own."""
    way = ApiWay(client, worlds.places()["xuchang"])
    number = way.create(
        Who.of("handler"), "plan", "ordinary", {"name": "打印机"}, above=None, key="walk-api-first"
    )
    with pytest.raises(DomainError) as refused:
        way.act(Who.of("reviewer"), number, "submit", {}, key="walk-api-second")
    assert refused.value.code == "forbidden"
    assert way.see(Who.of("handler"), number).account_id is None

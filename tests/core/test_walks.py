"""Every walk of every region, as its file says: the proof of what the inventory wants of the core."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import coverage, walks
from core.adapters.database import SqlDatabase
from core.coverage import Visit
from core.service import reports, sealing, situations, supervision
from core.service.system import System
from core.settings import Settings
from tests.support.shared import copy_of

WALKS = walks.load()
VISITS: dict[str, Visit] = {}
PLAYED: set[str] = set()  # all of a file's tests run in one process, one after another


def marked(name: str) -> object:
    rows = WALKS[name].covers
    return pytest.param(name, marks=[pytest.mark.covers(*rows)] if rows else [], id=name)


@pytest.fixture
def walk_system(bare_worlds: Settings, tmp_path: Path) -> Iterator[System]:
    """A world that only this walk changes."""
    with copy_of(bare_worlds, tmp_path / "walk.db") as system:
        yield system


@pytest.mark.parametrize("name", [marked(name) for name in WALKS])
def test_a_walk(name: str, walk_system: System) -> None:
    player = walks.Player(walk_system, WALKS[name], name)
    player.play()
    assert isinstance(walk_system.database, SqlDatabase)
    coverage.add(VISITS.setdefault(WALKS[name].region, Visit()), player, walk_system.database.engine)
    PLAYED.add(name)
    with walk_system.database.read() as tx:
        assert tx.ledger.imbalances() == []
        assert tx.records.broken_audit() == []
    for number in player.numbers.values():
        _who_had_to_seal_has_sealed(walk_system, player, number)


def _who_had_to_seal_has_sealed(system: System, player: walks.Player, number: str) -> None:
    """A contract that buyer and supplier seal carries both seals once it has come to its end (nm-19, nm-26)."""
    with system.database.read() as tx:
        document = situations.find(tx, None, number)
        process = system.processes.version(document.process_version, tx)
    if process.seals > 1 and document.node in process.finish:
        _, paper = sealing.certificate(system, player.account("handler"), number)
        verdict = system.signer.validate(paper)
        assert (verdict.ok, verdict.seals) == (True, process.seals)


def test_every_node_action_and_condition_of_every_region_is_come_to() -> None:
    """By the walks that the tests above have played."""
    if set(WALKS) != PLAYED:
        pytest.skip("只有全部演练都走过才算得出来")
    said, left = coverage.walked(VISITS)
    assert left == 0, "\n".join(said)


def test_there_are_walks() -> None:
    assert WALKS
    assert all((Path(walks.FOLDER) / f"{name}.yaml").is_file() for name in WALKS)


@pytest.mark.covers("xc-monitor")
def test_supervisors_see_one_projects_whole_way(walk_system: System) -> None:
    player = walks.Player(walk_system, WALKS["xuchang/from_plan_to_acceptance"], "monitor")
    player.play()
    supervisor = player.account("procurement_first")
    points = supervision.course(walk_system, supervisor, player.numbers["contract"])
    kinds = [walk_system.processes.current("xuchang", *kind).label for kind in (("plan", "interconnected"),)]
    assert points[0].number == player.numbers["plan"], "from wherever one asks, the way begins with the plan"
    assert {point.number for point in points} >= {
        player.numbers[name] for name in ("plan", "lot", "tender", "award", "contract", "acceptance")
    }
    assert kinds[0] in points[0].kind_label


@pytest.mark.covers("fj-11.2.1")
@pytest.mark.parametrize(
    ("name", "who"), [("anhui/contract_filing", "handler"), ("fujian/joint_contract", "handler@member")]
)
def test_a_report_names_the_plans_method_however_far_the_plan_is(
    name: str, who: str, walk_system: System
) -> None:
    player = walks.Player(walk_system, WALKS[name], "method")
    player.play()
    found = reports.report(walk_system, player.account(who), "contracts")
    method = found.header.index("采购方式")
    assert [row[method] for row in found.rows[:-1]] == ["公开招标"]

"""`docs/new-region.md` followed word by word: a sixth, made-up region from its files alone, without touching code."""

import re
from pathlib import Path

import pytest

from core import coverage, walks, worlds
from core.adapters import processes, yaml_reader
from core.bootstrap import build_system
from core.domain import graph
from core.settings import Settings
from tests.support.process_data import copied, in_force
from tests.support.shared import fast_engine

GUIDE = Path(__file__).parents[2] / "docs" / "new-region.md"
FILES = re.compile(r"`core/data/([\w/.]+\.yaml)`:\n\n```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the data with what the guide says written into it."""
    copy = copied(tmp_path)
    for name, text in FILES.findall(GUIDE.read_text(encoding="utf-8")):
        file = copy / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:  # a new file, or one line more in one that is there
            out.write(text)
    return copy


def test_the_guide_makes_a_region(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = processes.load(data)
    plan = book.get("yunhe", "plan", "simple")
    labels = [plan.node(node).label for node in graph.main_line(plan)]
    assert labels == ["计划录入", "采购单位初审", "采购单位复审", "采购办审核", "已办结（待备案）", "已备案"]
    assert plan.word("number") == "申请号"
    unchanged = {key: p.version for key, p in processes.load().processes.items()}
    assert {key: p.version for key, p in book.processes.items() if key[0] != "yunhe"} == unchanged

    places = yaml_reader.read(data / "worlds.yaml").value
    made = {name: worlds.Place(name, **place) for name, place in places.items()}
    monkeypatch.setattr(worlds, "places", lambda: {"yunhe": made["yunhe"]})
    settings = Settings(var=tmp_path, database_url=f"sqlite:///{tmp_path / 'bare.db'}")
    engine = fast_engine(settings.database_url)
    walk = walks.load(data / "walks")["yunhe/from_plan_to_contract"]
    with in_force(book):
        coverage.bare_world(tmp_path)
        walks.Player(build_system(settings, engine=engine), walk, "guide").play()
    engine.dispose()

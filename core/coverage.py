"""What the tests and walks of this checkout prove: rows of the inventory, nodes and actions of every region."""

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core import walks, worlds
from core.adapters.database import make_engine
from core.adapters.yaml_reader import read
from core.bootstrap import build_system, migrate
from core.domain.errors import NotFoundError
from core.domain.process import Process
from core.settings import Settings
from core.walks import Visit

ROOT = Path(__file__).parents[1]
_MARK = re.compile(r"covers\(([^)]*)\)")
_ROW = re.compile(r'"([a-z]{2}-[a-z0-9.-]+)"')
WANTED = {"core", "act"}


@dataclass(frozen=True)
class Row:
    """One row of the inventory and what proves it: test files and walks."""

    id: str
    title: str
    needs: tuple[str, ...]
    proofs: tuple[str, ...]

    @property
    def missing(self) -> bool:
        """Whether the core has to do something here and nothing proves that it does."""
        return bool(WANTED & set(self.needs)) and not self.proofs


def rows(root: Path = ROOT) -> list[Row]:
    """Every row of the inventory; NotFoundError outside a checkout, where there are no tests."""
    topics = root / "tests" / "data" / "topics.yaml"
    if not topics.is_file():
        raise NotFoundError("这里没有测试目录；请在源码检出目录里运行", code="no_checkout")
    proofs: dict[str, set[str]] = {}
    for row, proof in (*_marks(root), *_walks()):
        proofs.setdefault(row, set()).add(proof)
    return [
        Row(item["id"], item["title"], tuple(item["needs"]), tuple(sorted(proofs.get(item["id"], ()))))
        for item in read(topics).value["topics"]
    ]


def _marks(root: Path) -> Iterator[tuple[str, str]]:
    for file in sorted((root / "tests").rglob("test_*.py")):
        for names in _MARK.findall(file.read_text(encoding="utf-8")):
            for row in _ROW.findall(names):
                yield row, str(file.relative_to(root))


def _walks() -> Iterator[tuple[str, str]]:
    for name, walk in walks.load().items():
        for row in walk.covers:
            yield row, f"core/data/walks/{name}.yaml"


def bare_world(folder: Path) -> None:
    """`bare.db` in `folder`: units, people, keys and indicators of all regions, and no documents yet."""
    from core import demo

    settings = Settings(var=folder, database_url=f"sqlite:///{folder / 'bare.db'}")
    migrate(settings)
    demo.provision(settings)
    engine = make_engine(settings.database_url)
    system = build_system(settings, engine=engine)
    with system.database.write() as tx:
        for place in worlds.places().values():
            units = worlds.build(system, tx, place)
            for unit in units.keys() & {*worlds.BUYERS, "province"}:
                for number in range(1, 5):
                    row = worlds.indicator(units[unit], f"Z-{unit}-{number}", f"指标{number}", 50_000_000)
                    tx.ledger.add_indicator(row)
    engine.dispose()  # all of it is in the file now


def visits() -> Mapping[str, Visit]:
    """Region → what its walks entered, each in a world of its own."""
    found: dict[str, Visit] = {}
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder)
        bare_world(var)
        for name, walk in walks.load().items():
            shutil.copyfile(var / "bare.db", var / "walk.db")
            settings = Settings(var=var, database_url=f"sqlite:///{var / 'walk.db'}")
            engine = make_engine(settings.database_url)
            visit = walks.Player(build_system(settings, engine=engine), walk, name).play()
            engine.dispose()
            known = found.setdefault(walk.region, Visit())
            known.nodes |= visit.nodes
            known.actions |= visit.actions
    return found


def untouched(processes: Iterable[Process], visits: Mapping[str, Visit]) -> list[str]:
    """Nodes and actions that no walk entered, as `region/kind/variant 环节 id`."""
    found = []
    for process in processes:
        seen = visits.get(process.region, Visit())
        place = f"{process.region}/{process.kind}/{process.variant}"
        key = (process.kind, process.variant)
        found += [f"{place} 环节 {node}" for node in process.nodes if (*key, node) not in seen.nodes]
        found += [
            f"{place} 操作 {action}" for action in process.actions if (*key, action) not in seen.actions
        ]
    return found

"""What the tests and walks of this checkout prove: rows of the inventory, nodes, actions and guards of every region."""

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, select

from core import walks, worlds
from core.adapters import tables
from core.adapters.database import make_engine
from core.adapters.processes import load as load_processes
from core.adapters.yaml_reader import read
from core.bootstrap import build_system, migrate
from core.domain.errors import NotFoundError
from core.domain.process import Guard, Process
from core.service import situations
from core.settings import Settings
from core.walks import Player, Refusal

ROOT = Path(__file__).parents[1]
_MARK = re.compile(r"covers\(([^)]*)\)")
_ROW = re.compile(r'"([a-z]{2}-[a-z0-9.-]+)"')
WANTED = {"core", "act"}
_GUARD_SAYS = {
    Guard.FORM_COMPLETE: re.compile("表单还没填对"),
    Guard.SIGNED: re.compile("还没有签章"),
    Guard.CERTIFICATE: re.compile("CA 登录"),
}


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
                    code, name = f"Z-{unit}-{number}", f"指标{number}"
                    worlds.budget(system, tx, units[unit], code, name, 50_000_000)
    engine.dispose()  # all of it is in the file now


@dataclass
class Visit:
    """What a region's walks entered, and which acts were refused on their way."""

    nodes: set[tuple[str, str, str]] = field(default_factory=set)  # kind, variant, node
    actions: set[tuple[str, str, str]] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)


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
            system = build_system(settings, engine=engine)
            player = Player(system, walk, name)
            player.play()
            add(found.setdefault(walk.region, Visit()), player, engine)
            engine.dispose()
    return found


def add(visit: Visit, player: Player, engine: Engine) -> None:
    """Every document of a walk's world, also those that nobody named: where it stands and what its history tells."""
    system = player.system
    visit.refusals += player.refusals
    with engine.connect() as connection:
        numbers = connection.execute(select(tables.document.c.number)).scalars().all()
    with system.database.read() as tx:
        for number in numbers:
            document = situations.find(tx, None, number)
            process = system.processes.version(document.process_version, tx)
            key = (process.kind, process.variant)
            visit.nodes.add((*key, document.node))
            for entry in tx.documents.history(document.id):
                action = process.actions.get(entry.action)
                if action and action.label == entry.label:  # marks of a child's act bear another label
                    visit.actions.add((*key, action.id))
                    visit.nodes |= {(*key, node) for node in (entry.source, entry.target, *action.through)}


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


def conditions(processes: Iterable[Process], visits: Mapping[str, Visit]) -> list[tuple[str, bool, bool]]:
    """Every guard and requirement of every action: its place, whether it has let an act pass, whether it refused one."""
    found = []
    for process in processes:
        seen = visits.get(process.region, Visit())
        for action in process.actions.values():
            key = (process.kind, process.variant, action.id)
            said = [one for one in seen.refusals if (one.kind, one.variant, one.action) == key]
            place = f"{process.region}/{process.kind}/{process.variant}/{action.id}"
            wanted = [(guard.value, _GUARD_SAYS[guard]) for guard in action.guards]
            wanted += [(item.must, _pattern(item.say)) for item in action.requires]
            found += [
                (f"{place} {name}", key in seen.actions, any(pattern.search(one.said) for one in said))
                for name, pattern in wanted
            ]
    return found


def _pattern(say: str) -> re.Pattern[str]:
    """What a sentence with its braces filled in looks like."""
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\{[^}]*\}", say)))


def walked(seen: Mapping[str, Visit]) -> tuple[list[str], int]:
    """What to print of what the walks came to, and how many nodes, actions and conditions none of them did."""
    known = list(load_processes().processes.values())
    left = untouched(known, seen)
    judged = conditions(known, seen)
    left += [f"{name} 条件" for name, passed, refused in judged if not passed and not refused]
    total = sum(len(process.nodes) + len(process.actions) for process in known) + len(judged)
    strict = sum(refused for _, _, refused in judged)
    said = f"环节、操作和操作的条件共 {total} 个，演练走到 {total - len(left)} 个"
    return [
        *(f"没有走到：{line}" for line in left),
        f"{said}；条件 {len(judged)} 个里拒绝过的 {strict} 个",
    ], len(left)

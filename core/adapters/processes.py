"""Base + overlay → resolved, linted, frozen processes of each region, kind and variant."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from core.adapters.overlay import Overlay
from core.adapters.process_models import KindModel, RegionModel
from core.adapters.yaml_reader import Located, read_on
from core.domain.certificates import Vendor
from core.domain.errors import DataError, NotFoundError
from core.domain.fields import FieldType
from core.domain.process import Process
from core.domain.values import Dated, Values

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class ProcessBook:
    """All resolved processes; labels of the regions, and the makers of keys they accept."""

    regions: dict[str, str]
    processes: dict[tuple[str, str, str], Process]
    vendors: dict[str, tuple[Vendor, ...]]
    values: dict[str, Values]

    def get(self, region: str, kind: str, variant: str) -> Process:
        """Current process; NotFoundError(code `no_such_process`) names what there is."""
        try:
            return self.processes[region, kind, variant]
        except KeyError:
            own = (process for (of, _, _), process in self.processes.items() if of == region)
            known = "、".join(dict.fromkeys(process.variant_label for process in own)) or "无"
            place = self.regions.get(region, region)
            said = f"{place}没有“{kind[:30]}/{variant[:30]}”这类单据，有的是：{known}"
            raise NotFoundError(said, code="no_such_process") from None

    def variants(self, region: str, kind: str) -> list[Process]:
        """All variants of a kind in a region, in the order of the data."""
        return list(self._by_kind.get((region, kind), ()))

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str], list[Process]]:
        """Asked many times in every look at a region; the data is the same for good."""
        found: dict[tuple[str, str], list[Process]] = {}
        for (region, kind, _), process in self.processes.items():
            found.setdefault((region, kind), []).append(process)
        return found


def load(data: Path = DATA) -> ProcessBook:
    """Read, resolve and lint everything under `data`; one DataError lists every mistake of every file."""
    return book(data)


@cache
def book(data: Path) -> ProcessBook:
    """What `load` gives, read once however it is asked for."""
    problems: list[str] = []
    bases, broken = _bases(data, problems)
    regions = _regions(data, problems)
    resolved: dict[tuple[str, str, str], Process] = {}
    for region, located in regions:
        for kind in region.processes:
            if kind in broken:  # its mistakes are listed; that it is missing here is not another one
                continue
            if kind not in bases:
                problems.append(located.problem(("processes", kind), f"没有“{kind}”这种单据的骨架"))
                continue
            overlay = Overlay(*bases[kind], region, located)
            for process in overlay.resolve():
                resolved[process.region, process.kind, process.variant] = process
            problems.extend(overlay.problems)
    if not broken:
        problems += _references(resolved)
    if problems:
        raise DataError(list(dict.fromkeys(problems)))
    heads = {region.region: region for region, _ in regions if region.label}
    return ProcessBook(
        {name: head.label for name, head in heads.items()},
        resolved,
        {
            name: tuple(Vendor(v.name, tuple(v.spellings)) for v in head.vendors)
            for name, head in heads.items()
        },
        {name: _values(head) for name, head in heads.items()},
    )


def _regions(data: Path, problems: list[str]) -> list[tuple[RegionModel, Located]]:
    """Every file of every region; a region's values and codes hold in all of its files.

    `regions/fujian.yaml` is the head with the label; `regions/fujian/*.yaml` are parts, by subject.
    """
    read: list[tuple[RegionModel, Located]] = []
    for file in sorted((data / "regions").rglob("*.yaml")):
        try:
            read.append(read_on(file, RegionModel, problems))
        except DataError as error:
            problems.extend(error.problems)
    seen: set[str] = set()
    for region, located in read:
        for name in (f"{region.region}/", *(f"{region.region}/{kind}" for kind in region.processes)):
            if name in seen and (region.label or not name.endswith("/")):
                problems.append(located.problem(("region",), f"区域“{name.strip('/')}”重复"))
            if region.label or not name.endswith("/"):
                seen.add(name)
    merged = []
    for region, located in read:
        own = [each for each, _ in read if each.region == region.region]
        values = {name: items for each in own for name, items in each.values.items()}
        codes = {name: items for each in own for name, items in each.codes.items()}
        merged.append((region.model_copy(update={"values": values, "codes": codes}), located))
        if not any(each.label for each in own):
            problems.append(located.problem(("region",), f"区域“{region.region}”没有写 label"))
    return merged


def _values(region: RegionModel) -> Values:
    return Values(
        {
            name: tuple(Dated(item.value, item.since, item.source, item.note) for item in items)
            for name, items in region.values.items()
        }
    )


def _bases(data: Path, problems: list[str]) -> tuple[dict[str, tuple[KindModel, Located]], set[str]]:
    """The bases by kind, and the kinds (by the names of their files) that could not be read."""
    bases: dict[str, tuple[KindModel, Located]] = {}
    broken: set[str] = set()
    for file in sorted((data / "processes" / "base").glob("*.yaml")):
        try:
            model, located = read_on(file, KindModel, problems)
            if model.kind in bases:
                problems.append(located.problem(("kind",), f"“{model.kind}”的骨架重复"))
            bases[model.kind] = (model, located)
        except DataError as error:
            problems.extend(error.problems)
            broken.add(file.stem)
    return bases, broken


Kinds = dict[tuple[str, str], list[Process]]  # (region, kind) → its variants


def _references(resolved: dict[tuple[str, str, str], Process]) -> list[str]:
    """What processes say of each other has to be there."""
    kinds: Kinds = {}
    for process in resolved.values():
        kinds.setdefault((process.region, process.kind), []).append(process)
    acts = [(one.region, action) for one in resolved.values() for action in one.actions.values()]
    spawned = {(region, spawn.kind) for region, action in acts for spawn in action.spawns}
    found = []
    for process in resolved.values():
        said = [*_brought_along(process, kinds), *_above(process, kinds), *_chosen(process, kinds)]
        if process.made and (process.region, process.kind) not in spawned:
            said.append("只能由别的单据生成（made），却没有动作生成它")
        found += [f"[{process.region}/{process.kind}] {one}" for one in said]
    return found + _shared_prefixes(kinds)


def _shared_prefixes(kinds: Kinds) -> list[str]:
    """In one region a number says by its prefix what kind of document it is."""
    first: dict[tuple[str, str], str] = {}
    return [
        f"[{region}/{kind}] 编号前缀“{of[0].prefix}”已经是“{first[region, of[0].prefix]}”的"
        for (region, kind), of in kinds.items()
        if first.setdefault((region, of[0].prefix), kind) != kind
    ]


def _brought_along(process: Process, kinds: Kinds) -> Iterator[str]:
    """Documents that an act brings into being, and acts that it takes along."""
    for action in process.actions.values():
        for spawn in action.spawns:
            if spawn.variant not in {one.variant for one in kinds.get((process.region, spawn.kind), ())}:
                yield f"动作“{action.id}”要建的“{spawn.kind}/{spawn.variant}”不存在"
        for also in action.also:
            if not any(also.act in one.actions for one in kinds.get((process.region, also.kind), ())):
                yield f"动作“{action.id}”要带动的“{also.kind}.{also.act}”不存在"


def _above(process: Process, kinds: Kinds) -> Iterator[str]:
    """The documents that one of this kind hangs on; a base may name kinds and nodes that a region lacks, but not only such."""
    known = [one for one in process.parents if (process.region, one.kind) in kinds]
    if process.parents and not process.alone and not known:
        yield f"上级单据 {'、'.join(one.kind for one in process.parents)} 一个也不存在"
    for parent in known:
        above = kinds[process.region, parent.kind]
        fitting = [one for one in above if not parent.variants or one.variant in parent.variants]
        if not fitting:
            yield f"上级单据“{parent.kind}”没有类别 {'、'.join(parent.variants)}"
        elif parent.nodes and not any(one.nodes.keys() & set(parent.nodes) for one in fitting):
            yield f"上级单据“{parent.kind}”没有节点 {'、'.join(parent.nodes)}"
        elif parent.variant_in and not any(
            item.id == parent.variant_in for one in fitting for item in one.form.fields
        ):
            yield f"上级单据“{parent.kind}”没有字段“{parent.variant_in}”（variant_in）"


def _chosen(process: Process, kinds: Kinds) -> Iterator[str]:
    """Documents that a form asks for."""
    columns = (column for item in process.form.fields for column in item.fields)
    for item in (*process.form.fields, *columns):
        if item.type is not FieldType.DOCUMENT:
            continue
        named = {kind: kinds.get((process.region, kind), []) for kind in item.kinds}
        for kind in (kind for kind, known in named.items() if not known):
            yield f"字段“{item.id}”要选的单据“{kind}”不存在"
        nodes = {node for known in named.values() for one in known for node in one.nodes}
        for node in (node for node in item.nodes if named and node not in nodes):
            yield f"字段“{item.id}”要选的单据没有节点“{node}”"

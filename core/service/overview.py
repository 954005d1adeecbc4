"""A region's whole path and each kind's process, drawn from the data alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from core.domain import graph
from core.domain.accounts import ROLE_LABELS
from core.domain.process import Actor, Process
from core.service.flow import FlowNode
from core.service.system import System


@dataclass(frozen=True)
class KindBox:
    """A kind on the region's map. `above` are the kinds it hangs on; `depth` how many stand before it at most.

    `again` are those from which the path begins anew with it (a contract that is renewed wants a plan).
    """

    kind: str
    label: str
    menu: str
    variants: tuple[tuple[str, str], ...]
    above: tuple[str, ...]
    depth: int
    again: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A process as it is drawn: stations in order, and the ways between them."""

    nodes: tuple[FlowNode, ...]
    edges: tuple[tuple[str, str, str], ...]


def regions(system: System) -> list[tuple[str, str]]:
    """(region, label) of every region that has data."""
    names = dict.fromkeys(process.region for process in system.processes.all())
    return [(name, system.processes.region_label(name)) for name in names]


def region_map(system: System, region: str) -> list[KindBox]:
    """Every kind of a region, in the order of its data."""
    kinds = {kind: system.processes.variants(region, kind) for kind in system.processes.kinds(region)}
    named = {kind: _above(kind, variants, kinds) for kind, variants in kinds.items()}
    again = {kind: _again(kind, named) for kind in kinds}
    above = {kind: tuple(one for one in named[kind] if one not in again[kind]) for kind in kinds}
    return [
        KindBox(
            kind, variants[0].label, variants[0].menu,
            tuple((process.variant, process.variant_label) for process in variants),
            above[kind], _depth(kind, above), again[kind],
        )
        for kind, variants in kinds.items()
    ]  # fmt: skip


def _above(kind: str, variants: list[Process], kinds: Mapping[str, list[Process]]) -> tuple[str, ...]:
    """Kinds it may be entered under, those whose acts bring it into being, and earlier ones that its form names."""
    named = [parent.kind for process in variants for parent in process.parents]
    spawning = [
        other
        for other, processes in kinds.items()
        for process in processes
        for action in process.actions.values()
        if any(spawn.kind == kind for spawn in action.spawns)
    ]
    earlier = list(kinds)[
        : list(kinds).index(kind)
    ]  # a form may name later ones too: what is left goes to next year
    asked = [
        one
        for process in variants
        for item in process.form.fields
        for column in (item, *item.fields)
        for one in column.kinds
        if one in earlier
    ]
    return tuple(one for one in dict.fromkeys([*named, *spawning, *asked]) if one in kinds and one != kind)


def _again(kind: str, above: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Of what a kind hangs on, that which comes after it: it hangs on the kind itself and is further from a beginning."""
    return tuple(
        one
        for one in above[kind]
        if kind in _before(one, above) and _steps(one, above) >= _steps(kind, above)
    )


def _before(kind: str, above: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Everything a kind hangs on, at any distance."""
    found: set[str] = set()
    left = list(above[kind])
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += above[one]
    return found


def _steps(kind: str, above: Mapping[str, tuple[str, ...]]) -> int:
    """How many steps a kind is from the nearest beginning; for a circle without one, as many as there are kinds."""
    reached, steps = {one for one in above if not above[one]}, 0
    while kind not in reached and steps < len(above):
        reached |= {one for one in above if reached & set(above[one])}
        steps += 1
    return steps


def _depth(kind: str, above: Mapping[str, tuple[str, ...]]) -> int:
    return max((1 + _depth(one, above) for one in above[kind]), default=0)


def in_order(boxes: list[KindBox]) -> list[tuple[KindBox, int]]:
    """Every kind once, below the first it hangs on, with how far it is in."""
    found: dict[str, tuple[KindBox, int]] = {}

    def add(above: KindBox | None, depth: int) -> None:
        for box in boxes:
            first = box.above[0] if box.above else None
            if first == (above.kind if above else None):
                found[box.kind] = (box, depth)
                add(box, depth + 1)

    add(None, 0)
    return list(found.values())


def drawn(process: Process) -> Drawn:
    """The process without a document: the straight way first, what lies beside it after."""
    line = list(graph.main_line(process))
    others = [node for node in process.nodes if node not in line]
    nodes = tuple(
        FlowNode(
            node.id, node.label, node.lane, "plain" if node.id in line else "beside", actors(node.actors), None, "", "",
            node.help,
        )
        for node in (process.node(name) for name in (*line, *others))
    )  # fmt: skip
    known = {(a, b) for a, b in pairwise(line)}
    beside = [
        (source, target, "forward")
        for action in process.actions.values()
        for source, target in action.routes.items()
        if target in others and (source, target) not in known
    ]
    return Drawn(nodes, (*((a, b, "forward") for a, b in pairwise(line)), *dict.fromkeys(beside)))


def actors(items: Iterable[Actor]) -> str:
    """`采购单位经办 01、代理机构`."""
    return "、".join(dict.fromkeys(ROLE_LABELS[item.role] for item in items))

"""What must hold for every process before the program starts; all mistakes are collected."""

from collections.abc import Iterator

from core.domain import graph, lint_approval, lint_forms, lint_limits
from core.domain.accounts import Role
from core.domain.process import CHOSEN, SYMBOLS, Action, Actor, Funds, NodeType, Process

# Money may only go these ways; `used → frozen` would be money spent and promised at once.
_FORBIDDEN_FUNDS = {
    (Funds.USED, Funds.FROZEN),
    (Funds.SPENT, Funds.FROZEN),
    (Funds.SPENT, Funds.USED),
    (Funds.SPENT, Funds.RAISED),
    (Funds.RAISED, Funds.FROZEN),
    (Funds.FREE, Funds.SPENT),
}


def problems(process: Process, values: frozenset[str] = frozenset()) -> list[tuple[tuple[str, ...], str]]:
    """All mistakes as (path in the data, sentence); `values` are the names of the region's values."""
    found = [*_references(process), *lint_forms.problems(process, values), *lint_limits.problems(process)]
    if found:  # the graph questions need sound references
        return found
    authors = {
        actor for node in process.nodes.values() if node.type is NodeType.PREPARE for actor in node.actors
    }
    people = [*_people(process, authors), *lint_approval.problems(process, authors)]
    return [*_paths(process), *people, *_funds(process)]


def _references(process: Process) -> Iterator[tuple[tuple[str, ...], str]]:
    known = set(process.nodes)
    if process.start not in known:
        yield ("start",), f"起点“{process.start}”不是节点"
    for action in process.actions.values():
        named = {*action.routes, *action.routes.values(), *action.through, *action.targets}
        for missing in sorted(named - known - set(SYMBOLS)):
            yield ("actions", action.id), f"动作“{action.id}”提到不存在的节点“{missing}”"
        if action.chosen != bool(action.targets):
            yield ("actions", action.id), f"动作“{action.id}”的 targets 与 {CHOSEN} 要一起写"
    for node in process.nodes.values():
        for name in sorted(set(node.fields) - {item.id for item in process.form.fields}):
            yield ("nodes", node.id), f"节点“{node.id}”的 editable 提到不存在的字段“{name}”"
    for missing in sorted(set(process.finish) - known):
        yield ("finish",), f"finish 提到不存在的节点“{missing}”"
    yield from _goals(process)
    for old in sorted(set(process.renamed) & known):
        yield ("renamed",), f"renamed 说“{old}”改了名，可是还有这个节点"


def _goals(process: Process) -> Iterator[tuple[tuple[str, ...], str]]:
    for goal, nodes in process.goals.items():
        for missing in sorted(set(nodes) - set(process.nodes)):
            yield ("goals", goal), f"目标“{goal}”提到不存在的节点“{missing}”"
    for node_id, node in process.nodes.items():
        for item in node.instead:
            if not {item.goal, item.use} <= set(process.goals):
                yield ("nodes", node_id), f"节点“{node_id}”的 instead 提到不存在的目标"


def _paths(process: Process) -> Iterator[tuple[tuple[str, ...], str]]:
    edges = graph.edges(process)
    seen = graph.reachable(edges, process.start)
    ends = {node.id for node in process.nodes.values() if node.type is NodeType.END}
    editable = {node.id for node in process.nodes.values() if node.editable}
    if not ends & seen:
        yield ("nodes",), "没有走得到的终点"
    for node_id in process.nodes:
        if node_id not in seen:
            yield ("nodes", node_id), f"节点“{node_id}”从起点走不到"
        elif not graph.reachable(edges, node_id) & (ends | editable):
            yield ("nodes", node_id), f"节点“{node_id}”既到不了可修改，也到不了终点"


def _people(process: Process, authors: set[Actor]) -> Iterator[tuple[tuple[str, ...], str]]:
    for node in process.nodes.values():
        if node.type is not NodeType.END and not node.actors:
            yield ("nodes", node.id), f"节点“{node.id}”没有办理人"
        if node.type is NodeType.REVIEW and authors & set(node.actors):
            yield ("nodes", node.id), f"节点“{node.id}”让录入的人审核自己的单据"
    line = graph.main_line(process)
    for action in process.actions.values():
        for node_id in action.routes:
            if _passes_own(process, action, node_id, authors, line):
                yield ("actions", action.id), f"动作“{action.id}”让录入的人通过自己的单据（在“{node_id}”）"
            if not process.actors(action, node_id):
                yield ("actions", action.id), f"动作“{action.id}”在“{node_id}”没有人可以办"
        if Role.SUPPORT in {actor.role for actor in action.by}:
            yield ("actions", action.id), f"动作“{action.id}”不能由客服代办"


def _passes_own(
    process: Process, action: Action, node_id: str, authors: set[Actor], line: tuple[str, ...]
) -> bool:
    """Whether an author may lead a document on from a review; taking it back is lawful."""
    target = action.routes[node_id]
    if process.node(node_id).type is not NodeType.REVIEW or target in (*SYMBOLS, node_id):
        return False
    back = node_id in line and target in line and line.index(target) < line.index(node_id)
    return not back and bool(authors & set(action.by))


def _funds(process: Process) -> Iterator[tuple[tuple[str, ...], str]]:
    edges = graph.edges(
        process, origins=False
    )  # going back to the origin restores no other state of the money
    # A node that keeps the money as it is passes on what came in; follow until nothing new arrives.
    incoming: dict[str, set[Funds]] = {node: set() for node in process.nodes}
    incoming[process.start].add(Funds.FREE)
    changed = True
    while changed:
        changed = False
        for source, goes in edges.items():
            state = process.node(source).funds
            out = incoming[source] if state is Funds.KEEP else {state}
            for target in goes:
                if not out <= incoming[target]:
                    incoming[target] |= out
                    changed = True
    for node_id, node in process.nodes.items():
        for before in sorted(incoming[node_id]):
            if (before, node.funds) in _FORBIDDEN_FUNDS:
                yield ("nodes", node_id), f"节点“{node_id}”的资金不能从“{before}”变成“{node.funds}”"
        if node.type is NodeType.END and node.id == "void" and node.funds is not Funds.FREE:
            yield ("nodes", node_id), "作废后资金必须退回（funds: free）"

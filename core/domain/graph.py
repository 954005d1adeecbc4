"""Questions about the structure of a process: where an act leads, what may be returned to, what can be reached."""

from collections.abc import Collection

from core.domain.documents import Situation, Trail
from core.domain.expressions import evaluate
from core.domain.process import CHOSEN, ORIGIN, RETURNER, SYMBOLS, Action, Process


def skipped(process: Process, situation: Situation) -> frozenset[str]:
    """Nodes that this document does not pass, because their condition does not hold for it."""
    return frozenset(
        node.id
        for node in process.nodes.values()
        if node.when and not evaluate(node.when, situation=situation)
    )


def return_targets(process: Process, action: Action, trail: Trail) -> tuple[str, ...]:
    """Structure ∩ live trail, latest first. Nodes of an earlier pass are not on the trail any more."""
    behind = trail[:-1]
    return tuple(
        node for node in dict.fromkeys(reversed(behind)) if node in action.targets and node in process.nodes
    )


def targets(
    process: Process, action: Action, trail: Trail, cut: Trail = (), skip: Collection[str] = ()
) -> tuple[str, ...]:
    """All nodes that `action` can lead to from the end of `trail`; empty when it leads nowhere lawful.

    `cut` is what the latest return cut off; nodes in `skip` are passed over along the same action.
    """
    target = action.routes.get(trail[-1])
    if target is None:
        return ()
    if target == CHOSEN:
        return return_targets(process, action, trail)
    if target == ORIGIN:
        return trail[-2:-1]
    if target == RETURNER:
        return cut[-1:]
    while target in skip and target in action.routes:
        target = action.routes[target]
    return (target,)


def moved(action: Action, trail: Trail, target: str, cut: Trail = ()) -> Trail:
    """Trail after `action` led to `target`: cut back where it returns, else grown by what it passed and reached."""
    if target == trail[-1]:
        return trail
    if target in trail:
        return trail[: trail.index(target) + 1]
    if action.routes.get(trail[-1]) == RETURNER:
        return (*trail, *cut)
    passed = tuple(node for node in action.through if node not in trail)
    return (*trail, *passed, target)


def cut_off(action: Action, before: Trail, after: Trail, cut: Trail) -> Trail:
    """What a return cut off `before`; kept through changes that do not move the document, gone once it moves on."""
    if before == after:
        return cut
    return before[len(after) :] if action.chosen else ()


def edges(process: Process, *, origins: bool = True) -> dict[str, set[str]]:
    """Every node and the nodes its actions can lead to, over all trails; `origins` adds ways back to where from."""
    result: dict[str, set[str]] = {node: set() for node in process.nodes}
    for action in process.actions.values():
        for source, target in action.routes.items():
            if target == CHOSEN:
                result[source].update(action.targets)
            elif target not in (ORIGIN, RETURNER):
                result[source].update({target, *action.through})
    if not origins:
        return result
    for action in process.actions.values():
        for source, target in action.routes.items():
            if target == ORIGIN:
                result[source].update(node for node, goes in result.items() if source in goes)
    return result


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """All nodes that can be reached from `start`, itself included."""
    seen, stack = {start}, [start]
    while stack:
        for node in graph.get(stack.pop(), set()) - seen:
            seen.add(node)
            stack.append(node)
    return seen


def main_line(process: Process) -> tuple[str, ...]:
    """The straight way from start to where the process ends well, by the first forward action of each node."""
    line = [process.start]
    while True:
        step = next(
            (
                (action, target)
                for action in process.actions_from[line[-1]]
                if (target := action.routes[line[-1]]) not in (*SYMBOLS, *line)
                and (line[-1] not in process.finish or target in process.finish)
            ),
            None,
        )
        if step is None:
            return tuple(line)
        action, target = step
        line.extend(node for node in action.through if node not in line)
        line.append(target)

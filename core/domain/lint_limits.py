"""What must hold of time limits before the program starts."""

from collections.abc import Iterator

from core.domain.accounts import Relation
from core.domain.process import Cost, Escalation, Node, NodeType, Process

_SPOKEN = {"reason", "opinion"}  # what the platform itself can fill in


def problems(process: Process) -> Iterator[tuple[tuple[str, ...], str]]:
    """All mistakes of limits as (path in the data, sentence)."""
    for node in process.nodes.values():
        if node.limit is None:
            continue
        if node.type is NodeType.END:
            yield ("nodes", node.id), f"节点“{node.id}”已经结束，不能有期限"
        after = [step.after for step in node.limit.steps]
        if sorted(after) != after:
            yield ("nodes", node.id), f"节点“{node.id}”期限的 steps 要按 after 从小到大写"
        if after and node.limit.days + after[0] < 0:
            yield ("nodes", node.id), f"节点“{node.id}”期限的 after 早于到达这个节点的那一天"
        for step in node.limit.steps:
            yield from _taken(process, node, step)


def _taken(process: Process, node: Node, step: Escalation) -> Iterator[tuple[tuple[str, ...], str]]:
    """The platform moves a document only by an act that the data gives to it, and never by a public one."""
    if not step.take:
        return
    action = process.actions.get(step.take)
    if action is None or node.id not in action.routes:
        yield ("nodes", node.id), f"节点“{node.id}”期限的 take：在这里没有动作“{step.take}”"
    elif action.cost is Cost.PUBLIC:
        yield ("nodes", node.id), f"节点“{node.id}”期限的 take：“{step.take}”对外公开，不能自动办"
    elif all(actor.of is not Relation.SYSTEM for actor in process.actors(action, node.id)):
        yield ("nodes", node.id), f"节点“{node.id}”期限的 take：“{step.take}”没有写明系统可以办（by）"
    elif action.chosen or set(action.required) - _SPOKEN:
        yield ("nodes", node.id), f"节点“{node.id}”期限的 take：“{step.take}”要人填写，不能自动办"

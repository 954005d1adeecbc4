"""What must hold where several people decide at a node, or may be asked there."""

from collections.abc import Iterator

from core.domain.accounts import Relation
from core.domain.process import Actor, Node, NodeType, Process


def problems(process: Process, authors: set[Actor]) -> Iterator[tuple[tuple[str, ...], str]]:
    """All mistakes as (path in the data, sentence); `authors` enter the documents."""
    for node in process.nodes.values():
        path = ("nodes", node.id)
        if node.approval is not None:
            for sentence in _decision(process, node):
                yield path, f"节点“{node.id}”的 approval：{sentence}"
        if node.helpers and node.type not in {NodeType.REVIEW, NodeType.WORK}:
            yield path, f"节点“{node.id}”的 helpers 只在 review 和 work 环节有用"
        if node.type is NodeType.REVIEW and authors & set(node.helpers):
            yield path, f"节点“{node.id}”的 helpers 让录入的人审核自己的单据"
        if any(actor.of is Relation.SYSTEM for actor in node.helpers):
            yield path, f"节点“{node.id}”的 helpers 不能是平台的账号"


def _decision(process: Process, node: Node) -> Iterator[str]:
    approval = node.approval
    assert approval is not None  # noqa: S101 - asked by the caller
    if node.type is not NodeType.REVIEW:
        yield "只能写在 review 环节"
    if node.editable:
        yield "几个人一起审的环节不能改表单，否则先投的票对不上后来的内容"
    if any(actor.of is Relation.SYSTEM for actor in node.actors):
        yield "平台的账号不能投票"
    if approval.weights and len(approval.weights) != len(node.actors):
        yield f"weights 有 {len(approval.weights)} 个，actors 有 {len(node.actors)} 个，要一一对应"
    for key, name in (("agree", approval.agree), ("refuse", approval.refuse)):
        action = process.actions.get(name)
        if not name:
            continue
        if action is None or node.id not in action.routes:
            yield f"{key} 写的操作“{name}”不从这个环节出发"
        elif action.by:
            yield f"{key} 写的操作“{name}”有自己的 by，不是这个环节的人办的"
    if approval.agree == approval.refuse:
        yield "agree 和 refuse 不能是同一个操作"

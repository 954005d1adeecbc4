"""The drawn flow of a live document: from the data of its own process version, never from a picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from core.domain import graph
from core.domain.accounts import Account
from core.domain.documents import Entry
from core.domain.process import Node, Process
from core.service import limits, people, situations, standings
from core.service.ports import Transaction
from core.service.situations import Case
from core.service.system import System


@dataclass(frozen=True)
class FlowNode:
    """One station. `state`: done, current, returned (passed once, to be passed again), ahead, side."""

    id: str
    label: str
    lane: str
    state: str
    who: str
    when: datetime | None
    opinion: str
    whose: str
    help: str
    spent_s: int = 0  # seconds the document has rested here so far, all visits together
    due: str = ""  # until when it should be acted on, or how many working days that node gives


@dataclass(frozen=True)
class Flow:
    """Stations in order and the ways between them: `forward` in line, `return` back."""

    number: str
    title: str
    nodes: tuple[FlowNode, ...]
    edges: tuple[tuple[str, str, str], ...]


def flow(system: System, actor: Account, number: str) -> Flow:
    """Where the document is, who acted when with what opinion, whose turn it is (nm-8)."""
    with system.database.read() as tx:
        case = situations.case(system, tx, situations.find(tx, actor, number))
        history = [_as_now(case.process, entry) for entry in tx.documents.history(case.document.id)]
        spent = stays(history, system.clock())
        line = list(graph.main_line(case.process))
        aside = [node for node in case.document.trail if node not in line]
        nodes = tuple(
            replace(
                _node(tx, case, history, node, line),
                spent_s=spent.get(name, 0),
                due=_due(system, tx, case, node),
            )
            for name, node in ((name, case.process.node(name)) for name in [*line, *aside])
        )
        forward = [(a, b, "forward") for a, b in pairwise(line)]
        trail = case.document.trail
        detour = [(a, b, "forward") for a, b in pairwise(trail) if b in aside]
        returns = dict.fromkeys(
            (entry.source, entry.target, "return")
            for entry in history
            if entry.source != entry.target and _backwards(line, entry)
        )
        return Flow(case.document.number, case.document.title, nodes, (*forward, *detour, *returns))


def _due(system: System, tx: Transaction, case: Case, node: Node) -> str:
    """The limit that runs where the document is, and those of what it has not come to yet."""
    if node.id == case.document.node:
        term = tx.terms.of([case.document.id]).get(case.document.id)
        return limits.due(system, term).words if term else ""
    ahead = node.id not in case.document.trail
    return f"限 {node.limit.days} 个工作日" if node.limit and ahead else ""


def _as_now(process: Process, entry: Entry) -> Entry:
    """A line of the history with the names that nodes of earlier versions have now."""
    source, target = process.successor(entry.source), process.successor(entry.target)
    return replace(entry, source=source or entry.source, target=target or entry.target)


def stays(history: Sequence[Entry], now: datetime) -> dict[str, int]:
    """Seconds a document rested at each node, from its history (oldest first) until `now`."""
    found: dict[str, int] = {}
    for entry, later in zip(history, [*(one.at for one in history[1:]), now], strict=True):
        found[entry.target] = found.get(entry.target, 0) + max(0, int((later - entry.at).total_seconds()))
    return found


def _backwards(line: list[str], entry: Entry) -> bool:
    if entry.source not in line or entry.target not in line:
        return entry.target in line and entry.source not in line
    return line.index(entry.target) < line.index(entry.source)


def _node(tx: Transaction, case: Case, history: list[Entry], node: Node, line: list[str]) -> FlowNode:
    last = next((entry for entry in reversed(history) if entry.source == node.id), None)
    trail = case.document.trail
    if node.id == case.document.node:
        state = "current"
    elif node.id in trail:
        state = "done"
    elif last is not None:
        state = "returned"
    else:
        state = "ahead" if node.id in line else "side"
    whose = people.names(tx, case.owner, case.document, node.actors) if state in {"current", "ahead"} else ""
    ended = node.type.value == "end" or node.id in case.process.finish
    shown = last if state != "ahead" else None
    if state == "current" and case.standing.special:
        whose = people.names_of(tx, case.standing.turns)
        votes = standings.summary(tx, case.standing)
        shown = None if votes else shown
    else:
        votes = ""
    return FlowNode(
        node.id, node.label, node.lane, state, shown.who if shown else "", shown.at if shown else None,
        f"{shown.label}{'：' + shown.opinion if shown.opinion else ''}" if shown else votes,
        "" if ended else whose, node.help,
    )  # fmt: skip

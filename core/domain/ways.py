"""The shortest way from each node of a process to each of its goals, as its structure allows it.

No document is looked at: conditions on forms, money and other documents are taken to hold, nodes with a condition are
passed through, and of the guards only the seal counts, because acts of the process itself bring it about. Ways that
need an act which cannot be undone before the public come after all that do not.
"""

import heapq
from dataclasses import dataclass
from itertools import count

from core.domain import graph
from core.domain.documents import Trail
from core.domain.planner import flags_after
from core.domain.process import Action, Cost, Guard, Process

_SEAL = frozenset({"signed"})


@dataclass(frozen=True)
class Way:
    """Labels of the acts, one after the other; `public` of them cannot be undone before the public."""

    acts: tuple[str, ...] = ()
    public: int = 0

    @property
    def cost(self) -> tuple[int, int]:
        """What ways are compared by."""
        return self.public, len(self.acts)


@dataclass(frozen=True)
class _At:
    """Where a document could be: its live trail, what the latest return cut off, whether it is sealed."""

    trail: Trail
    cut: Trail = ()
    seal: frozenset[str] = frozenset()


def ways(process: Process) -> dict[tuple[str, str], Way | None]:
    """(node, goal) → the shortest way; None where the goal cannot be reached. Nodes that nothing leads to are left out."""
    found: dict[tuple[str, str], Way | None] = {}
    for node, place in _places(process).items():
        reached = _reached(process, place)
        for goal, wanted in process.goals.items():
            known = [reached[name] for name in wanted if name in reached]
            found[node, goal] = min(known, key=lambda way: way.cost, default=None)
    return found


def _places(process: Process) -> dict[str, _At]:
    """How a document comes to each node: along the main way where the node is on it, else by the fewest acts."""
    line = graph.main_line(process)
    places = {node: _At(line[: index + 1]) for index, node in enumerate(line)}
    queue = [places[node] for node in line]
    for place in queue:  # grows while it is gone through
        for _, after in _steps(process, place):
            if after.trail[-1] not in places:
                places[after.trail[-1]] = after
                queue.append(after)
    return places


def _reached(process: Process, start: _At) -> dict[str, Way]:
    """Every node that can be reached, with the shortest way to it."""
    tie = count()
    queue = [((0, 0), next(tie), start, Way())]
    found: dict[str, Way] = {}
    done: set[_At] = set()
    while queue and len(found) < len(process.nodes):
        _, _, place, way = heapq.heappop(queue)
        if place in done:
            continue
        done.add(place)
        found.setdefault(place.trail[-1], way)
        for action, after in _steps(process, place):
            if after not in done:
                further = Way((*way.acts, action.label), way.public + int(action.cost is Cost.PUBLIC))
                heapq.heappush(queue, (further.cost, next(tie), after, further))
    return found


def _steps(process: Process, place: _At) -> list[tuple[Action, _At]]:
    found = []
    for action in process.actions_from[place.trail[-1]]:
        if Guard.SIGNED in action.guards and not place.seal:
            continue
        seal = flags_after(action, place.seal) & _SEAL
        for target in graph.targets(process, action, place.trail, place.cut):
            trail = graph.moved(action, place.trail, target, place.cut)
            found.append((action, _At(trail, graph.cut_off(action, place.trail, trail, place.cut), seal)))
    return found

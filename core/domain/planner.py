"""The cheapest lawful way from where documents stand to a goal, or the smallest set of reasons why there is none.

Dijkstra over the live trails and flags of a document and of those that hang on it (an order on its plan). Cost is
compared part by part: acts that cannot be undone before the public, then acts of other units, then acts of
colleagues, then steps. Where no way exists, guards may be broken at a price above all others: the guards broken on
the cheapest such way are the smallest set of reasons.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from core.domain import graph
from core.domain.documents import Situation, Trail
from core.domain.guards import refusal
from core.domain.process import Action, Actor, Cost, Effect, NodeType, Process

OWN, COLLEAGUE, OTHER = 0, 1, 2
Nearness = Callable[[int, tuple[Actor, ...]], int]  # (index of the subject, actors) → OWN, COLLEAGUE or OTHER
_Cost = tuple[int, int, int, int, int]  # broken guards, public acts, other units, colleagues, steps


@dataclass(frozen=True)
class Subject:
    """One document in the search."""

    number: str
    process: Process
    trail: Trail
    flags: frozenset[str]
    form_errors: tuple[tuple[str, str], ...] = ()

    @property
    def ended(self) -> bool:
        """Whether it rests at an end."""
        return self.process.node(self.trail[-1]).type is NodeType.END


@dataclass(frozen=True)
class Step:
    """One call: who does what on which document, with which form fields, from where to where."""

    number: str
    action: str
    label: str
    actors: tuple[Actor, ...]
    nearness: int
    form: tuple[str, ...]
    source: str
    target: str
    chosen: bool
    menu: str


@dataclass(frozen=True)
class Plan:
    """Steps in order; empty when the goal already holds."""

    goal: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class NoWay:
    """Why the goal cannot be reached, and the goal that is open instead (None: there is none)."""

    goal: str
    reasons: tuple[str, ...]
    instead: str | None


_State = tuple[Subject, ...]


def plan(subjects: tuple[Subject, ...], goal: str, nearness: Nearness) -> Plan | NoWay:
    """Cheapest way to `goal` of the first subject, using acts on any of them; unknown goals are NoWay."""
    first = subjects[0]
    wanted = first.process.goals.get(goal)
    if wanted is None:
        return NoWay(goal, (f"{first.process.label}没有“{goal}”这个目标",), None)
    instead = next((item for item in first.process.node(first.trail[-1]).instead if item.goal == goal), None)
    if instead:
        return NoWay(goal, (instead.reason,), instead.use)
    found = _search(subjects, wanted, nearness, strict=True)
    if found is not None:
        return Plan(goal, found[0])
    relaxed = _search(subjects, wanted, nearness, strict=False)
    if relaxed is None:
        node = first.process.node(first.trail[-1])
        return NoWay(goal, (f"已经到“{node.label}”，没有办法再到这一步",), None)
    return NoWay(goal, tuple(dict.fromkeys(relaxed[1])), None)


def _search(
    subjects: _State, wanted: tuple[str, ...], nearness: Nearness, *, strict: bool
) -> tuple[tuple[Step, ...], tuple[str, ...]] | None:
    tie = count()
    queue: list[tuple[_Cost, int, _State, tuple[Step, ...], tuple[str, ...]]]
    queue = [((0, 0, 0, 0, 0), next(tie), subjects, (), ())]
    done: set[_State] = set()
    while queue:
        cost, _, state, steps, broken = heapq.heappop(queue)
        if state[0].trail[-1] in wanted:
            return steps, broken
        if state in done:
            continue
        done.add(state)
        for step, after, reasons in _moves(state, nearness):
            if after in done or (strict and reasons):
                continue
            price = _add(cost, step, len(reasons), public=_is_public(state, step))
            heapq.heappush(queue, (price, next(tie), after, (*steps, step), (*broken, *reasons)))
    return None


def _add(cost: _Cost, step: Step, broken: int, *, public: bool) -> _Cost:
    return (
        cost[0] + broken,
        cost[1] + int(public),
        cost[2] + int(step.nearness == OTHER),
        cost[3] + int(step.nearness == COLLEAGUE),
        cost[4] + 1,
    )


def _is_public(state: _State, step: Step) -> bool:
    subject = next(item for item in state if item.number == step.number)
    return subject.process.actions[step.action].cost is Cost.PUBLIC


def _moves(state: _State, nearness: Nearness) -> Iterator[tuple[Step, _State, tuple[str, ...]]]:
    for index, subject in _in_turn(state):
        node = subject.trail[-1]
        situation = situation_of(state, index)
        for action in subject.process.actions_from[node]:
            reasons = tuple(text for guard in action.guards if (text := refusal(guard, situation)))
            actors = subject.process.actors(action, node)
            near = nearness(index, actors)
            for target in graph.targets(subject.process, action, subject.trail):
                moved = _apply(subject, action, target)
                if moved == subject:
                    continue
                step = Step(
                    subject.number, action.id, action.label, actors, near, action.form, node, target,
                    action.chosen, action.menu,
                )  # fmt: skip
                yield step, (*state[:index], moved, *state[index + 1 :]), reasons


def _in_turn(state: _State) -> Iterator[tuple[int, Subject]]:
    """The first subject, and of those that hang on it only the first that has not ended.

    Guards ask whether all of them have ended, and they do not touch each other, so their order costs nothing; trying
    every order would take 2ⁿ states for n of them.
    """
    yield 0, state[0]
    hanging = next(((index, item) for index, item in enumerate(state) if index and not item.ended), None)
    if hanging:
        yield hanging


def situation_of(state: _State, index: int) -> Situation:
    """What guards see of subject `index`: documents hanging on the first one are the open orders."""
    subject = state[index]
    hanging = tuple(item.number for item in state[1:] if not item.ended) if index == 0 else ()
    return Situation(dict(subject.form_errors), subject.flags, hanging)


def flags_after(action: Action, flags: frozenset[str]) -> frozenset[str]:
    """Flags once `action` was taken."""
    if Effect.MARK_SIGNED in action.effects:
        return flags | {"signed"}
    if Effect.CLEAR_SIGNED in action.effects:
        return flags - {"signed"}
    return flags


def _apply(subject: Subject, action: Action, target: str) -> Subject:
    trail = graph.moved(action, subject.trail, target)
    return replace(subject, trail=trail, flags=flags_after(action, subject.flags))

"""The cheapest lawful way from where documents stand to a goal, or the smallest set of reasons why there is none.

Dijkstra over the live trails and flags of a document and of those that hang on it (an order on its plan). Cost is
compared part by part: acts that cannot be undone before the public, then acts of other units, then acts of
colleagues, then steps. Where no way exists, guards may be broken at a price above all others: the guards broken on
the cheapest such way are the smallest set of reasons.
"""

import heapq
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import count

from core.domain import graph
from core.domain.documents import Linked, Situation, Trail
from core.domain.guards import refusals
from core.domain.process import Action, Actor, Cost, Effect, Guard, NodeType, Process

OWN, COLLEAGUE, OTHER = 0, 1, 2
Nearness = Callable[[int, tuple[Actor, ...]], int]  # (index of the subject, actors) → OWN, COLLEAGUE or OTHER
_QUOTED = re.compile(r"'([a-z0-9_]+)'")
_Cost = tuple[int, int, int, int, int]  # broken guards, public acts, other units, colleagues, steps


@dataclass(frozen=True)
class Hand:
    """One of several who have to act before a document goes on; all but the last leave it where it is.

    `who` and `account_id` name somebody who has to do it alone; otherwise any of `actors` may.
    """

    action: str
    label: str
    actors: tuple[Actor, ...]
    who: str = ""
    account_id: int = 0


@dataclass(frozen=True, eq=False)
class Given:
    """What a search does not change of one document. `situation` is how it stands before the first step.

    `above` is the number of the document it hangs on; nodes in `skip` are passed over; `cut` is what its latest
    return cut off. `hands` says for a node and an action, where several have to act, who they are.
    """

    number: str
    process: Process
    situation: Situation = field(default_factory=Situation)
    above: str = ""
    skip: frozenset[str] = frozenset()
    cut: Trail = ()
    hands: Mapping[tuple[str, str], tuple[Hand, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """One document in the search: where it is, and its flags."""

    given: Given
    trail: Trail
    flags: frozenset[str] = frozenset()

    @property
    def number(self) -> str:
        """Number of the document."""
        return self.given.number

    @property
    def process(self) -> Process:
        """Process that the document runs on."""
        return self.given.process

    @property
    def ended(self) -> bool:
        """Whether it rests at an end."""
        return self.process.node(self.trail[-1]).type is NodeType.END

    @property
    def linked(self) -> Linked:
        """As the documents above and below it see it."""
        own = self.given.situation
        return Linked(
            self.number, self.process.kind, self.process.variant, self.trail[-1], self.flags, self.ended,
            own.amount_fen, own.form, self.given.above,
        )  # fmt: skip


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
    who: str = ""  # somebody who has to do it alone
    account_id: int = 0


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
_Key = tuple[object, ...]
_END = "ended"


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
    done: set[_Key] = set()
    words = frozenset(word for subject in subjects for word in _kinds_asked(subject.process))
    while queue:
        cost, _, state, steps, broken = heapq.heappop(queue)
        if state[0].trail[-1] in wanted:
            return steps, broken
        if _key(state, words) in done:
            continue
        done.add(_key(state, words))
        for taken, after, reasons in _moves(state, nearness):
            if _key(after, words) in done or (strict and reasons):
                continue
            price = _add(cost, taken, len(reasons), public=_is_public(state, taken[-1]))
            heapq.heappush(queue, (price, next(tie), after, (*steps, *taken), (*broken, *reasons)))
    return None


def _key(state: _State, words: frozenset[str]) -> _Key:
    """What tells states apart: how a document below ended matters only where a condition names the node it ended at.

    With every way of ending told apart, n documents would make 2ⁿ states.
    """
    return (state[0], *(_END if item.ended and item.trail[-1] not in words else item for item in state[1:]))


def _add(cost: _Cost, steps: tuple[Step, ...], broken: int, *, public: bool) -> _Cost:
    return (
        cost[0] + broken,
        cost[1] + int(public),
        cost[2] + sum(step.nearness == OTHER for step in steps),
        cost[3] + sum(step.nearness == COLLEAGUE for step in steps),
        cost[4] + len(steps),
    )


def _is_public(state: _State, step: Step) -> bool:
    subject = next(item for item in state if item.number == step.number)
    return subject.process.actions[step.action].cost is Cost.PUBLIC


def _moves(state: _State, nearness: Nearness) -> Iterator[tuple[tuple[Step, ...], _State, tuple[str, ...]]]:
    """Ways to go on: the steps of one act (several where several have to take it), the state after, what forbids it."""
    for index, subject in _in_turn(state):
        node = subject.trail[-1]
        situation = _situation_of(state, index)
        for action in subject.process.actions_from[node]:
            if Guard.OWN_LAST in action.guards and not situation.own_last:
                continue  # for whoever did the last step, and no reason to tell anybody else
            lawful = graph.targets(
                subject.process, action, subject.trail, subject.given.cut, subject.given.skip
            )
            after = [moved for target in lawful if (moved := _apply(state, index, action, target)) != state]
            if not after:
                continue
            reasons = tuple(refusals(action, situation))
            actors = subject.process.actors(action, node)
            near = nearness(index, actors)
            for moved in after:
                step = Step(
                    subject.number, action.id, action.label, actors, near, action.form, node,
                    moved[index].trail[-1], action.chosen, action.menu,
                )  # fmt: skip
                hands = subject.given.hands.get((node, action.id))
                yield _by_hands(step, hands, partial(nearness, index)) if hands else (step,), moved, reasons


def _by_hands(
    step: Step, hands: tuple[Hand, ...], nearness: Callable[[tuple[Actor, ...]], int]
) -> tuple[Step, ...]:
    """The step as several take it one after the other; the last one moves the document."""
    taken = [
        replace(
            step, action=hand.action, label=hand.label, actors=hand.actors, nearness=nearness(hand.actors),
            form=step.form if hand.action == step.action else ("opinion?",),
            target=step.source, who=hand.who, account_id=hand.account_id,
        )
        for hand in hands
    ]  # fmt: skip
    return (*taken[:-1], replace(taken[-1], target=step.target))


def _in_turn(state: _State) -> Iterator[tuple[int, Subject]]:
    """The first subject, and of each kind that conditions ask about the first one that has not ended.

    Conditions count documents of a kind, and those of one kind do not touch each other, so their order costs nothing;
    trying every order would take 2ⁿ states for n of them.
    """
    yield 0, state[0]
    asked = _asked_about(state)
    seen: set[str] = set()
    for index, subject in enumerate(state[1:], 1):
        kind = subject.process.kind
        if not subject.ended and kind in asked and kind not in seen:
            seen.add(kind)
            yield index, subject


def _asked_about(state: _State) -> set[str]:
    """Kinds that decide whether the first subject may move, or whether one of those may."""
    processes = {subject.process.kind: subject.process for subject in state[1:]}
    asked: set[str] = set()
    queue = [state[0].process]
    while queue:
        new = _kinds_asked(queue.pop()) & processes.keys() - asked
        asked |= new
        queue += [processes[kind] for kind in new]
    return asked


@cache
def _kinds_asked(process: Process) -> frozenset[str]:
    """Kinds and nodes of other documents (and whatever else stands in quotes) in the requirements of a process."""
    words = {
        word
        for action in process.actions.values()
        for item in action.requires
        for word in _QUOTED.findall(item.must)
    }
    return frozenset(words)


def _situation_of(state: _State, index: int) -> Situation:
    """What conditions see of subject `index` in this state."""
    subject = state[index]
    below, numbers = [], {subject.number}
    for other in state:  # a document comes after the one it hangs on
        if other.given.above in numbers:
            numbers.add(other.number)
            below.append(other.linked)
    above = next((other.linked for other in state if other.number == subject.given.above), None)
    base = subject.given.situation
    return replace(
        base,
        flags=subject.flags,
        node=subject.trail[-1],
        children=tuple(below),
        parent=above or base.parent,
        own_last=base.own_last and subject.trail[-1] == base.node,
    )


def flags_after(action: Action, flags: frozenset[str]) -> frozenset[str]:
    """Flags once `action` was taken."""
    if Effect.MARK_SIGNED in action.effects:
        flags |= {"signed"}
    if Effect.CLEAR_SIGNED in action.effects:
        flags -= {"signed"}
    return changed(flags, action.flags)


def changed(flags: frozenset[str], changes: tuple[str, ...]) -> frozenset[str]:
    """Flags with `name` set and `-name` taken away."""
    taken = {name[1:] for name in changes if name.startswith("-")}
    return (flags - taken) | {name for name in changes if not name.startswith("-")}


def _apply(state: _State, index: int, action: Action, target: str) -> _State:
    subject = state[index]
    trail = graph.moved(action, subject.trail, target, subject.given.cut)
    moved = replace(subject, trail=trail, flags=flags_after(action, subject.flags))
    after = [*state[:index], moved, *state[index + 1 :]]
    if action.parent_flags:
        for at, other in enumerate(after):
            if other.number == subject.given.above:
                after[at] = replace(other, flags=changed(other.flags, action.parent_flags))
    return tuple(after)

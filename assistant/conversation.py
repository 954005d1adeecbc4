"""Where a conversation stands: a stack of at most three running things, and what was spoken of last.

The state is a value: a turn takes one and gives another, the store keeps it as JSON.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from pydantic import TypeAdapter

MAX_DEPTH = 3


class Stage(StrEnum):
    """What the topmost running thing waits for. An empty stack is idle."""

    CHOOSING_TOPIC = "choosing_topic"
    CHOOSING_DOCUMENT = "choosing_document"
    OFFERING = "offering"
    FILLING = "filling"
    CONFIRMING = "confirming"
    OFFERING_PERSON = "offering_person"


@dataclass(frozen=True)
class Option:
    """Something to choose: `value` is a document number, a topic, an errand's slot value."""

    title: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Errand:
    """What is to be done, whoever asked for it.

    `goal`: the way to a goal of a document; `act`: one act on it; `task`: a waiting step of somebody's repair;
    `status`, `paid`, `seal`: how it stands; `remind`: whose turn it is; `opinion`: what `assignment` asks for, `action`
    says which way; `unbind`: a CA key from the account; `enter`: a new
    document of kind `goal` and variant `action`, under `number`. Else `number` is empty until the document is chosen.
    """

    kind: Literal["goal", "act", "task", "status", "paid", "seal", "unbind", "enter", "remind", "opinion"]
    number: str = ""
    goal: str = ""
    action: str = ""
    repair: int = 0
    topic: str = ""
    assignment: int = 0

    @property
    def identity(self) -> tuple[object, ...]:
        """Two errands with the same identity are the same thing asked twice."""
        return self.kind, self.number, self.goal, self.action, self.repair


@dataclass(frozen=True)
class Frame:
    """One running thing.

    `run` are the acts (document, action, target) that a yes carries out, `versions` the documents as they were
    shown, `token` makes carrying out idempotent, `asks`: a yes asks others instead of acting, `reminded`:
    how often it was led back to.
    """

    stage: Stage
    errand: Errand | None = None
    options: tuple[Option, ...] = ()
    slots: dict[str, str] = field(default_factory=dict)
    asked: str = ""
    run: tuple[tuple[str, str, str], ...] = ()
    versions: dict[str, int] = field(default_factory=dict)
    fingerprint: str = ""
    token: str = ""
    about: str = ""
    asks: bool = False
    reminded: int = 0


@dataclass(frozen=True)
class State:
    """A conversation between two turns.

    `done` is what was carried out last, so that a second yes is answered and not obeyed; `told` are tasks already
    mentioned; `others` are topics that came second for the last question; `menu` is what the numbered choices of the
    last turn say; `turns` counts them.
    """

    stack: tuple[Frame, ...] = ()
    topic: str = ""
    number: str = ""
    done: str = ""
    others: tuple[str, ...] = ()
    ticket: str = ""
    told: tuple[str, ...] = ()
    unknowns: int = 0
    question: str = ""
    menu: tuple[str, ...] = ()
    turns: int = 0

    @property
    def top(self) -> Frame | None:
        """The running thing that is spoken of now."""
        return self.stack[-1] if self.stack else None

    def push(self, frame: Frame) -> "State":
        """`frame` on top; the same errand asked twice is one, and of four the oldest is forgotten."""
        same = frame.errand and frame.errand.identity
        kept = tuple(f for f in self.stack if f.errand is None or f.errand.identity != same)
        return replace(self, stack=(*kept, frame)[-MAX_DEPTH:])

    def pop(self) -> "State":
        """Without the topmost running thing."""
        return replace(self, stack=self.stack[:-1])

    def without(self, numbers: frozenset[str]) -> "State":
        """Without running things about these documents: they moved, what was shown of them is old."""
        kept = tuple(f for f in self.stack if f.errand is None or f.errand.number not in numbers)
        return replace(self, stack=kept)

    def swap(self, frame: Frame) -> "State":
        """The topmost running thing goes on as `frame`."""
        return self.pop().push(frame)


_STATE: TypeAdapter[State] = TypeAdapter(State)


def to_json(state: State) -> dict[str, Any]:
    """State as a JSON object."""
    result: dict[str, Any] = _STATE.dump_python(state, mode="json")
    return result


def from_json(body: Any) -> State:
    """State stored with `to_json`."""
    return _STATE.validate_python(body)

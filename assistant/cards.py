"""What the assistant gives back: replies with a text, perhaps a card, perhaps choices. All of it is plain JSON.

Cards are a closed set of frozen dataclasses told apart by `type`. Surfaces draw them; `assistant.plain` writes them
as text for those that cannot.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from core.service.flow import FlowNode


@dataclass(frozen=True)
class Choice:
    """A quick reply: what the button reads and what it says."""

    title: str
    say: str


@dataclass(frozen=True)
class PlanStep:
    """One step of a way to a goal. `state`: done, current, ahead; `mine`: the asker may take it."""

    label: str
    who: str
    mine: bool
    state: Literal["done", "current", "ahead"]
    menu: str = ""


@dataclass(frozen=True)
class StepsCard:
    """The way to a goal, from the station `before` to the station `after`."""

    title: str
    number: str
    steps: tuple[PlanStep, ...]
    before: str = ""
    after: str = ""
    type: Literal["steps"] = "steps"


@dataclass(frozen=True)
class FlowCard:
    """The drawn flow: stations of `core.service.flow` and ways (from, to, forward or return)."""

    title: str
    number: str
    nodes: tuple[FlowNode, ...]
    ways: tuple[tuple[str, str, str], ...]
    type: Literal["flow"] = "flow"


@dataclass(frozen=True)
class DocumentItem:
    """One line of a list; `say` chooses it."""

    number: str
    title: str
    node: str
    node_label: str
    say: str = ""


@dataclass(frozen=True)
class DocumentsCard:
    """Documents to look at or to choose from."""

    title: str
    items: tuple[DocumentItem, ...]
    type: Literal["documents"] = "documents"


@dataclass(frozen=True)
class Change:
    """One row of a confirmation: what it is now and what it will be."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class ConfirmCard:
    """What will be done, before it is done."""

    title: str
    number: str
    rows: tuple[Change, ...]
    type: Literal["confirm"] = "confirm"


@dataclass(frozen=True)
class CaseItem:
    """One case of an answer; `current`: it is the one that holds for the asker's document."""

    when: str
    steps: tuple[str, ...]
    current: bool = False


@dataclass(frozen=True)
class EntryCard:
    """A knowledge entry beside its short answer: its cases, what to do when it fails, and neighbouring topics to tap."""

    title: str
    cases: tuple[CaseItem, ...]
    fails: tuple[str, ...] = ()
    links: tuple[Choice, ...] = ()
    topic: str = ""
    type: Literal["entry"] = "entry"


@dataclass(frozen=True)
class Row:
    """A labelled value."""

    label: str
    value: str


@dataclass(frozen=True)
class FindingCard:
    """What diagnostics found: ok, warn, fail, skip or unknown, and what it rests on."""

    title: str
    status: Literal["ok", "warn", "fail", "skip", "unknown"]
    rows: tuple[Row, ...]
    type: Literal["finding"] = "finding"


@dataclass(frozen=True)
class FactsCard:
    """Labelled values: account numbers, contact lines, a ticket. `page`: where they are managed, a path of the site."""

    title: str
    rows: tuple[Row, ...]
    page: str = ""
    type: Literal["contacts", "ticket", "facts"] = "facts"


@dataclass(frozen=True)
class DeskCard:
    """An offer to check the asker's own machine: the page asks the desk's agent. `hint` is how to do it without a page."""

    title: str
    probes: tuple[str, ...]
    hint: str
    type: Literal["desk"] = "desk"


Card = StepsCard | FlowCard | DocumentsCard | ConfirmCard | EntryCard | FindingCard | FactsCard | DeskCard


@dataclass(frozen=True)
class Reply:
    """One bubble."""

    text: str
    card: Annotated[Card, Field(discriminator="type")] | None = None
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Turn:
    """What one message led to, in the conversation it belongs to."""

    conversation: str
    replies: tuple[Reply, ...]


_REPLIES: TypeAdapter[tuple[Reply, ...]] = TypeAdapter(tuple[Reply, ...])


def to_json(replies: tuple[Reply, ...]) -> list[dict[str, Any]]:
    """Replies as JSON values."""
    result: list[dict[str, Any]] = _REPLIES.dump_python(replies, mode="json")
    return result


def from_json(body: Any) -> tuple[Reply, ...]:
    """Replies stored with `to_json`."""
    return _REPLIES.validate_python(body)

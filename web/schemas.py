"""Shapes on the wire, for /api/v1 and for the conversation page. Money is integer fen, times are ISO 8601 in UTC."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

if TYPE_CHECKING:
    from web.parts import Reply

MAX_TEXT = 1000


class Shown(BaseModel):
    """Read from the core's own objects."""

    model_config = ConfigDict(from_attributes=True)


class Taken(BaseModel):
    """Read from a request; a field nobody knows is a mistake, not a wish."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fields: dict[str, Any]
    instance: str


# ── conversation ─────────────────────────────────────────────────────────


class Station(Shown):
    """A station of a drawn flow."""

    id: str
    label: str
    lane: str
    state: Literal["done", "current", "returned", "ahead", "side"]
    who: str = ""
    when: datetime | None = None
    opinion: str = ""
    whose: str = ""
    help: str = ""


class FlowCard(Shown):
    """The small drawn flow. `edges` are [from, to, forward|return]."""

    type: Literal["flow"]
    title: str
    number: str
    nodes: list[Station]
    edges: list[tuple[str, str, str]]


class DocumentItem(Shown):
    """One document to choose; `say` is what the button says for the user."""

    number: str
    title: str
    node: str
    node_label: str
    amount_fen: int | None = None
    say: str | None = None


class DocumentsCard(Shown):
    """Several documents."""

    type: Literal["documents"]
    title: str = ""
    number: None = None
    entries: list[DocumentItem]


class StepItem(Shown):
    """One step of a repair."""

    label: str
    who: str
    mine: bool = False
    menu: str = ""
    state: Literal["done", "current", "ahead"] = "ahead"


class StepsCard(Shown):
    """A repair to confirm or under way; `before` and `after` name the document's state."""

    type: Literal["steps"]
    title: str
    number: str | None = None
    before: str = ""
    after: str = ""
    steps: list[StepItem]


class Fact(Shown):
    """One line of a facts card."""

    label: str
    value: str


class FactsCard(Shown):
    """A few facts: accounts, contact lines, a ticket."""

    type: Literal["facts"]
    title: str = ""
    number: str | None = None
    rows: list[Fact]


Card = Annotated[FlowCard | DocumentsCard | StepsCard | FactsCard, Field(discriminator="type")]
_CARD: TypeAdapter[FlowCard | DocumentsCard | StepsCard | FactsCard] = TypeAdapter(Card)


class ChoiceOut(Shown):
    """A quick reply."""

    title: str
    say: str


class ReplyOut(Shown):
    """One bubble."""

    text: str
    card: Card | None = None
    choices: list[ChoiceOut] = []


class ChatIn(Taken):
    """One message. Sending the same `key` again repeats the answer and does nothing twice."""

    conversation: str | None = Field(None, max_length=64)
    text: str = Field(min_length=1, max_length=MAX_TEXT)
    key: str = Field(min_length=8, max_length=64)


class ChatOut(BaseModel):
    """What came of it."""

    conversation: str
    replies: list[ReplyOut]


def replies_of(replies: "Sequence[Reply]") -> list[ReplyOut]:
    """Check what the assistant said against the shapes above; a wrong card is a mistake of ours, not the user's."""
    return [
        ReplyOut(
            text=reply.text,
            card=_CARD.validate_python(dict(reply.card)) if reply.card else None,
            choices=[ChoiceOut(title=choice.title, say=choice.say) for choice in reply.choices],
        )
        for reply in replies
    ]


# ── accounts ─────────────────────────────────────────────────────────────


class SignIn(Taken):
    """Account number and password."""

    login: str = Field(min_length=1, max_length=40)
    password: str = Field(min_length=1, max_length=200)


class AccountOut(Shown):
    """Who acts."""

    login: str
    name: str
    role: str
    role_label: str
    unit_name: str
    unit_code: str
    division: str
    region: str


class SessionOut(BaseModel):
    """Send the token as `Authorization: Bearer …`."""

    token: str
    expires_at: datetime
    account: AccountOut

"""/api/v1: deciding together: votes, handing over, asking, added signers."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from core.domain.approval import Kind
from core.service import assigning, decisions
from core.service.assigning import Wish
from web import api_schemas as s
from web.api import body, idempotency_key, route
from web.parts import system
from web.schemas import Shown, Taken
from web.security import actor


class VoterOut(Shown):
    """One vote; `id` names it where this account may take it `back`."""

    who: str
    weight: int
    state: Literal["waiting", "agreed", "against"]
    id: int
    back: str


class LineOut(Shown):
    """Something handed over, asked or added. `mine`: this account is asked now."""

    id: int
    kind: Kind
    label: str
    who: str
    by: str
    state: Literal["waiting", "later", "agreed", "against", "done", "cancelled"]
    note: str
    at: datetime
    mine: bool
    back: str


class GiftOut(Shown):
    """What this account may do with its task, and to whom: [account id, label]."""

    kind: Kind
    label: str
    to: list[tuple[int, str]]


class DecisionOut(Shown):
    """How the decision of a document's node stands. `mode` is empty where nobody votes."""

    number: str
    version: int
    mode: str
    rule: str
    voters: list[VoterOut]
    lines: list[LineOut]
    gifts: list[GiftOut]
    mine: bool


class AssignIn(Taken):
    """Hand the task over (`hand`), ask (`opinion`), or add a signer (`before`, `after`)."""

    kind: Literal["hand", "opinion", "before", "after"]
    to: int = Field(ge=1, le=2**63 - 1)
    note: str = Field(min_length=1, max_length=500)
    version: int


class AnswerIn(Taken):
    """What one was asked for. Who disagrees says why."""

    agrees: bool
    note: str = Field("", max_length=500)
    version: int


class BackIn(Taken):
    """Take back what one asked, added or voted."""

    note: str = Field("", max_length=500)
    version: int


def _wish(given: BaseModel) -> Wish:
    return Wish(version=given.version, key=idempotency_key(), note=given.note.strip())  # type: ignore[attr-defined]


@route("GET", "/documents/<number>/decision", gives=DecisionOut)
def get_decision(number: str) -> DecisionOut:
    """Who agreed, who is waited for, what this account may do."""
    return DecisionOut.model_validate(decisions.decision(system(), actor(), number))


@route("POST", "/documents/<number>/assignments", takes=AssignIn, gives=s.ActOut)
def assign(number: str) -> s.ActOut:
    """Hand over, ask, or add a signer. Repeating an `Idempotency-Key` does nothing twice."""
    given = body()
    result = assigning.assign(system(), actor(), number, Kind(given.kind), given.to, _wish(given))
    return s.ActOut.model_validate(result, from_attributes=True)


@route("POST", "/documents/<number>/assignments/<int:assignment>/answer", takes=AnswerIn, gives=s.ActOut)
def answer_assignment(number: str, assignment: int) -> s.ActOut:
    """Give the opinion or the signature."""
    given = body()
    result = assigning.answer(system(), actor(), number, assignment, _wish(given), agrees=given.agrees)
    return s.ActOut.model_validate(result, from_attributes=True)


@route("POST", "/documents/<number>/assignments/<int:assignment>/back", takes=BackIn, gives=s.ActOut)
def take_back_assignment(number: str, assignment: int) -> s.ActOut:
    """Take back an opinion asked, a signer added, or one's own vote, while nobody has acted on it."""
    result = assigning.take_back(system(), actor(), number, assignment, _wish(body()))
    return s.ActOut.model_validate(result, from_attributes=True)

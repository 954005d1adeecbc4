"""What the draw of experts needs of the outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from core.domain.drawing import Expert


class SeatState(StrEnum):
    """Where a drawn expert stands: `released` ones need not come any more (adjusted or withdrawn request)."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RELEASED = "released"


@dataclass(frozen=True)
class ExpertRow:
    """An expert of the directory with what is personal."""

    id: int
    expert: Expert
    name: str
    phone: str


@dataclass(frozen=True)
class Seat:
    """An expert who was drawn for a document; `group` counts from 0, times are UTC."""

    row: ExpertRow
    group: int
    state: SeatState
    drawn_at: datetime
    answered_at: datetime | None = None


@dataclass(frozen=True)
class DrawRecord:
    """All that is needed to repeat a draw: seed, the pool and the places of each group, and who was drawn."""

    seed: str
    pools: Sequence[Sequence[str]]
    places: Sequence[int]
    drawn: Sequence[Sequence[str]]
    at: datetime


class Experts(Protocol):
    """The directory of experts, recorded draws, and who sits where."""

    def add(self, region: str, rows: Sequence[Mapping[str, Any]]) -> None: ...
    def directory(self, region: str) -> list[ExpertRow]: ...
    def record(self, document_id: int, seq: int, draw: DrawRecord) -> int: ...
    def draws(self, document_id: int) -> list[DrawRecord]: ...
    def seat(self, document_id: int, expert_id: int, group: int, draw_id: int) -> None: ...
    def set_state(self, document_id: int, expert_id: int, state: SeatState, at: datetime | None) -> None: ...
    def seats(self, document_id: int) -> list[Seat]: ...

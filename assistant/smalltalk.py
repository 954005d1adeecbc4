"""Answers to moves that need no knowledge, from `data/smalltalk.yaml`."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, RootModel

from assistant.cards import Choice, Reply
from core.adapters.yaml_reader import read_model

FILE = Path(__file__).parent / "data" / "smalltalk.yaml"


class _Tap(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    say: str


class Move(BaseModel):
    """How one move is answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    says: tuple[str, ...] = Field(min_length=1)
    choices: tuple[_Tap, ...] = ()


class _Moves(RootModel[dict[str, Move]]):
    pass


@lru_cache(maxsize=1)
def moves(file: Path = FILE) -> Mapping[str, Move]:
    """All moves by act; DataError names file and line."""
    return read_model(file, _Moves)[0].root


def reply(act: str, turn: int = 0) -> Reply | None:
    """The answer to `act`, its variants in turn; None where the act needs more than words."""
    move = moves().get(act)
    if move is None:
        return None
    choices = tuple(Choice(one.title, one.say) for one in move.choices)
    return Reply(move.says[turn % len(move.says)], choices=choices)

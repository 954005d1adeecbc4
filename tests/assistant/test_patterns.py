"""Each move of a conversation in several ways of saying it, as data: patterns.yaml. Nothing said there acts."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, RootModel

from assistant.knowledge import Knowledge
from assistant.plain import render
from core.adapters.yaml_reader import read_model
from core.service import documents
from core.settings import Settings
from tests.assistant.conftest import Worlds
from tests.assistant.world import World

FILE = Path(__file__).parent / "patterns.yaml"
WHO = "handler"


class Expected(BaseModel):
    model_config = ConfigDict(extra="forbid")

    has: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


class Then(Expected):
    say: str


class Pattern(Expected):
    pattern: str
    ways: dict[str, tuple[str, ...]]
    before: tuple[str, ...] = ()
    then: Then | None = None


class Patterns(RootModel[list[Pattern]]):
    pass


PATTERNS = read_model(FILE, Patterns)[0].root


@pytest.fixture(scope="module")
def world(
    templates: Callable[[str], Settings], knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """One world for all of them: they only talk."""
    with ExitStack() as opened:
        worlds = Worlds(tmp_path_factory.mktemp("patterns"), knowledge, opened)
        yield worlds.open(templates("neimenggu"), "neimenggu")


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda one: one.pattern)
def test_pattern(world: World, pattern: Pattern) -> None:
    before = versions(world)
    for way, words in pattern.ways.items():
        world.conversations.pop(WHO, None)
        for text in pattern.before:
            say(world, text)
        check(say(world, way), pattern, way, words)
        if pattern.then is not None:
            check(say(world, pattern.then.say), pattern.then, f"{way} … {pattern.then.say}")
    assert versions(world) == before


def say(world: World, text: str) -> str:
    return render(world.say(WHO, re.sub(r"<(\w+)>", lambda match: world.number(match[1]), text)))


def check(said: str, expected: Expected, way: str, words: tuple[str, ...] = ()) -> None:
    where = f"{way!r} was answered:\n{said}"
    assert all(word in said for word in (*expected.has, *words)), where
    assert not expected.any or any(word in said for word in expected.any), where
    assert not any(word in said for word in expected.lacks), where


def versions(world: World) -> dict[str, int]:
    return {one.number: one.version for one in documents.listing(world.system, world.account(WHO))}

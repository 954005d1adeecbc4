"""The words acts are asked for with, from `data/commands.yaml`."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from assistant.conversation import Errand
from core.adapters.yaml_reader import read_model
from core.service.views import Offer
from kb import text as words

FILE = Path(__file__).parent / "data" / "commands.yaml"


class Stance(BaseModel):
    """What agreeing or refusing comes to: an act whose name ends in one of `endings`, else one of `acts`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...]
    acts: tuple[str, ...]
    endings: tuple[str, ...]

    def means(self, action: str) -> bool:
        """Whether `action` is one that this comes to."""
        return action in self.acts or any(action.endswith(f"_{one}") for one in self.endings)


class Commands(BaseModel):
    """`data/commands.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stances: dict[str, Stance]
    acts: dict[str, tuple[str, ...]]
    when_offered: dict[str, tuple[str, ...]]
    goals: dict[str, tuple[str, ...]]
    instead: dict[str, str]
    kinds: dict[str, tuple[str, ...]]
    passing: tuple[str, ...]
    status: tuple[str, ...]
    facts: tuple[str, ...]
    track: tuple[str, ...]
    remind: tuple[str, ...]
    sign: tuple[str, ...]


@lru_cache(maxsize=1)
def commands(file: Path = FILE) -> Commands:
    """Read strictly; DataError names file and line."""
    return read_model(file, Commands)[0]


def stance(text: str) -> str:
    """`agree` or `refuse` where the whole message says no more than that, else ""."""
    said = words.key(text)
    return next((name for name, one in commands().stances.items() if said in one.words), "")


def says(errand: Errand, text: str) -> bool:
    """Whether the words that count most in a message are those of this very errand."""
    if errand.kind == "goal":
        return named(commands().goals, text) == errand.goal
    return bool(errand.action) and errand.action in {stance(text), named(commands().acts, text)}


def says_wrong(text: str) -> bool:
    """Whether something is said to be wrong and no kind of document is named: 型号选错 is a reason, 计划录错了 a request."""
    return "错" in text and not named(commands().kinds, text)


def takes(name: str, action: str) -> bool:
    """Whether `action` is one that the stance comes to."""
    return name in commands().stances and commands().stances[name].means(action)


def judging(action: str) -> tuple[str, ...]:
    """Words that alone come to `action`: 同意, 通过 for what lets something pass."""
    return tuple(word for one in commands().stances.values() if one.means(action) for word in one.words)


def offered(action: str, offers: Iterable[Offer]) -> str:
    """A stance as the act that is offered, a special one (`cancel_pass`) before the usual; any other name as it is."""
    if action not in commands().stances:
        return action
    meant = commands().stances[action]
    known = [offer.action for offer in offers if meant.means(offer.action)]
    return min(known, key=lambda one: one in meant.acts, default="")


def named(spoken: Mapping[str, tuple[str, ...]], said: str) -> str:
    """The one (a kind, a goal) whose words stand in a message, the longest counts; "" for none."""
    found = [(len(word), name) for name, known in spoken.items() for word in known if words.key(word) in said]
    return max(found, default=(0, ""))[1]

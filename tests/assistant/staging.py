"""Worlds at a chosen moment: a walk of the demonstration taken up to one of its steps."""

import re
from dataclasses import dataclass

from core.service.system import System
from core.walks import Player, Step, Walk, load

_WALKS = load()
_UNTIL = re.compile(r"(?P<what>[\w/]+)(?:@(?P<on>\w+))?(?:#(?P<which>\d+))?\Z")


@dataclass(frozen=True)
class Moment:
    """A walk whose `player` stands right before `step`."""

    player: Player
    step: Step


def before(system: System, name: str, until: str) -> Moment:
    """Play the walk `name` up to `until`: `act@document`, `goal@document` or `kind/variant`; `#2` is the second such step.

    Errors: WalkError of the walk's own steps, LookupError where no step is so.
    """
    walk = _WALKS[name]
    at = _place(walk, until)
    player = Player(system, walk.model_copy(update={"steps": walk.steps[:at]}), name)
    player.play()
    return Moment(player, walk.steps[at])


def _place(walk: Walk, until: str) -> int:
    match = _UNTIL.match(until)
    assert match is not None, until
    wanted = int(match["which"] or 1)
    for at, step in enumerate(walk.steps):
        if _is(step, match["what"], match["on"]) and not step.refused:
            wanted -= 1
            if not wanted:
                return at
    raise LookupError(f"{walk.label}: {until}")


def _is(step: Step, what: str, on: str | None) -> bool:
    if on is None:
        return step.enter == what
    return step.on == on and what in (step.act, step.repair)

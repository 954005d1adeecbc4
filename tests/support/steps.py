"""Steps as walks write them, taken in a test's own world."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from core.service.system import System
from core.walks import Player, Walk

Steps = Sequence[dict[str, Any]]


def play(system: System, region: str, steps: Steps) -> Player:
    """These steps taken; further ones with `go_on`."""
    player = Player(system, _walk(region, steps), uuid4().hex)
    player.play()
    return player


def go_on(player: Player, steps: Steps) -> None:
    """Further steps of the same walk."""
    player.walk = _walk(player.walk.region, steps)
    player.play()


def _walk(region: str, steps: Steps) -> Walk:
    return Walk.model_validate({"region": region, "label": "测试", "steps": list(steps)})

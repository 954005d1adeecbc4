"""Values that law or policy gives to a region: thresholds and limits, each from a day on and with its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.domain.errors import NotFoundError

Table = int | Mapping[str, int] | Mapping[str, Mapping[str, int]]
OTHER = "other"  # the row or column for every key that has none of its own


@dataclass(frozen=True)
class Dated:
    """A number (fen, days, percent …), or a table of numbers by one or two keys, from `since` on."""

    value: Table
    since: date
    source: str
    note: str = ""


@dataclass(frozen=True)
class Values:
    """All values of a region by name."""

    by_name: Mapping[str, tuple[Dated, ...]]

    def on(self, name: str, day: date, *keys: str) -> int:
        """The value that holds on `day`; NotFoundError(code `no_such_value`) where there is none."""
        held = [item for item in self.by_name.get(name, ()) if item.since <= day]
        if not held:
            raise NotFoundError(f"没有 {day.isoformat()} 有效的“{name}”", code="no_such_value")
        found: Table = max(held, key=lambda item: item.since).value
        for key in keys:
            if isinstance(found, Mapping):
                found = found.get(key, found.get(_city(key), found.get(OTHER, 0)))
        return found if isinstance(found, int) else 0


def _city(division: str) -> str:
    """A county's city (350102 → 350100): counties without a row of their own go by it."""
    return f"{division[:4]}00"

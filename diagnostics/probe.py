"""What a probe is: it declares the facts it gathers and gathers them; it never judges."""

import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from diagnostics import moments
from diagnostics.redact import Redaction
from diagnostics.result import Scalar

if TYPE_CHECKING:
    from diagnostics.catalogue import Region
    from diagnostics.consent import Consent
    from diagnostics.desk import Desk
    from diagnostics.inventory import Inventory

Row = Mapping[str, Scalar]


@dataclass(frozen=True)
class FactSpec:
    """Chinese label, type, and how the value is redacted; "hidden" facts are for judging only.

    `minutes`: a number of minutes, said with its unit in sentences.
    """

    label: str
    kind: type[bool] | type[int] | type[float] | type[str]
    redact: Redaction = "none"
    minutes: bool = False


@dataclass(frozen=True)
class InputSpec:
    """A value the caller may give: Chinese label, and whether it is a point in time or a text."""

    label: str
    kind: Literal["moment", "text"]

    def read(self, value: object) -> datetime | str | None:
        """The value as probes take it (aware UTC datetime, or text); None if it cannot be read so."""
        if self.kind == "moment":
            return moments.aware(value)
        return value.strip() if isinstance(value, str) and value.strip() else None


@dataclass(frozen=True)
class Context:
    """Everything a probe may look at. `now` is aware UTC; `deadline` is on the monotonic clock.

    `trust` is a PEM file of accepted authorities; `consent` allows one test signature.
    """

    region: "Region"
    words: Mapping[str, str]
    now: datetime
    given: Mapping[str, datetime | str]
    offline: bool
    desk: "Desk"
    inventory: "Inventory"
    deadline: float
    trust: Path | None = None
    consent: "Consent | None" = None
    parents: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def moment(self, name: str) -> datetime | None:
        """A point in time the caller gave."""
        value = self.given.get(name)
        return value if isinstance(value, datetime) else None

    def text(self, name: str) -> str | None:
        """A text the caller gave."""
        value = self.given.get(name)
        return value if isinstance(value, str) else None

    def remaining(self) -> float:
        """Seconds left for this probe, never below 0.05."""
        return max(0.05, self.deadline - time.monotonic())


@dataclass(frozen=True)
class Probe:
    """`gather` returns one row for each thing looked at, every row with exactly the keys of `facts`.

    `inputs` names the values a caller may give, `needs` the modules beyond the standard library without which
    it is left out.
    """

    name: str
    facts: Mapping[str, FactSpec]
    gather: Callable[[Context], Sequence[Row]]
    inputs: Mapping[str, InputSpec] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Modules it needs that are not installed here."""
        return [name for name in self.needs if not _installed(name)]


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False

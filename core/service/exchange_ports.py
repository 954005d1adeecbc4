"""What the core needs of the way to other systems, and what can go wrong on it."""

from collections.abc import Mapping
from typing import Any, Protocol

from core.domain.errors import BlockedError, UnavailableError

SYSTEMS = {
    "mall": "电子卖场",
    "agency": "交易执行系统",
    "finance": "财政一体化",
    "portal": "政府采购网",
    "trade": "交易平台",
}


class UnreachableError(UnavailableError):
    """No answer, or none that can be understood: whether the message arrived is not known, so it is sent again."""

    code = "unreachable"


class RefusedError(BlockedError):
    """The other system understood and said no: sending the same again would bring the same answer."""

    code = "refused"


class ExchangePort(Protocol):
    """Carries one message to another system."""

    def send(self, system: str, topic: str, body: Mapping[str, Any], key: str) -> None:
        """Return once `system` (a key of `SYSTEMS`) has the message; `key` makes its receipt idempotent there.

        Raises UnreachableError or RefusedError. Takes at most `exchange.LEASE` to do so.
        """
        ...

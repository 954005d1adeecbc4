"""What publishing needs of the outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.publishing import Content


@dataclass(frozen=True)
class Publication:
    """A notice as it was published; nothing changes it. `address` is its name in the portal, `at` is UTC.

    `seq` is its place in the public feed, given as the last thing before the commit: whoever has read up to one place
    has read all that will ever stand before it. 0 until then.
    """

    address: str
    region: str
    number: str
    kind_label: str
    title: str
    unit_name: str
    content: Content
    at: datetime
    seq: int = 0


class Publications(Protocol):
    """Published notices: added, never changed."""

    def add(self, document_id: int, publication: Publication) -> None: ...
    def by_address(self, address: str) -> Publication | None: ...
    def since(self, after: int, *, region: str, limit: int) -> list[Publication]: ...
    def of(self, document_id: int) -> list[Publication]: ...
    def latest(self, region: str, *, words: str, limit: int, before: str | None) -> Sequence[Publication]: ...

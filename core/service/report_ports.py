"""What reports and supervision need of the outside."""

from collections.abc import Collection
from typing import Protocol

from core.domain.accounts import Account, Unit
from core.domain.documents import Document


class Reports(Protocol):
    """Reading across units."""

    def scope(self, viewer: Account) -> list[Unit]: ...
    def documents(
        self, unit_ids: Collection[int], kinds: Collection[str], *, limit: int | None = None
    ) -> list[Document]: ...
    def topmost(self, region: str, kinds: Collection[str]) -> list[Document]: ...

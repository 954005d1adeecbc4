"""What the assistant may say: entries and one retriever for each region, opened once for a process."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.domain.errors import NotFoundError
from kb import Entry, Finding, Library, Retriever, open_library, open_retriever


@dataclass(frozen=True)
class Knowledge:
    """Library with retrievers. Safe to share between threads; a region's retriever is opened when first asked."""

    library: Library
    _retrievers: dict[str, Retriever] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, region: str, text: str, prior: Mapping[str, float] | None = None) -> Finding:
        """What `text` asks; NotFoundError for a region without entries."""
        return self.retriever(region).find(text, prior=prior)

    def retriever(self, region: str) -> Retriever:
        """Retriever of `region`."""
        known = self._retrievers.get(region)
        if known is not None:
            return known
        with self._lock:
            if region not in self._retrievers:
                self.check(region)
                self._retrievers[region] = open_retriever(region, self.library)
            return self._retrievers[region]

    def entry(self, region: str, topic: str) -> Entry:
        """Entry of a topic; NotFoundError where there is none."""
        return self.library.entry(region, topic)

    def known(self, region: str, topic: str) -> Entry | None:
        """Entry of a topic, None where there is none."""
        return self.library.entries.get((region, topic))

    def check(self, region: str) -> None:
        """NotFoundError for a region without entries."""
        if region not in self.library.regions:
            known = "、".join(self.library.regions) or "（无）"
            raise NotFoundError(
                f"知识库里没有区域“{region[:40]}”，可用：{known}", fields={"region": "没有这个区域"}
            )


def open_knowledge() -> Knowledge:
    """The project's own entries."""
    return Knowledge(open_library())

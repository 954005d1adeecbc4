"""What the assistant may say: the published knowledge of this moment, or the project's own files without a database."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from assistant import model
from assistant.cards import Reply
from assistant.model import Model
from assistant.sql import engine_of
from core.domain.errors import NotFoundError
from core.service.system import System
from kb import Entry, Finding, Library, Retriever, open_library
from kb.live import Live, Snapshot
from kb.store import Store


class Knowledge:
    """Entries and retrievers. Safe to share between threads; what is published later is given without a restart."""

    def __init__(self, current: Callable[[], Snapshot], helper: Model | None = None) -> None:
        """`current` gives the snapshot that holds now, and never waits; `helper` is optional."""
        self._current, self._helper = current, helper

    def settled(self) -> "Knowledge":
        """The same, held as it is now: for all of one request, so that what was found is still there when it is said."""
        snapshot = self._current()
        return Knowledge(lambda: snapshot, self._helper)

    def arranged(self, text: str, finding: Finding) -> Finding:
        """A question back with its choices in the order of the model, where there is one."""
        return model.arranged(self._helper, text, finding) if self._helper else finding

    def worded(self, text: str, replies: Sequence[Reply]) -> tuple[Reply, ...]:
        """Short answers in the words of the model, where there is one and it says the same."""
        return model.worded(self._helper, text, replies) if self._helper else tuple(replies)

    @property
    def library(self) -> Library:
        """All entries."""
        return self._current().library

    def find(self, region: str, text: str, prior: Mapping[str, float] | None = None) -> Finding:
        """What `text` asks; NotFoundError for a region without entries."""
        return self.retriever(region).find(text, prior=prior)

    def retriever(self, region: str) -> Retriever:
        """Retriever of `region`, opened when first asked."""
        snapshot = self._current()
        _check(snapshot.library, region)
        return snapshot.retriever(region)

    def entry(self, region: str, topic: str) -> Entry:
        """Entry of a topic; NotFoundError where there is none."""
        return self.library.entry(region, topic)

    def known(self, region: str, topic: str) -> Entry | None:
        """Entry of a topic, None where there is none."""
        return self.library.entries.get((region, topic))

    def check(self, region: str) -> None:
        """NotFoundError for a region without entries."""
        _check(self.library, region)


def _check(library: Library, region: str) -> None:
    if region not in library.regions:
        known = "、".join(library.regions) or "（无）"
        raise NotFoundError(
            f"知识库里没有区域“{region[:40]}”，可用：{known}", fields={"region": "没有这个区域"}
        )


def open_knowledge() -> Knowledge:
    """The project's own entries, as their files say."""
    snapshot = Snapshot(0, date.min, open_library())
    return Knowledge(lambda: snapshot)


def open_live(system: System, *, bring_in: bool = False) -> Live:
    """What is published in the database of `system`; `bring_in` as of `kb.live.Live`."""
    return Live(Store(engine_of(system), system.clock), open_library(), bring_in=bring_in)

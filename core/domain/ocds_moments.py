"""Which steps of a document's history are told in open data (OCDS), as data."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.domain.documents import Entry


@dataclass(frozen=True)
class Moment:
    """When a kind of document says something (`nodes`, or only `by` these acts), and where in a release it is said.

    `ends`: from then on the document no longer stands; until it does again, nothing else is said of it. `public`: ``own``
    once the document itself was published in the portal, ``project`` once anything of its project was; else never there.
    """

    kind: str
    nodes: tuple[str, ...]
    section: str
    tag: str
    variants: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    status: str = ""
    ends: bool = False
    document: str = ""
    public: str = ""

    def of(self, kind: str, variant: str) -> bool:
        """Whether documents of this kind and variant have such a moment."""
        return kind == self.kind and (not self.variants or variant in self.variants)


def moments_in(history: Sequence[Entry], moments: Collection[Moment]) -> list[tuple[Entry, Moment]]:
    """Which moments a document's history holds, in order; `moments` are those of its kind."""
    found: list[tuple[Entry, Moment]] = []
    standing: set[str] = set()  # sections that say something of it now
    for entry in history:
        for moment in moments:
            if entry.target not in moment.nodes or (moment.by and entry.action not in moment.by):
                continue
            if bool(moment.by or moment.ends) != (moment.section in standing):
                continue
            (standing.discard if moment.ends else standing.add)(moment.section)
            found.append((entry, moment))
            break
    return found

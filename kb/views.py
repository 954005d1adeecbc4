"""What the console shows: a row of the list, a topic, a revision, what a publication would mean, and what one meant."""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.difference import Change
from kb.entries import Entry
from kb.replay import Replay
from kb.replays import Running
from kb.revisions import Revision
from kb.store import Publication


@dataclass(frozen=True)
class Row:
    """An entry in the list. `waiting` counts its drafts and reviewed revisions; `edited`: a person wrote what is published."""

    entry: Entry
    waiting: int
    edited: bool


@dataclass(frozen=True)
class Page:
    """One topic: what is published (None for a new one), and all its revisions, the newest first."""

    region: str
    topic: str
    published: Revision | None
    revisions: Sequence[Revision]
    mine: bool

    @property
    def newest(self) -> Entry:
        """What an edit starts from: the newest draft, else what is published, else the newest of all."""
        waiting = next((one for one in self.revisions if one.state != "published"), None)
        return (waiting or self.published or self.revisions[0]).entry


@dataclass(frozen=True)
class Look:
    """A revision beside what is published. `moved`: something was published for the topic after it was written."""

    revision: Revision
    before: Entry | None
    changes: Sequence[Change]
    moved: bool


@dataclass(frozen=True)
class Release:
    """Revisions that may be published together: what keeps them from it, and what they do to the answers."""

    number: int
    looks: Sequence[Look]
    problems: Sequence[str]
    replay: Replay | Running | None

    @property
    def ids(self) -> tuple[int, ...]:
        """Of the revisions."""
        return tuple(one.revision.id for one in self.looks)

    @property
    def ready(self) -> bool:
        """Whether it may be published."""
        reviewed = all(one.revision.state == "reviewed" for one in self.looks)
        return reviewed and not self.problems and isinstance(self.replay, Replay)


@dataclass(frozen=True)
class Step:
    """A publication and what it changed in a region, against the one before."""

    publication: Publication
    came: Sequence[Revision]
    went: Sequence[Revision]

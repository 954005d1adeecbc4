"""All that one turn sees, and what it comes to. Everything here is read; acts go through the core's use cases."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from assistant.cards import Choice, Reply
from assistant.conversation import State
from assistant.knowledge import Knowledge
from assistant.understanding import Heard
from assistant.wording import commands
from core.domain.accounts import Account, Session
from core.domain.process import Process
from core.service import documents
from core.service.ports import Notice
from core.service.repairs import RepairTask
from core.service.system import System
from core.service.views import DocumentSummary, DocumentView

LISTED = 200  # documents of one account looked through
YES_NO = (Choice("是，办理", "是"), Choice("先不办", "不"))


@dataclass(frozen=True)
class Outcome:
    """State after the turn and what is said; `about` is the topic that was answered without its entry being shown."""

    state: State
    replies: tuple[Reply, ...]
    about: str = ""

    def more(self, *replies: Reply) -> "Outcome":
        """The same with further replies at the end."""
        return replace(self, replies=(*self.replies, *replies))


@dataclass(frozen=True)
class Viewer:
    """An asker with an account, and the core through which it looks and acts."""

    system: System
    account: Account

    @cached_property
    def plans(self) -> tuple[DocumentSummary, ...]:
        """Plans the asker works with: its unit's for buyers, those waiting for it for everybody else."""
        if self.account.buys:
            return tuple(documents.listing(self.system, self.account, kind="plan", limit=LISTED))
        return tuple(item for item in self.todo if item.kind == "plan")

    @cached_property
    def _kinds(self) -> dict[str, tuple[DocumentSummary, ...]]:
        return {}

    def of_kind(self, kind: str) -> tuple[DocumentSummary, ...]:
        """Documents of a kind the asker works with, newest first; those of the other kinds by what may be seen."""
        return self.plans if kind == "plan" else self.seen(kind)

    def seen(self, kind: str) -> tuple[DocumentSummary, ...]:
        """Documents of a kind the asker may see, newest first."""
        if kind not in self._kinds:
            found = documents.listing(self.system, self.account, kind=kind, limit=LISTED)
            self._kinds[kind] = tuple(found)
        return self._kinds[kind]

    @cached_property
    def everything(self) -> tuple[DocumentSummary, ...]:
        """Documents of all kinds the asker may see, newest first."""
        return tuple(documents.listing(self.system, self.account, limit=LISTED))

    @cached_property
    def kinds(self) -> dict[str, tuple[str, ...]]:
        """The kinds of the asker's region with their names: the region's own, and as people call them."""
        region, book = self.account.region, self.system.processes
        called = commands().kinds
        return {
            kind: (
                *(name for one in book.variants(region, kind) for name in (one.label, one.variant_label)),
                *called.get(kind, ()),
            )
            for kind in book.kinds(region)
        }

    @cached_property
    def todo(self) -> tuple[DocumentSummary, ...]:
        """Documents whose turn is this account's."""
        return tuple(documents.todo(self.system, self.account))

    def look(self, number: str) -> DocumentView:
        """A document; NotFoundError also for another unit's."""
        return documents.get(self.system, self.account, number)

    def sees(self, number: str) -> bool:
        """Whether the asker may know that there is such a document."""
        return documents.is_seen(self.system, self.account, number)

    def process(self, number: str) -> Process | None:
        """What a document runs on, which costs a tenth of a look at it; None where the asker may not know of it."""
        return documents.process_of(self.system, self.account, number)


@dataclass(frozen=True)
class Scene:
    """One turn. `tasks` are steps of repairs that wait for this account, `unseen` what it has not heard yet."""

    knowledge: Knowledge
    region: str
    heard: Heard
    state: State
    viewer: Viewer | None = None
    tasks: Sequence[RepairTask] = ()
    unseen: Sequence[Notice] = ()
    page_number: str = ""
    expires_at: datetime | None = None
    session: Session | None = None

    @property
    def asker(self) -> Viewer:
        """Who asks; errands are only ever begun by someone with an account."""
        assert self.viewer is not None, "an errand needs an account"  # noqa: S101
        return self.viewer

    @property
    def number(self) -> str:
        """The document that is named now, shown on the page, or was spoken of last."""
        return next(iter(self.heard.numbers), "") or self.page_number or self.state.number

    def at(self, state: State) -> "Scene":
        """The same turn in another state."""
        return replace(self, state=state)

    def hearing(self, heard: Heard) -> "Scene":
        """The same turn with other words."""
        return replace(self, heard=heard)

"""What keepers of the knowledge do in the console: look, draft, review, replay, publish, go back.

Everybody on the staff may read every region; who edits, reviews or publishes does so in the region of the account. Who may
is decided by `core/data/rights.yaml` alone; that nobody reviews their own draft, by the store.
"""

import re
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from core.domain.accounts import Account
from core.domain.errors import BlockedError, ForbiddenError, InvalidError, NotFoundError
from core.domain.rights import Capability
from core.service import rights
from core.service.system import System
from kb.difference import changed_parts
from kb.entries import Entry
from kb.live import Live
from kb.replay import Replay
from kb.replays import Replays, Run
from kb.revisions import Revision, as_if_published
from kb.text import compact, normalise
from kb.views import Look, Page, Release, Row, Step

_LIKELY = 0.02  # probability from which a topic is listed for what was searched
_STEPS = 30  # publications shown
NOTE_LIMIT = 200


class Editing:
    """For staff; everybody else gets ForbiddenError."""

    def __init__(
        self, system: System, engine: Engine, live: Live, cache: Path, run: Run | None = None
    ) -> None:
        """Over the running core and what is published; `cache` and `run` as of `kb.replays.Replays`."""
        self._system, self.live, self.store = system, live, live.store
        self._replays = Replays(engine, system.clock, cache, run)

    def regions(self, actor: Account) -> Sequence[str]:
        """All that have entries."""
        self.require(actor, Capability.EDIT_KNOWLEDGE)
        return self.live.current().library.regions

    def listing(self, actor: Account, region: str, words: str = "") -> list[Row]:
        """Entries of a region; with `words` those that hold them, and what the assistant takes them to mean."""
        self.require(actor, Capability.EDIT_KNOWLEDGE)
        _, items = self.store.published()
        found = {one.entry.id: one for one in items if one.entry.region == region}
        if not found:
            raise NotFoundError(f"知识库里没有区域“{region[:40]}”的条目", fields={"region": "没有这个区域"})
        waiting = [one.entry.id for one in self.store.waiting() if one.entry.region == region]
        order = self._search(region, words, found) if words.strip() else sorted(found, key=_as_read)
        return [
            Row(found[topic].entry, waiting.count(topic), found[topic].origin == "human") for topic in order
        ]

    def _search(self, region: str, words: str, found: dict[str, Revision]) -> list[str]:
        typed = compact(normalise(words).clean)
        meant = [one.topic for one in self.live.find(region, words).candidates if one.score >= _LIKELY]
        holding = [topic for topic, one in sorted(found.items()) if typed and typed in _all_text(one.entry)]
        return [topic for topic in dict.fromkeys((*holding, *meant)) if topic in found]

    def page(self, actor: Account, region: str, topic: str) -> Page:
        """One topic; NotFoundError for one that never was."""
        self.require(actor, Capability.EDIT_KNOWLEDGE)
        _, items = self.store.published()
        published = next((one for one in items if (one.entry.region, one.entry.id) == (region, topic)), None)
        revisions = self.store.revisions(region, topic)
        if not revisions:
            raise NotFoundError(f"“{region[:20]}”没有“{topic[:40]}”这个条目", fields={"topic": "没有找到"})
        return Page(region, topic, published, revisions, actor.region == region)

    def waiting(self, actor: Account) -> list[Revision]:
        """Drafts and reviewed revisions of the actor's region, the oldest first."""
        self.require(actor, Capability.EDIT_KNOWLEDGE)
        return [one for one in self.store.waiting() if one.entry.region == actor.region]

    def look(self, actor: Account, revision_id: int) -> Look:
        """One revision beside what is published."""
        self.require(actor, Capability.EDIT_KNOWLEDGE)
        return self._look(self.store.revision(revision_id), self.store.published()[1])

    def _look(self, one: Revision, items: Sequence[Revision]) -> Look:
        place = (one.entry.region, one.entry.id)
        known = next((item for item in items if (item.entry.region, item.entry.id) == place), None)
        before = known.entry if known else None
        moved = bool(
            known and one.state != "published" and known.published_at and known.published_at > one.created_at
        )
        return Look(one, before, changed_parts(before, one.entry), moved)

    def draft(
        self,
        actor: Account,
        entry: Entry,
        *,
        note: str = "",
        effective_from: date | None = None,
        effective_until: date | None = None,
        instead_of: int | None = None,
    ) -> Revision:
        """Keep an edit, in place of the actor's own earlier draft `instead_of`."""
        self._own(actor, entry.region, Capability.EDIT_KNOWLEDGE)
        if len(note) > NOTE_LIMIT:
            raise InvalidError(f"说明请不超过 {NOTE_LIMIT} 字", fields={"note": "太长了"})
        dates = {"effective_from": effective_from, "effective_until": effective_until}
        one = self.store.draft(entry, actor.login, note=note.strip(), **dates)
        old = next((item for item in self.store.waiting() if item.id == instead_of), None)
        if old and old.state == "draft" and old.author == actor.login and old.entry.id == entry.id:
            self.store.discard(old.id)
        self._audit(actor, "knowledge_draft", one)
        return one

    def new_topic(self, actor: Account) -> str:
        """An id that no entry of any region ever had: nm-k1, nm-k2 …"""
        self._own(actor, actor.region, Capability.EDIT_KNOWLEDGE)
        library = self.live.current().library
        prefix = library.of_region(actor.region)[0].id.split("-", 1)[0]
        number = 1
        while self.store.revisions(actor.region, f"{prefix}-k{number}"):
            number += 1
        return f"{prefix}-k{number}"

    def review(self, actor: Account, revision_id: int) -> Revision:
        """A second pair of eyes; BlockedError for who wrote it."""
        self._own(actor, self.store.revision(revision_id).entry.region, Capability.EDIT_KNOWLEDGE)
        one = self.store.review(revision_id, actor.login)
        self._audit(actor, "knowledge_review", one)
        return one

    def discard(self, actor: Account, revision_id: int) -> Revision:
        """Throw an unpublished revision away: the author's own, or anyone's by who may publish."""
        one = self.store.revision(revision_id)
        self._own(actor, one.entry.region, Capability.EDIT_KNOWLEDGE)
        if one.author != actor.login:
            rights.require(self._system, actor, Capability.PUBLISH_KNOWLEDGE)
        self.store.discard(revision_id)
        self._audit(actor, "knowledge_discard", one)
        return one

    def release(self, actor: Account, revision_ids: Collection[int]) -> Release:
        """What publishing these together would mean."""
        self.require(actor, Capability.EDIT_KNOWLEDGE)
        chosen = [self.store.revision(one) for one in sorted(set(revision_ids))]
        if not chosen:
            raise InvalidError("请先选要发布的条目", fields={"revision": "请选择"})
        for one in chosen:
            self._own(actor, one.entry.region, Capability.EDIT_KNOWLEDGE)
        number, items = self.store.published()
        ids = [one.id for one in chosen]
        problems = [said(problem) for problem in self.store.problems(ids, self.live.base)]
        looks = [self._look(one, items) for one in chosen]
        return Release(number, looks, problems, self._replays.find(number, ids))

    def replay(self, actor: Account, revision_ids: Collection[int]) -> None:
        """Ask the evaluation sets with and without these, aside."""
        found = self.release(actor, revision_ids)
        _, before = self.store.library(self.live.base)
        after = as_if_published(before, [one.revision for one in found.looks])
        self._replays.start(found.number, found.ids, actor.region, before, after)

    def publish(self, actor: Account, revision_ids: Collection[int], seen: int, note: str = "") -> int:
        """Publish reviewed revisions together; the new number. BlockedError before their replay was seen."""
        found = self.release(actor, revision_ids)
        rights.require(self._system, actor, Capability.PUBLISH_KNOWLEDGE)
        if found.number == seen and not isinstance(found.replay, Replay):
            raise BlockedError("请先重放评测题，看过哪些回答会变，再发布", fields={"reasons": ["没有重放"]})
        number = self.store.publish(found.ids, actor.login, self.live.base, seen=seen, note=note[:NOTE_LIMIT])
        for one in found.looks:
            self._audit(actor, "knowledge_publish", one.revision)
        return number

    def withdraw(self, actor: Account, topic: str) -> int:
        """Take a topic out of the answers; the new number."""
        self._own(actor, actor.region, Capability.PUBLISH_KNOWLEDGE)
        number = self.store.withdraw(actor.region, topic, actor.login, self.live.base)
        self._record(actor, "knowledge_withdraw", f"{actor.region}/{topic}")
        return number

    def history(self, actor: Account) -> list[Step]:
        """Publications, the newest first, with what each changed in the actor's region."""
        self.require(actor, Capability.EDIT_KNOWLEDGE)
        publications = self.store.publications()[: _STEPS + 1]
        held = {0: dict[int, Revision]()}
        for one in publications:
            items = self.store.items(one.number)
            held[one.number] = {item.id: item for item in items if item.entry.region == actor.region}
        steps = []
        for one in publications[:_STEPS]:
            now, before = held[one.number], held.get(one.number - 1, {})
            came = [item for at, item in now.items() if at not in before]
            topics = {item.entry.id for item in now.values()}
            went = [item for at, item in before.items() if at not in now and item.entry.id not in topics]
            steps.append(Step(one, came, went))
        return steps

    def roll_back(self, actor: Account, number: int) -> int:
        """Publish the actor's region as it was under `number`; the new number."""
        self._own(actor, actor.region, Capability.PUBLISH_KNOWLEDGE)
        new = self.store.roll_back(number, actor.login, region=actor.region)
        self._record(actor, "knowledge_roll_back", f"{actor.region}/{number}")
        return new

    def require(self, actor: Account, capability: Capability) -> None:
        """ForbiddenError unless the matrix of rights says so."""
        rights.require(self._system, actor, capability)

    def _own(self, actor: Account, region: str, capability: Capability) -> None:
        self.require(actor, capability)
        if actor.region != region:
            raise ForbiddenError(
                "只能改本区域的条目，别的区域由那里的客服和管理员维护", fields={"region": region}
            )

    def _audit(self, actor: Account, act: str, one: Revision) -> None:
        self._record(actor, act, f"{one.entry.region}/{one.entry.id}#{one.seq}")

    def _record(self, actor: Account, act: str, subject: str) -> None:
        with self._system.database.write() as tx:
            tx.records.audit(actor.region, self._system.clock(), actor.login, act, subject, {})


def _all_text(entry: Entry) -> str:
    phrasings = (text for _, _, text in entry.phrasings.items())
    texts = (entry.id, entry.title, entry.short, *entry.keywords, *phrasings)
    return "\n".join(compact(normalise(text).clean) for text in texts)


def _as_read(topic: str) -> list[tuple[int, str]]:
    """nm-2 before nm-10."""
    return [(int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", topic)]


def said(problem: str) -> str:
    """`here/a.yaml:1: 说明` → `a：说明`: there is no file in the console."""
    place, _, sentence = problem.partition(": ")
    return f"{place.split('/')[-1].split('.yaml')[0]}：{sentence}" if sentence else problem

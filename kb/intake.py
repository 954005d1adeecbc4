"""Files that staff upload: a preview of what is new, changed or doubtful, and drafts of what they choose of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath

from core.domain.accounts import Account
from core.domain.errors import DataError, InvalidError
from core.domain.rights import Capability
from core.service.ports import Blobs
from kb import importer, workbook
from kb.difference import difference
from kb.documents import Draft
from kb.editing import Editing
from kb.entries import Case, Entry, Phrasings
from kb.importer import State
from kb.revisions import Revision
from kb.text import key

KINDS = (".docx", ".xlsx", ".csv", ".md", ".txt")
_LONGEST_ID = 40  # characters, as the tables have them
_GENERAL = "一般情况"


@dataclass(frozen=True)
class Item:
    """One topic of an uploaded file; `entry` is what its draft would be, None where the file says too little."""

    line: int
    title: str
    topic: str
    state: State
    reasons: tuple[str, ...]
    entry: Entry | None


class Intake:
    """Over the console; the file lies among the blobs between preview and drafts."""

    def __init__(self, editing: Editing, blobs: Blobs) -> None:
        """Keep both."""
        self._editing, self._blobs = editing, blobs

    def keep(self, actor: Account, name: str, data: bytes) -> str:
        """Keep an uploaded file and give its name among the blobs; DataError says what is wrong with it."""
        self._editing.require(actor, Capability.EDIT_KNOWLEDGE)
        if PurePath(name).suffix.lower() not in KINDS:
            raise InvalidError(f"只能上传 {'、'.join(KINDS)} 文件", fields={"file": "格式不对"})
        if not data:
            raise InvalidError("请选择文件", fields={"file": "没有内容"})
        self._items(actor, name, data)
        return self._blobs.put(data)

    def preview(self, actor: Account, name: str, blob: str) -> list[Item]:
        """What the file holds, against what is published in the actor's region."""
        self._editing.require(actor, Capability.EDIT_KNOWLEDGE)
        return self._items(actor, name, self._blobs.get(blob))

    def take(self, actor: Account, name: str, blob: str, chosen: Collection[int]) -> list[Revision]:
        """Drafts of the chosen items, by their places in the preview."""
        items = self.preview(actor, name, blob)
        made = []
        for at, item in enumerate(items):
            if at not in chosen or item.entry is None:
                continue
            entry = item.entry
            if not entry.id:
                topic = self._editing.new_topic(actor)
                entry = entry.model_copy(update={"id": topic, "sources": (topic,)})
            made.append(self._editing.draft(actor, entry, note=f"导入自 {name[:100]}"))
        if not made:
            raise InvalidError("请至少选一条", fields={"item": "没有选"})
        return made

    def _items(self, actor: Account, name: str, data: bytes) -> list[Item]:
        file = Path(PurePath(name).name)
        if file.suffix.lower() == ".xlsx" and workbook.is_export(file, data):
            return self._whole(actor, workbook.read(file, data))
        snapshot = self._editing.live.current()
        drafts = importer.read_data(file, data)
        retriever = snapshot.retriever(actor.region)
        today = self._editing.store.today()
        items = []
        for one in importer.preview(drafts, actor.region, snapshot.library, retriever):
            draft = one.draft
            known = snapshot.library.entries.get((actor.region, draft.topic))
            entry = _merged(known, draft) if known else _fresh(actor.region, draft, today)
            items.append(Item(draft.line, draft.title, draft.topic, one.state, one.reasons, entry))
        return items

    def _whole(self, actor: Account, entries: Sequence[Entry]) -> list[Item]:
        """Entries of a workbook that `export` wrote; those of other regions are left out."""
        items = []
        library = self._editing.live.current().library
        for at, entry in enumerate((one for one in entries if one.region == actor.region), 2):
            known = library.entries.get((entry.region, entry.id))
            changes = difference(known, entry) if known else []
            reasons = tuple(
                f"{one.name}：去掉 {len(one.removed)} 行，增加 {len(one.added)} 行" for one in changes
            )
            state: State = "new" if known is None else "same" if known == entry else "changed"
            items.append(Item(at, entry.title, entry.id, state, reasons, entry))
        if not items:
            raise DataError([f"文件:1: 里面没有“{actor.region}”的条目"])
        return items


def _merged(known: Entry, draft: Draft) -> Entry:
    """The entry with what the file says otherwise; nothing that the file does not speak of is lost."""
    asked = {key(text) for _, _, text in known.phrasings.items()}
    fresh = [text for text in draft.phrasings if key(text) not in asked]
    phrasings = known.phrasings.model_copy(update={"short": (*known.phrasings.short, *fresh)})
    steps = {key(step) for case in known.cases for step in case.steps}
    cases = known.cases
    if any(key(step) not in steps for step in draft.steps):
        new = Case(when=_GENERAL, steps=tuple(draft.steps))
        alone = len(cases) == 1
        cases = (cases[0].model_copy(update={"steps": new.steps}),) if alone else (*cases, new)
    texts = {"title": draft.title or known.title, "short": draft.answer or known.short}
    return known.model_copy(update={**texts, "cases": cases, "phrasings": phrasings})


def _fresh(region: str, draft: Draft, today: date) -> Entry | None:
    steps = draft.steps or ([draft.answer] if draft.answer else [])
    usable = not draft.topic or (importer.ID.match(draft.topic) and len(draft.topic) <= _LONGEST_ID)
    if not draft.title or not steps or not usable:
        return None
    return Entry(
        id=draft.topic,
        region=region,
        title=draft.title,
        short=draft.answer or draft.title,
        cases=(Case(when=_GENERAL, steps=tuple(steps)),),
        sources=(draft.topic or "-",),
        since=today,
        phrasings=Phrasings(short=tuple(dict.fromkeys(draft.phrasings))),
    )

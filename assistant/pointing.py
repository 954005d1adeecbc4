"""A document named in passing: 教学服务器的计划到哪了, 校园家具那个, 000005. It is looked up; nothing is begun."""

from assistant import looking, wording
from assistant.cards import Reply
from assistant.choosing import ask_which, ends_with, part_of
from assistant.conversation import Errand
from assistant.replies import say
from assistant.scene import Outcome, Scene, Viewer
from assistant.understanding import MARKS
from assistant.wording import commands
from core.service.views import DocumentSummary
from kb import text as words

_LONGEST = 24  # characters
_LEAST = 2  # of a name


def named(scene: Scene) -> Outcome | None:
    """Where the document is whose name the message is about; None where it says more than that, or names none."""
    viewer, said = scene.viewer, words.key(scene.heard.plain)
    if viewer is None or scene.heard.numbers or len(said) > _LONGEST:
        return None
    kind = wording.named(viewer.kinds, said)
    plain = scene.heard.plain
    parts = [
        (part_of(one.title, plain, least=_LEAST), one) for one in viewer.everything if kind in ("", one.kind)
    ]
    longest = max((len(part) for part, _ in parts), default=0)
    found = [
        one for part, one in parts if part and len(part) == longest and _only_points(said, part, viewer, kind)
    ]
    found = found or _under_way(viewer, said, kind)
    if not found:
        return None
    if len(found) == 1:
        return looking.track(scene, found[0].number)
    return ask_which(scene, found, Errand("status"))


def _under_way(viewer: Viewer, said: str, kind: str) -> list[DocumentSummary]:
    """我的计划批了吗 names a kind only: its documents that are under review."""
    if (
        not kind
        or not any(word in said for word in commands().status)
        or not _only_points(said, "", viewer, kind)
    ):
        return []
    return [one for one in viewer.of_kind(kind) if one.stage == "review"]


def _only_points(said: str, part: str, viewer: Viewer, kind: str) -> bool:
    """Whether nothing is left of the message but words for looking."""
    rest = said.replace(words.key(part), "")
    names = viewer.kinds.get(kind, ())
    for word in sorted((*names, *commands().track, *commands().passing), key=len, reverse=True):
        rest = rest.replace(words.key(word), "")
    return not rest


def beyond(scene: Scene, number: str) -> str:
    """What a message says beside which document it is about: 录错了 of 碎纸机录错了."""
    viewer, text = scene.asker, scene.heard.lead
    names: tuple[str, ...] = ()
    if viewer.sees(number):
        summary = viewer.look(number).summary
        names = (part_of(summary.title, text), summary.variant_label, summary.kind_label)
    for name in (*MARKS, *names):
        text = text.replace(name, "") if name else text
    return words.key(text)


def ending(scene: Scene) -> list[DocumentSummary]:
    """Documents of the asker whose numbers end in the digits that were typed."""
    viewer, tail = scene.viewer, scene.heard.tail
    known = {one.number: one for one in (*viewer.plans, *viewer.everything)} if viewer and tail else {}
    return [one for one in known.values() if ends_with(one.number, tail)]


def by_digits(scene: Scene) -> Outcome:
    """Digits alone: the end of a document's number, of a plan's first; a position where nothing is to be chosen."""
    heard, found = scene.heard, ending(scene)
    plans = [one for one in found if one.kind == "plan"]
    if len(plans) == 1:
        return looking.track(scene, plans[0].number)
    if heard.ordinal:
        return Outcome(scene.state, (Reply(say("nothing_to_choose")),))
    if not found:
        return looking.missing(scene, heard.tail)
    if len(found) == 1:
        return looking.track(scene, found[0].number)
    return ask_which(scene, plans or found, Errand("status"))

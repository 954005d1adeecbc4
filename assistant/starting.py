"""Entering a document from chat: which kind, under which one, and a draft after a yes. The page has the whole form."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from assistant.cards import Change, Choice, ConfirmCard, Reply
from assistant.choosing import OF_WHAT_IS
from assistant.conversation import Errand, Frame, Option, Stage
from assistant.replies import say
from assistant.scene import YES_NO, Outcome, Scene, Viewer
from assistant.topics import concerns
from assistant.understanding import MARKS
from core.domain.accounts import ROLE_LABELS
from core.domain.errors import DomainError
from core.domain.process import Process
from core.service import above as above_it
from core.service import documents, entering, filling
from kb import Entry
from kb import text as words

_VERBS = ("新建", "新增", "录入", "登记", "申报", "建一个", "建一张", "填一张")
_ENTERED_FOR = (None, "submit", "confirm")  # acts that an entered draft leads to
_SHOWN = 6
_LISTED_MISSING = 6
_NAME = 2  # characters that are enough to mean a kind


def offer(scene: Scene, entry: Entry, above: str = "") -> Outcome | None:
    """What to say of a topic when the asker has no document for it; None where entering one would not help.

    `above` is the document under which it is to be entered, where one was named.
    """
    operation = entry.operation
    if operation is None or scene.viewer is None or operation.goal in OF_WHAT_IS:
        return None
    if operation.action not in _ENTERED_FOR:
        return None
    known = scene.viewer.system.processes.variants(scene.viewer.account.region, operation.kind)
    able = [one for one in _may_start(scene.viewer, known) if concerns(entry, one.variant)]
    if above:
        able = [one for one in able if _fitting(scene.viewer, one, above)] or able
    if not able:
        return None
    named = [process for process in able if _named(process, scene.heard.plain)] or able
    if len(named) > 1:
        return Outcome(scene.state, (_which(named),))
    return _propose(scene, scene.viewer, named[0], above)


def command(scene: Scene) -> Outcome | None:
    """新建合同, 录入采购意向 JH-…: a kind of the region by name; None where the message is no such command."""
    viewer, said = scene.viewer, words.key(scene.heard.lead or scene.heard.plain)
    verb = next((verb for verb in _VERBS if said.startswith(words.key(verb))), "")
    if viewer is None or not verb or scene.heard.question:
        return None
    rest = said.removeprefix(words.key(verb))
    for mark in MARKS:
        rest = rest.removesuffix(words.key(mark))
    region = viewer.account.region
    kinds = viewer.system.processes.kinds(region)
    known = [process for kind in kinds for process in viewer.system.processes.variants(region, kind)]
    exact = [p for p in known if words.key(p.variant_label) == rest]
    found = exact or [p for p in known if words.key(p.label) == rest] or _ending(known, rest)
    if not found:
        return None
    may = _may_start(viewer, found)
    if not may:
        return Outcome(scene.state, (Reply(_no_right(found[0])),))
    if len(may) > 1:
        return Outcome(scene.state, (_which(may),))
    return _propose(scene, viewer, may[0], next(iter(scene.heard.numbers), ""))


def _ending(known: Sequence[Process], rest: str) -> list[Process]:
    """合同 for 采购合同: the kind whose name ends so, if it is the only one."""
    found = [p for p in known if len(rest) >= _NAME and words.key(p.label).endswith(rest)]
    return found if len({p.kind for p in found}) == 1 else []


def _may_start(viewer: Viewer, known: Sequence[Process]) -> list[Process]:
    """Those of `known` that the asker may enter."""
    able = {(one.kind, one.variant) for one in filling.entries(viewer.system, viewer.account)}
    return [process for process in known if (process.kind, process.variant) in able]


def _named(process: Process, text: str) -> bool:
    return process.variant_label in text


def _no_right(process: Process) -> str:
    if process.made:
        return process.made
    who = "、".join(ROLE_LABELS[actor.role] for actor in process.node(process.start).actors)
    return say("start_no_right", variant=process.variant_label, who=who or "系统")


def _which(found: Sequence[Process]) -> Reply:
    choices = tuple(Choice(p.variant_label, f"新建{p.variant_label}") for p in found[:_SHOWN])
    return Reply(say("start_which", label=found[0].label), choices=choices)


def _propose(scene: Scene, viewer: Viewer, process: Process, above: str = "") -> Outcome:
    """Ask whether to enter it; where it hangs on another document and several fit, on which."""
    if process.alone and not (above and process.parents):
        return _ask(scene, process, "")
    fitting = _fitting(viewer, process, above)
    if not fitting:
        why = next((item.say for item in process.parents if item.say), "")
        return Outcome(scene.state, (Reply(say("start_no_above", variant=process.variant_label, why=why)),))
    if len(fitting) == 1:
        return _ask(scene, process, fitting[0].number)
    choices = tuple(
        Choice(f"{item.number} {item.title}", f"新建{process.variant_label} {item.number}")
        for item in fitting[:_SHOWN]
    )
    said = say("start_which_above", variant=process.variant_label)
    frame = Frame(
        Stage.CHOOSING_DOCUMENT,
        errand=Errand("enter", goal=process.kind, action=process.variant, topic=scene.state.topic),
        options=tuple(Option(item.title, item.number, item.variant_label) for item in fitting[:_SHOWN]),
    )
    return Outcome(scene.state.push(frame), (Reply(said, choices=choices),))


def _fitting(viewer: Viewer, process: Process, above: str) -> list[above_it.Choice]:
    """What it may hang on: `above` alone where one was named."""
    known = above_it.choices(viewer.system, viewer.account, process.kind, process.variant)
    return [item for item in known if above in ("", item.number)]


def under(scene: Scene, errand: Errand) -> Outcome:
    """The document that was chosen for a new one to stand under; said why where it cannot."""
    viewer = scene.asker
    process = viewer.system.processes.current(viewer.account.region, errand.goal, errand.action)
    return _propose(scene, viewer, process, errand.number)


def _ask(scene: Scene, process: Process, above: str) -> Outcome:
    name = "start_offer_under" if above else "start_offer"
    under = {"above": above} if above else {}
    said = say(name, variant=process.variant_label, **under)
    errand = Errand("enter", number=above, goal=process.kind, action=process.variant, topic=scene.state.topic)
    about = say("start_about", variant=process.variant_label)
    frame = Frame(Stage.CONFIRMING, errand=errand, token=uuid4().hex, about=about)
    card = ConfirmCard(say("start_title"), above, (Change(process.variant_label, above or "—", "草稿"),))
    return Outcome(scene.state.push(frame), (Reply(said, card, YES_NO),))


def carry_out(scene: Scene, frame: Frame) -> Outcome:
    """The draft, once; what is still missing is named."""
    errand, viewer = frame.errand, scene.asker
    assert errand is not None, "confirmed errands only"  # noqa: S101
    below = scene.state.pop()
    try:
        made = entering.create(
            viewer.system, viewer.account, errand.goal, errand.action, {}, key=f"{frame.token}-enter",
            parent=errand.number or None,
        )  # fmt: skip
    except DomainError as error:
        return Outcome(below, (Reply(say("refused", reason=error.message)),))
    view = documents.get(viewer.system, viewer.account, made.number)
    labels = {item.id: item.label for item in view.process.form.fields}
    open_fields = dict.fromkeys(labels.get(path.split(".")[0], path) for path in view.form_errors)
    missing = "、".join(list(open_fields)[:_LISTED_MISSING])
    name = "started" if missing else "started_complete"
    said = say(name, number=made.number, variant=view.process.variant_label, missing=missing)
    state = replace(below, done=said, number=made.number)
    return Outcome(state, (Reply(said),))

"""What is wrong with a document, or is not wanted any more: 合同录错了怎么改, where no topic of the region is about it.

The goal is then the answer: the way to it is searched on the asker's own documents of the kind that is named.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from assistant import answering, several
from assistant.cards import Choice, Reply
from assistant.choosing import OF_WHAT_IS, ask_which, closest, meant
from assistant.conversation import Errand
from assistant.replies import say
from assistant.scene import Outcome, Scene, Viewer
from assistant.topics import leading
from assistant.wording import commands, named
from core.service.views import DocumentSummary
from kb import text as words

_LONGEST = 40  # characters: a longer story is a question
_BARE = 10  # characters of 录错了怎么改, which names no kind
_WRONG = "错"
_SURE = 0.9  # confidence from which a topic about another kind is what is asked
_KINDS_SHOWN = 4
_ALIKE = {"cancelled": ("editable", "void"), "void": ("cancelled",)}  # one region's word for the other's


def asked(scene: Scene) -> Outcome | None:
    """The repair that is meant; None where the message is none, or a topic of the region tells of it."""
    viewer, said = scene.viewer, words.key(scene.heard.plain)
    goal = named(commands().goals, said) if viewer is not None and len(said) <= _LONGEST else ""
    if viewer is None or not goal or several.questions(scene.knowledge, scene.region, scene.heard.raw):
        return None
    if scene.heard.numbers:
        return _named(scene, viewer, goal, scene.heard.numbers[0])
    kind = named(viewer.kinds, said)
    titled = _by_title(scene, viewer, said)
    if len(titled) > 1:
        titled = [] if kind else [one for one in titled if goal in _goals(viewer, one)]
    if len(titled) > 1:
        return ask_which(scene, titled, Errand("goal", goal=goal))
    if titled:
        return _named(scene, viewer, goal, titled[0].number)
    return _of_kind(scene, viewer, kind, goal) if kind else _which_kind(scene, viewer, said, goal)


def _of_kind(scene: Scene, viewer: Viewer, kind: str, goal: str) -> Outcome | None:
    """Of the asker's documents of a kind: the one that is pointed at, or which."""
    told_elsewhere = _has_topic(scene, kind, goal) or not _is_meant(scene, viewer, kind, goal)
    wanted = (goal, *_ALIKE.get(goal, ()))
    goal, found = next(
        ((one, docs) for one in wanted if not told_elsewhere and (docs := _mendable(viewer, kind, one))),
        ("", ()),
    )
    if not found:
        return None
    pointed = meant(scene, found, looks=True)
    errand = Errand("goal", goal=goal)
    if len(pointed) > 1:
        return ask_which(scene, pointed, errand)
    return answering.begin(scene, replace(errand, number=pointed[0].number))


def _has_topic(scene: Scene, kind: str, goal: str) -> bool:
    operations = [entry.operation for entry in scene.knowledge.library.of_region(scene.region)]
    return any(one is not None and (one.kind, one.goal) == (kind, goal) for one in operations)


def _is_meant(scene: Scene, viewer: Viewer, kind: str, goal: str) -> bool:
    """Whether no topic that is surely known tells better of it: one about another kind, or about a change of this one."""
    finding = scene.knowledge.find(scene.region, scene.heard.plain)
    if finding.kind != "answer" or (goal == "editable" and finding.confidence < _SURE):
        return True
    entry = scene.knowledge.known(scene.region, finding.candidates[0].topic)
    if entry is None or entry.operation is None:
        return goal == "editable" or finding.confidence < _SURE
    # Where it may still be edited, that is nearer than a change of what was decided.
    nearer = goal == "editable" and entry.operation.goal == "changed"
    # 发布后能改吗 is asked of the rules where they tell of it, 发布前发现写错了 and 课桌椅的意向还能改吗 of the document.
    told = named(commands().goals, words.key(entry.title)) == goal
    wrong = goal != "editable" or not told or _WRONG in scene.heard.plain
    wrong = wrong or bool(closest(viewer.of_kind(kind), lambda one: one.title, scene.heard.plain))
    return entry.operation.kind == kind and (nearer or (wrong and entry.operation.goal not in OF_WHAT_IS))


def _mendable(viewer: Viewer, kind: str, goal: str) -> Sequence[DocumentSummary]:
    """The asker's documents of a kind that have such a goal and have not ended; else the newest that has."""
    found: list[DocumentSummary] = []
    ended: list[DocumentSummary] = []  # of these it is said why not
    for item in viewer.of_kind(kind):
        process = viewer.system.processes.current(viewer.account.region, item.kind, item.variant)
        ways = any(item.node in action.routes for action in process.actions.values())
        if goal in _goals(viewer, item):
            (found if ways else ended).append(item)
    return found or ended[:1]


def _goals(viewer: Viewer, item: DocumentSummary) -> Collection[str]:
    return viewer.system.processes.current(viewer.account.region, item.kind, item.variant).goals


def _by_title(scene: Scene, viewer: Viewer, said: str) -> Sequence[DocumentSummary]:
    """The documents whose title a short message names, where no topic is sure."""
    if len(said) > _BARE * 2 or scene.knowledge.find(scene.region, scene.heard.plain).kind == "answer":
        return ()
    return closest(viewer.everything, lambda one: one.title, scene.heard.plain)


def _named(scene: Scene, viewer: Viewer, goal: str, number: str) -> Outcome | None:
    """The goal for one document, or what another region calls it."""
    if not viewer.sees(number):
        return None
    known = viewer.look(number).process.goals
    wanted = next((one for one in (goal, *_ALIKE.get(goal, ())) if one in known), "")
    topic = leading(scene.knowledge.library, scene.region, wanted)
    return answering.begin(scene, Errand("goal", number=number, goal=wanted, topic=topic)) if wanted else None


def _which_kind(scene: Scene, viewer: Viewer, said: str, goal: str) -> Outcome | None:
    """录错了 alone: of the document that is spoken of, else which kind it is."""
    if len(said) > _BARE or scene.knowledge.find(scene.region, scene.heard.plain).kind == "answer":
        return None
    if scene.number and (told := _named(scene, viewer, goal, scene.number)) is not None:
        return told
    kinds = [kind for kind in commands().kinds if kind in viewer.kinds and _mendable(viewer, kind, goal)]
    if all(_has_topic(scene, kind, goal) for kind in kinds):
        return None  # the topics are asked about instead
    word = commands().goals[goal][0]
    labels = [viewer.system.processes.variants(viewer.account.region, kind)[0].label for kind in kinds]
    choices = tuple(Choice(f"{label}{word}", f"{label}{word}") for label in labels[:_KINDS_SHOWN])
    return Outcome(scene.state, (Reply(say("mend_which"), choices=choices),))

"""Questions that lean on the last answer: 现在呢, 在哪点, 02怎么操作, 还有别的办法吗.

Each gives None where nothing was spoken of that it could mean; the message is then a question of its own.
"""

from collections.abc import Callable, Mapping

from assistant import looking
from assistant.cards import Choice, Reply
from assistant.replies import say
from assistant.scene import Outcome, Scene
from core.service.views import DocumentView
from kb import Entry

_MENU = ("【", "点", "打开")
_WHO = ("负责人", "审核", "02", "监管", "采管", "主管", "科室")
_SECOND = ("02", "负责人")
_FIRST = ("01", "经办")
_LINKS = 3


def follow(scene: Scene) -> Outcome | None:
    """The answer about what was spoken of last; None where the message is no such question."""
    handler = _HANDLERS.get(scene.heard.act)
    return handler(scene) if handler else None


def _entry(scene: Scene) -> Entry | None:
    return scene.knowledge.known(scene.region, scene.state.topic) if scene.state.topic else None


def _view(scene: Scene) -> DocumentView | None:
    if scene.viewer is None or not scene.number or not scene.viewer.sees(scene.number):
        return None
    return scene.viewer.look(scene.number)


def _now(scene: Scene) -> Outcome | None:
    view = _view(scene)
    return looking.track(scene, view.summary.number) if view else None


def _who(scene: Scene) -> Outcome | None:
    return looking.who_next(scene) or _steps(scene, _WHO)


def _how_long(scene: Scene) -> Outcome | None:
    return looking.how_long(scene)


def _where(scene: Scene) -> Outcome | None:
    """Menus: of the acts that are talked of, of the entry's steps, or of what is offered on the document."""
    top, view = scene.state.top, _view(scene)
    wanted = {action for _, action, _ in top.run} if top is not None else set()
    if view is not None and (wanted or not scene.state.topic):
        offers = [one for one in view.offers if one.menu and (not wanted or one.action in wanted)]
        if offers:
            lines = [say("menu_line", label=one.label, menu=one.menu) for one in offers]
            return Outcome(scene.state, (Reply("\n".join([looking.where(view), *lines])),))
    return _steps(scene, _MENU)


def _steps(scene: Scene, about: tuple[str, ...]) -> Outcome | None:
    """The steps of the last topic that are about this, those of the case that holds where one does."""
    entry = _entry(scene)
    if entry is None:
        return None
    view = _view(scene)
    node = view.summary.node if view else ""
    cases = [case for case in entry.cases if node and node in case.state] or entry.cases
    lines: list[str] = []
    for case in cases:
        found = [step for step in case.steps if any(word in step for word in about)]
        lines += [f"【{case.when}】"] if found and len(cases) > 1 else []
        lines += [f"- {step}" for step in found]
    if not lines:
        lines = [f"- {step}" for case in cases for step in case.steps]
    return Outcome(scene.state, (Reply("\n".join([say("of_topic", title=entry.title), *lines])),))


def _other_way(scene: Scene) -> Outcome | None:
    """What to do where it fails, and the topics beside it."""
    entry = _entry(scene)
    if entry is None:
        return None
    near = [scene.knowledge.known(scene.region, name) for name in entry.links[:_LINKS]]
    taps = tuple(Choice(one.title, one.title) for one in near if one is not None)
    person = Choice("转人工", "转人工")
    lines = [say("other_way", title=entry.title), *(f"- {sentence}" for sentence in entry.fails)]
    text = "\n".join(lines) if entry.fails else say("no_other_way", title=entry.title)
    return Outcome(scene.state, (Reply(text, choices=(*taps, person)),))


_HANDLERS: Mapping[str, Callable[[Scene], Outcome | None]] = {
    "now": _now,
    "who_next": _who,
    "how_long": _how_long,
    "where": _where,
    "how_second": lambda scene: _steps(scene, _SECOND),
    "how_first": lambda scene: _steps(scene, _FIRST),
    "other_way": _other_way,
}

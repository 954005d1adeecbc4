"""What a message means where the conversation stands: to the running thing first, then by itself."""

from dataclasses import replace

from assistant import (
    answering,
    certificates,
    choosing,
    commands,
    errands,
    followups,
    looking,
    mending,
    opinions,
    pointing,
    probing,
    reminding,
    repair,
    smalltalk,
    starting,
    wording,
)
from assistant.cards import Choice, Reply
from assistant.conversation import Errand, Frame, Stage
from assistant.replies import say
from assistant.scene import YES_NO, Outcome, Scene
from assistant.understanding import hear
from kb import text as words

_CHOICE = 6  # characters up to which a message is taken for a choice, though none of the list
_LOOKS = frozenset({"status", "paid", "seal"})  # errands that nobody has to be led back to
_REMINDED = 2  # times that a running thing is led back to; then it is let go


def decide(scene: Scene) -> Outcome:
    """What the message leads to; a running thing that it was not about is led back to at the end, not for ever."""
    before = scene.state.top
    handled = _running(scene, before) if before is not None else None
    outcome = handled or _fresh(scene)
    top = outcome.state.top
    if top is None or before is None:
        return outcome
    aside = handled is None and top == before
    uncovered = handled is not None and len(outcome.state.stack) < len(scene.state.stack)
    return _led_back(scene, outcome, top) if aside or uncovered else outcome


def _led_back(scene: Scene, outcome: Outcome, top: Frame) -> Outcome:
    """The running thing on top is spoken of again; where that was done often enough, it is let go."""
    if top.reminded == _REMINDED or scene.heard.act == "bye":
        return replace(outcome, state=outcome.state.pop())
    line = repair.resume_line(top)
    reminded = outcome.state.swap(replace(top, reminded=top.reminded + 1))
    return (
        replace(outcome, state=reminded).more(Reply(line, choices=_resume_choices(top))) if line else outcome
    )


def _resume_choices(frame: Frame) -> tuple[Choice, ...]:
    return YES_NO if frame.stage in {Stage.CONFIRMING, Stage.OFFERING} else ()


def _running(scene: Scene, frame: Frame) -> Outcome | None:
    """What the message means to the running thing; None where it is about something else."""
    act = scene.heard.act
    if act in {"cancel", "no"} and not (act == "no" and frame.stage is Stage.CHOOSING_TOPIC):
        said = {"cancel": "dropped", "no": "declined"}[act]
        said = "no_person" if frame.stage is Stage.OFFERING_PERSON else said
        return Outcome(scene.state.pop(), (Reply(say(said)),))
    if act == "correct" or (act == "no" and frame.stage is Stage.CHOOSING_TOPIC):
        return _corrected(_same_of_another_kind(scene.at(scene.state.pop()), frame))
    handler = {
        Stage.CHOOSING_TOPIC: _choosing_topic,
        Stage.CHOOSING_DOCUMENT: _choosing_document,
        Stage.OFFERING: _offering,
        Stage.FILLING: _filling,
        Stage.CONFIRMING: _confirming,
        Stage.OFFERING_PERSON: _offering_person,
    }[frame.stage]
    return handler(scene, frame)


def _choosing_topic(scene: Scene, frame: Frame) -> Outcome | None:
    below = scene.at(scene.state.pop())
    if scene.heard.plain.strip() == say("which_topic_other"):
        return _corrected(below)
    picked = choosing.chosen(scene.heard, frame.options)
    if len(picked) == 1 and not scene.heard.numbers:
        return answering.topic(below, picked[0].value)
    return _fresh(below)


def _choosing_document(scene: Scene, frame: Frame) -> Outcome | None:
    errand = frame.errand
    assert errand is not None, "documents are chosen for errands"  # noqa: S101
    below = scene.at(scene.state.pop())
    picked = choosing.chosen(scene.heard, frame.options)
    if errand.kind == "task":
        if len(picked) == 1:
            return _take_up(below, int(picked[0].value))
    elif number := _one_number(scene, frame, [option.value for option in picked]):
        return _of_number(scene, frame, replace(errand, number=number))
    elif len(picked) > 1:
        left = [scene.asker.look(one.value).summary for one in picked if scene.asker.sees(one.value)]
        return choosing.ask_which(below, left, errand)
    if scene.heard.act == "yes" or not (_says_more(scene) or _is_aside(scene)):
        return Outcome(scene.state, (Reply(say("which_again")),))
    return None


def _of_number(scene: Scene, frame: Frame, errand: Errand) -> Outcome:
    """Begin the errand on the document that was chosen, unless the message says something of its own about it."""
    below = scene.at(scene.state.pop())
    own = _own_of(below, errand)
    if own is None:
        return answering.begin(below, errand, frame.slots)
    if own.state.stack != below.state.stack or errand.kind in _LOOKS:
        return own
    return _led_back(scene, replace(own, state=own.state.push(frame)), frame)


def _one_number(scene: Scene, frame: Frame, picked: list[str]) -> str:
    """The document that was chosen: one of the list, or one of their kinds that the list did not show; "" for none."""
    if len(picked) == 1:
        return picked[0]
    if scene.heard.numbers:
        return scene.heard.numbers[0]
    kinds = {option.value.partition("-")[0] for option in frame.options}  # JH of JH-…
    ending = [] if picked else [one.number for one in pointing.ending(scene)]
    found = [number for number in ending if number.partition("-")[0] in kinds]
    return found[0] if len(found) == 1 else ""


def _own_of(scene: Scene, errand: Errand) -> Outcome | None:
    """What a message that names a document says of it (碎纸机录错了); None where it only answers the open choice."""
    rest = "" if scene.heard.tail or scene.heard.ordinal else pointing.beyond(scene, errand.number)
    if not rest or wording.says(errand, rest):
        return None
    alone = scene.hearing(replace(scene.heard, numbers=(errand.number,)))
    own = _is_command(alone) or bool(wording.named(wording.commands().goals, rest))
    if not own and _says_more(scene):
        own = scene.knowledge.find(scene.region, scene.heard.plain).kind == "answer"
    return _fresh(alone) if own else None


def _take_up(scene: Scene, repair_id: int) -> Outcome:
    task = next((task for task in scene.tasks if task.repair_id == repair_id), None)
    if task is None:
        return Outcome(scene.state, (Reply(say("task_gone")),))
    return repair.propose(scene, errands.task_errand(task))


def _offering(scene: Scene, frame: Frame) -> Outcome | None:
    errand = frame.errand
    if errand is not None and errand.kind == "task":
        if outcome := _task_answered(scene, errand):
            return outcome
    elif scene.heard.act == "yes":
        return repair.accept(scene, frame)
    if _is_another_thing(scene, frame):
        return None
    heard = scene.heard
    chosen = heard.question or heard.ordinal or heard.tail or heard.value
    if not chosen and not _another_document(scene, frame):
        given = repair.give(scene, frame, next(iter((heard.slots or {}).values()), heard.raw))
        if given is not None:
            return given
    if _says_more(scene) and not _another_document(scene, frame):
        return None
    return _unclear(scene, frame, "still_waiting_offer")


def _task_answered(scene: Scene, errand: Errand) -> Outcome | None:
    """A yes takes the step up. Refusing to let something pass is an act of its own, where there is one."""
    below = scene.at(scene.state.pop())
    meant = wording.stance(scene.heard.plain)
    if scene.heard.act == "yes" or meant == "agree":
        return _take_up(below, errand.repair)
    if meant != "refuse":
        return None
    if wording.takes("agree", errand.action):
        return answering.begin(below, Errand("act", number=errand.number, action=meant))
    return Outcome(below.state, (Reply(say("declined")),))


def _is_another_thing(scene: Scene, frame: Frame) -> bool:
    """Whether an offer is left for something of its own. 不买了 under the offer to void is a reason, not a question."""
    heard = scene.heard
    if not _is_aside(scene) or (not (heard.act or heard.question) and wording.says_wrong(heard.plain)):
        return False
    if heard.act or heard.numbers or heard.question or _is_command(scene):
        return True
    named = scene.knowledge.find(scene.region, heard.plain).candidates[0].topic
    return frame.errand is None or not (named == frame.errand.topic or _same_goal(scene, frame.errand, named))


def _same_goal(scene: Scene, errand: Errand, topic: str) -> bool:
    """Whether a topic is about the goal already on offer: 项目取消，不再采购 names a way to void, and is the reason."""
    entry = scene.knowledge.known(scene.region, topic)
    return entry is not None and entry.operation is not None and entry.operation.goal == (errand.goal or "-")


def _filling(scene: Scene, frame: Frame) -> Outcome | None:
    heard = scene.heard
    if heard.slots:
        return repair.fill(scene, frame, next(iter(heard.slots.values())))
    if frame.options:
        picked = choosing.chosen(heard, frame.options)
        if len(picked) == 1:
            return repair.fill(scene, frame, picked[0].value)
        return None if _is_aside(scene) else Outcome(scene.state, (Reply(say("which_again")),))
    if heard.act or heard.only_number:
        return None
    if (heard.question or _another_document(scene, frame)) and (heard.asks or _is_aside(scene)):
        return None
    return repair.fill(scene, frame, heard.raw)


def _confirming(scene: Scene, frame: Frame) -> Outcome | None:
    kind = frame.errand.kind if frame.errand is not None else ""
    carry = {
        "remind": reminding.carry_out,
        "opinion": opinions.carry_out,
        "enter": starting.carry_out,
        "unbind": certificates.carry_out,
    }.get(kind)
    agreed = wording.stance(scene.heard.plain) == "agree" and all(
        wording.takes("agree", action) for _, action, _ in frame.run
    )
    if scene.heard.act == "yes" or (agreed and kind != "enter"):
        return (carry or repair.carry_out)(scene, frame)
    if carry is None and scene.heard.slots and not scene.heard.numbers:
        return repair.reword(scene, frame, scene.heard.slots)
    named = kind == "enter" and pointing.named(scene) is not None
    aside = named or _says_more(scene) or _is_aside(scene)
    return None if aside else _unclear(scene, frame, "still_waiting_confirm")


def _says_more(scene: Scene) -> bool:
    """Whether a message is too much for an answer to what was asked: a question, or a sentence."""
    return scene.heard.question or len(words.key(scene.heard.plain)) > _CHOICE


def _offering_person(scene: Scene, frame: Frame) -> Outcome | None:
    del frame
    return _fresh(scene.at(scene.state.pop()))


def _another_document(scene: Scene, frame: Frame) -> str:
    """Number of the one other plan that the message names; "" where there is none or several."""
    own = frame.errand.number if frame.errand else ""
    plans = scene.viewer.plans if scene.viewer else ()
    named = choosing.closest(plans, lambda one: one.title, scene.heard.plain)
    return named[0].number if len(named) == 1 and named[0].number != own else ""


def _unclear(scene: Scene, frame: Frame, name: str) -> Outcome:
    other = _another_document(scene, frame)
    if other and frame.errand is not None and frame.errand.kind == "goal":
        below = scene.at(scene.state.pop())
        return answering.begin(below, replace(frame.errand, number=other), frame.slots)
    return Outcome(scene.state, (Reply(say(name, about=frame.about), choices=YES_NO),))


def _is_aside(scene: Scene) -> bool:
    """Whether the message is something of its own: a move, a document, a command, or a question we know."""
    heard = scene.heard
    if heard.act or heard.numbers:
        return True
    return _is_command(scene) or scene.knowledge.find(scene.region, heard.plain).kind == "answer"


def _is_command(scene: Scene) -> bool:
    alone = scene.at(replace(scene.state, stack=()))
    return (
        reminding.asked(alone) or opinions.asked(alone) or starting.command(alone) or commands.act(alone)
    ) is not None


def _same_of_another_kind(scene: Scene, frame: Frame) -> Scene:
    """不是这个，是合同: what was wanted of the one kind is wanted of the other."""
    goal = frame.errand.goal if frame.errand is not None else ""
    rest = words.key(scene.heard.rest)
    spoken = wording.commands().goals.get(goal)
    if scene.viewer is None or not spoken or not any(rest in names for names in scene.viewer.kinds.values()):
        return scene
    return scene.hearing(replace(scene.heard, rest=f"{rest}{spoken[0]}"))


def _corrected(scene: Scene) -> Outcome:
    """不是这个，是合同: the rest is a new question; without one the second best topics are offered."""
    if scene.heard.rest:
        return _fresh(scene.hearing(hear(scene.heard.rest)))
    instead = choosing.ask_instead(scene, scene.state.others)
    return instead or Outcome(scene.state, (Reply(say("say_more")),))


def _fresh(scene: Scene) -> Outcome:
    """A message that no running thing takes."""
    return (
        _move(scene)
        or _look(scene)
        or probing.asked(scene)
        or mending.asked(scene)
        or answering.question(scene)
    )


def _move(scene: Scene) -> Outcome | None:
    """Moves of a conversation that need no knowledge."""
    act, state = scene.heard.act, scene.state
    if small := smalltalk.reply(act, state.turns):
        return Outcome(state, (small,))
    if scene.heard.value:
        return Outcome(state, (Reply(say("only_value", what=scene.heard.value)),))
    if act in {"no", "cancel"}:
        return Outcome(state, (Reply(say("declined")),))
    mover = {"correct": _corrected, "yes": _yes}.get(act, followups.follow)
    return mover(scene)


def _look(scene: Scene) -> Outcome | None:
    """What is asked of documents; None where it is none of this."""
    heard = scene.heard
    if scene.viewer is None:
        return Outcome(scene.state, (Reply(say("sign_in_first")),)) if heard.numbers else None
    if looker := {"todo": looking.todo, "documents": looking.mine}.get(heard.act):
        return looker(scene)
    if heard.only_number:
        return looking.track(scene, heard.numbers[0])
    digits = pointing.by_digits(scene) if heard.tail or heard.ordinal else None
    return (
        digits
        or reminding.asked(scene)
        or opinions.asked(scene)
        or starting.command(scene)
        or commands.act(scene)
        or pointing.named(scene)
    )


def _yes(scene: Scene) -> Outcome:
    """A yes with nothing to confirm: the single waiting task, what was done last, or nothing."""
    state = scene.state
    if not state.done and len(scene.tasks) == 1:
        return repair.propose(scene, errands.task_errand(scene.tasks[0]))
    if state.done:
        now = looking.who_next(scene)
        return Outcome(state, (Reply(say("again", done=now.replies[0].text if now else state.done)),))
    return Outcome(state, (Reply(say("nothing_to_confirm")),))

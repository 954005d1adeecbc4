"""The dialogue of an errand: say what holds and the way, ask for what is missing, confirm, act, say what is next."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

from assistant import carry, errands
from assistant.cards import Choice, Reply
from assistant.conversation import Errand, Frame, Option, Stage, State
from assistant.prepared import Prepared, Refused, by_hand, progress
from assistant.replies import say
from assistant.scene import YES_NO, Outcome, Scene, Viewer
from assistant.topics import holding_case
from core.domain.errors import ConflictError, DomainError
from core.service.planning import GOAL_LABELS, RepairStep
from core.service.repairs import Repair
from core.service.views import DocumentView, FormField
from kb import text as words

SLOT_LIMIT = 500  # characters, as the core's
_NAMED = 3  # mistakes of a form that are named
SLOT_LEAST = 2  # characters of an answer that is a reason


def propose(scene: Scene, errand: Errand, slots: Mapping[str, str] | None = None, lead: str = "") -> Outcome:
    """Say where the document is, which case holds, and what can be done; ask whether to do it."""
    viewer = scene.asker
    given = {**(slots or {}), **(scene.heard.slots or {})}
    found = errands.prepare(viewer, errand, given.get("target", ""))
    state = replace(
        scene.state, number=errand.number or scene.state.number, topic=errand.topic or scene.state.topic
    )
    if isinstance(found, Refused):
        return Outcome(state, (_refused(found, lead),))
    where = _where(scene, found, lead)
    if found.running is not None:
        return Outcome(state, (_still_running(found.running, where),))
    if found.by_hand is not None:
        return Outcome(state, (Reply(where + _to_sign(found.by_hand), found.steps_card()),))
    if found.waits is not None:
        return _offer_to_ask(state, found, where)
    return _offer(viewer, state, found, fitted(found.fields, given), where)


def _offer(viewer: Viewer, state: State, found: Prepared, slots: Mapping[str, str], where: str) -> Outcome:
    """Own acts: a goal is shown as a whole first; a single act is filled in and confirmed at once."""
    frame = _frame(found, slots)
    state = state.push(frame)
    missing = _missing(found, slots)
    if found.errand.kind == "goal":
        first = Reply(where, found.steps_card())
        if missing is None:
            return _confirm(viewer, state, found, frame, (first,))
        offered = state.swap(replace(frame, stage=Stage.OFFERING))
        return Outcome(offered, (first, _asking(found, slots)))
    if missing is not None:
        return _ask(state, frame, missing, found.view, lead=where)
    return _confirm(viewer, state, found, frame, lead=where)


def _asking(found: Prepared, slots: Mapping[str, str]) -> Reply:
    """Whether to do it. Where one text is still needed, that is the answer: it is then confirmed, and only once."""
    text = _only_text(found, slots)
    if text is None:
        return Reply(_question(found), choices=YES_NO)
    example = say(f"example_{text.name}")
    return Reply(_question(found) + say("answer_with", label=text.label, example=example))


def _only_text(found: Prepared, slots: Mapping[str, str]) -> FormField | None:
    """The one field that is still open, where it is a text."""
    missing = [field for field in found.fields if not slots.get(field.name, "").strip()]
    return missing[0] if len(missing) == 1 and not missing[0].options else None


def about(view: DocumentView) -> str:
    """`JH-… 激光打印机` as a document is called in sentences."""
    return say("document", number=view.summary.number, title=view.summary.title)


def _where(scene: Scene, found: Prepared, lead: str) -> str:
    entry = scene.knowledge.known(scene.region, found.errand.topic)
    when = holding_case(scene.asker.system, entry, found.view.summary, scene.region)
    where = say("where", document=about(found.view), node=found.view.summary.node_label)
    case = say("case_holds", when=when) if when else ""
    reason = say("because", reason=found.reason) if found.reason else ""
    if found.errand.kind == "task":
        lead = lead or say("task_lead")
    return f"{lead}{where}{case}{reason}"


def _refused(found: Refused, lead: str) -> Reply:
    if found.view is None:
        return Reply(lead + found.said)
    node = found.view.summary.node_label
    where = "" if node in found.said else say("where", document=about(found.view), node=node)
    return Reply(f"{lead}{where}{found.said}")


def _still_running(running: Repair, where: str) -> Reply:
    step = running.step
    said = say("still_running", label=step.label if step else "", who=running.waiting_for)
    return Reply(f"{where}{said}", progress(running))


def _to_sign(step: RepairStep) -> str:
    return say("sign_elsewhere", label=step.label, number=step.number)


def _offer_to_ask(state: State, found: Prepared, where: str) -> Outcome:
    step = found.waits
    assert step is not None, "checked by the caller"  # noqa: S101
    sentence, yes = ("outside_first", "等那边办") if step.outside else ("others_first", "请他办理")
    said = say(sentence, label=step.label, who=step.who)
    frame = replace(_frame(found, {}), stage=Stage.OFFERING, asks=True)
    first = Reply(where, found.steps_card())
    return Outcome(state.push(frame), (first, Reply(said, choices=(Choice(yes, "是"), YES_NO[1]))))


def _frame(found: Prepared, slots: Mapping[str, str]) -> Frame:
    return Frame(
        stage=Stage.CONFIRMING,
        errand=found.errand,
        slots=dict(slots),
        run=tuple((leg.number, leg.action, leg.target) for leg in found.legs),
        versions=dict(found.versions),
        fingerprint=found.fingerprint,
        token=uuid4().hex,
        about=_about(found),
    )


def _about(found: Prepared) -> str:
    if found.legs:
        labels = "、".join(leg.label for leg in found.legs)
        return say("about", label=labels, document=about(found.view))
    return say("about", label=GOAL_LABELS.get(found.errand.goal, ""), document=about(found.view))


def _question(found: Prepared) -> str:
    labels = "”“".join(leg.label for leg in found.legs)
    return say("shall_i_one" if len(found.legs) == 1 else "shall_i_all", labels=labels)


def fitted(fields: Sequence[FormField], slots: Mapping[str, str]) -> dict[str, str]:
    """People say 理由 where the form says 意见, and the other way round: one text for one field is meant for it."""
    open_fields = [field.name for field in fields if not field.options and not slots.get(field.name)]
    spare = [name for name in slots if name != "target" and all(name != field.name for field in fields)]
    if len(open_fields) == len(spare) == 1:
        return {**{k: v for k, v in slots.items() if k != spare[0]}, open_fields[0]: slots[spare[0]]}
    return dict(slots)


def _missing(found: Prepared, slots: Mapping[str, str]) -> FormField | None:
    """The first field that has to be asked for."""
    for field in found.fields:
        if not slots.get(field.name, "").strip():
            return field
    return None


def _ask(state: State, frame: Frame, field: FormField, view: DocumentView, lead: str = "") -> Outcome:
    options = tuple(Option(label, value) for value, label in field.options)
    waiting = replace(frame, stage=Stage.FILLING, asked=field.name, options=options)
    if options:
        said = say("ask_option", document=about(view), label=field.label)
        choices = tuple(Choice(one.title, one.title) for one in options)
        return Outcome(state.swap(waiting), (Reply(lead + said, choices=choices),))
    said = say("ask_text", label=field.label, example=say(f"example_{field.name}"))
    return Outcome(state.swap(waiting), (Reply(lead + said),))


def _confirm(
    viewer: Viewer,
    state: State,
    found: Prepared,
    frame: Frame,
    before: tuple[Reply, ...] = (),
    lead: str = "",
) -> Outcome:
    ready = replace(frame, stage=Stage.CONFIRMING, asked="", options=())
    public = say("irreversible") if any(leg.public for leg in found.legs) else ""
    public += "".join(say("warning", warning=one.rstrip("。")) for one in found.warnings)
    card = found.confirm_card(viewer, ready.slots.items())
    reply = Reply(f"{lead}{_question(found)}{public}", card, YES_NO)
    return Outcome(state.swap(ready), (*before, reply))


def accept(scene: Scene, frame: Frame) -> Outcome:
    """A yes to an offer: ask others, ask for what is missing, or confirm."""
    if frame.asks:
        return _asked_others(scene, frame)
    return go_on(scene, frame)


def go_on(scene: Scene, frame: Frame) -> Outcome:
    """Look again with what is known by now; ask for the next field, or confirm on what holds now."""
    assert frame.errand is not None, "only errands are gone on with"  # noqa: S101
    found = errands.prepare(scene.asker, frame.errand, frame.slots.get("target", ""))
    if isinstance(found, Refused):
        return Outcome(scene.state.pop(), (_refused(found, ""),))
    if not found.open:
        return propose(scene.at(scene.state.pop()), frame.errand)
    fresh = _frame(found, frame.slots)
    missing = _missing(found, frame.slots)
    if missing:
        return _ask(scene.state, fresh, missing, found.view)
    return _confirm(scene.asker, scene.state, found, fresh)


def give(scene: Scene, frame: Frame, text: str) -> Outcome | None:
    """An offer answered with the one text that it still needs; None where it needs none or more than one."""
    text = text.strip()
    if frame.errand is None or frame.asks or len(words.key(text)) < SLOT_LEAST or text.isdecimal():
        return None
    found = errands.prepare(scene.asker, frame.errand)
    if isinstance(found, Refused) or not found.open:
        return None
    field = _only_text(found, frame.slots)
    return fill(scene, replace(frame, asked=field.name), text) if field is not None else None


def reword(scene: Scene, frame: Frame, slots: Mapping[str, str]) -> Outcome:
    """意见改成… before the yes: confirmed anew with the new words."""
    filled = [name for name in frame.slots if name != "target"]
    meant = {filled[0]: next(iter(slots.values()))} if len(filled) == 1 else dict(slots)
    return go_on(scene, replace(frame, slots={**frame.slots, **meant}))


def fill(scene: Scene, frame: Frame, text: str) -> Outcome:
    """What was asked for; the rest follows."""
    if len(text) > SLOT_LIMIT:
        return Outcome(scene.state, (Reply(say("too_long", limit=SLOT_LIMIT)),))
    slots = {**frame.slots, frame.asked: text.strip()}
    return go_on(scene, replace(frame, slots=slots))


def _asked_others(scene: Scene, frame: Frame) -> Outcome:
    try:
        repair = carry.ask_others(scene.asker, frame)
    except DomainError as error:
        return _stopped(scene, frame, error)
    step = repair.step
    sentence = "asked_outside" if step and step.outside else "asked"
    said = say(sentence, who=repair.waiting_for, label=step.label if step else "", number=repair.number)
    state = replace(scene.state.pop(), done=said, number=repair.number)
    return Outcome(state, (Reply(said, progress(repair)),))


def carry_out(scene: Scene, frame: Frame) -> Outcome:
    """A yes to a confirmation: act, and say what happened, what the money did, and who is next."""
    viewer = scene.asker
    carried = carry.carry_out(viewer, frame)
    if not carried.results and carried.error is not None:
        return _stopped(scene, frame, carried.error)
    said = "".join(result.said for result in carried.results)
    number = frame.errand.number if frame.errand else scene.state.number
    if not said:
        view = viewer.look(number)
        said = say("where", document=about(view), node=view.summary.node_label)
    moved = frozenset({number, *(result.document.number for result in carried.results)})
    state = replace(scene.state.pop().without(moved), done=said, number=number)
    state = _offer_next(state, viewer, carried.repair)
    after = _afterwards(viewer, number, carried.repair)
    trouble = (Reply(say("rest_stopped", reason=carried.error.message)),) if carried.error else ()
    return Outcome(
        state, (Reply(said + after, progress(carried.repair) if carried.repair else None), *trouble)
    )


def _offer_next(state: State, viewer: Viewer, repair: Repair | None) -> State:
    """Where the next step of a repair is the asker's again, a yes takes it up."""
    if repair is None or repair.step is None or not repair.step.mine or by_hand(repair.step):
        return state
    step = repair.step
    errand = Errand("task", number=step.number, action=step.action, repair=repair.id)
    label = say("about", label=step.label, document=about(viewer.look(step.number)))
    return state.push(Frame(Stage.OFFERING, errand=errand, about=label))


def _afterwards(viewer: Viewer, number: str, repair: Repair | None) -> str:
    if repair is not None and repair.step is not None:
        return _next_step(viewer, repair.step)
    view = viewer.look(number)
    node = view.process.node(view.summary.node)
    onward = errands.onward(view)
    if node.editable and onward:
        return say("edit_now", number=number, label=onward)
    return say("finished") if repair is not None else ""


def _next_step(viewer: Viewer, step: RepairStep) -> str:
    if not step.mine:
        return say("others_next", label=step.label, who=step.who)
    view = viewer.look(step.number)
    if view.form_errors and view.process.node(view.summary.node).editable:
        missing = "；".join(list(dict.fromkeys(view.form_errors.values()))[:_NAMED])
        return say("fill_then", number=step.number, missing=missing, label=step.label)
    return _to_sign(step) if by_hand(step) else say("mine_next", label=step.label)


def _stopped(scene: Scene, frame: Frame, error: DomainError) -> Outcome:
    """Nothing was done. Where the document moved, the new state and the new way are shown."""
    below = scene.at(scene.state.pop())
    if isinstance(error, ConflictError) and frame.errand is not None:
        errand = frame.errand
        return propose(below, errand, frame.slots, lead=say("moved"))
    return Outcome(below.state, (Reply(say("refused", reason=error.message)),))


def resume_line(frame: Frame) -> str:
    """One line that leads back to what was interrupted."""
    if frame.stage is Stage.CONFIRMING:
        return say("resume_confirm", about=frame.about)
    if frame.stage is Stage.FILLING:
        return say("resume_fill", about=frame.about)
    if frame.stage is Stage.OFFERING:
        return say("resume_offer", about=frame.about)
    if frame.stage is Stage.CHOOSING_DOCUMENT:
        return say("resume_choose")
    return ""

"""What can be done now for an errand: the acts of this account, the whole way, and how both are shown."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistant.cards import Change, ConfirmCard, PlanStep, StepsCard
from assistant.conversation import Errand
from assistant.replies import say
from assistant.scene import Viewer
from core.domain.errors import BlockedError
from core.domain.ledger import Hold
from core.domain.money import yuan
from core.service import outlook, repairs
from core.service.planning import RepairPlan, RepairStep
from core.service.repairs import Repair
from core.service.views import DocumentView, FormField, Offer


@dataclass(frozen=True)
class Leg:
    """One act that this account takes: on which document, from where to where, with which fields still open."""

    number: str
    action: str
    label: str
    source_label: str
    target: str
    target_label: str
    form: tuple[FormField, ...]
    public: bool


@dataclass(frozen=True)
class Prepared:
    """What holds now for an errand.

    `legs` are own acts that a yes carries out, `steps` the whole way, `waits` the first step where it is not this
    account's, `by_hand` where it is theirs but wants a key's PIN, `running` a repair that is under way already, `reason`
    why another goal was taken.
    """

    errand: Errand
    view: DocumentView
    legs: tuple[Leg, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    after: str = ""
    fingerprint: str = ""
    versions: tuple[tuple[str, int], ...] = ()
    waits: RepairStep | None = None
    by_hand: RepairStep | None = None
    running: Repair | None = None
    reason: str = ""

    @property
    def open(self) -> bool:
        """Whether there is something that a yes carries out here."""
        return self.waits is None and self.by_hand is None and self.running is None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the process says before these acts are confirmed."""
        own = {leg.action for leg in self.legs if leg.number == self.view.summary.number}
        return tuple(offer.warn for offer in self.view.offers if offer.warn and offer.action in own)

    @property
    def fields(self) -> tuple[FormField, ...]:
        """Fields that must be filled, each once."""
        wanted = {field.name: field for leg in self.legs for field in leg.form if field.required}
        return tuple(wanted.values())

    def steps_card(self) -> StepsCard:
        """The way as a card."""
        summary = self.view.summary
        return StepsCard(
            say("steps_title"), summary.number, self.steps, before=summary.node_label, after=self.after
        )

    def confirm_card(self, viewer: Viewer, slots: Iterable[tuple[str, str]]) -> ConfirmCard:
        """Before and after, of the money too, with what was filled in."""
        rows = [
            Change(f"{leg.label}（{leg.number}）" if len(self.legs) > 1 else leg.label, leg.source_label,
                   leg.target_label)
            for leg in self.legs
        ]  # fmt: skip
        labels = {field.name: field.label for leg in self.legs for field in leg.form}
        filled = [
            Change(labels[name], "—", text) for name, text in slots if name in labels and name != "target"
        ]
        return ConfirmCard(
            say("confirm_title"), self.view.summary.number, (*rows, *_money(viewer, self.legs), *filled)
        )


@dataclass(frozen=True)
class Refused:
    """It cannot be done; the sentence says why and what else there is."""

    said: str
    view: DocumentView | None = None


def planned(
    view: DocumentView, errand: Errand, plan: RepairPlan, reason: str, running: Repair | None
) -> Prepared:
    """A way: own acts up to the first that is somebody else's or waits for a form to be filled in."""
    own: list[RepairStep] = []
    for step in plan.steps:
        if not step.mine or by_hand(step) or (own and _to_be_filled(view, own[-1])):
            break
        own.append(step)
    steps = tuple(
        PlanStep(
            step_words(step, view.summary.number),
            step.who,
            step.mine,
            "current" if at == 0 else "ahead",
            step.menu,
        )
        for at, step in enumerate(plan.steps)
    )
    versions = {view.summary.number: view.document.version}
    versions |= {linked.number: linked.version for linked in view.linked}
    return Prepared(
        errand=errand,
        view=view,
        legs=tuple(leg_of(step) for step in own),
        steps=steps,
        after=plan.steps[-1].target_label,
        fingerprint=plan.fingerprint,
        versions=tuple(versions.items()),
        waits=None if own or plan.steps[0].mine else plan.steps[0],
        by_hand=plan.steps[0] if plan.steps[0].mine and not own else None,
        running=running,
        reason=reason,
    )


def signing(view: DocumentView) -> str:
    """What signing is called for documents of this kind."""
    action = view.process.signing(view.summary.node) or view.process.actions.get("sign")
    return action.label if action else "签章"


def by_hand(step: RepairStep) -> bool:
    """Whether a step is taken with a key: its PIN is typed on the document's page, never into a conversation."""
    return any(field.name == "pin" for field in step.form)


def _to_be_filled(view: DocumentView, step: RepairStep) -> bool:
    """Whether a step leads to where a form is filled in: what follows waits for that."""
    node = view.process.nodes.get(step.target)
    return step.number == view.summary.number and node is not None and bool(node.editable)


def step_words(step: RepairStep, about: str) -> str:
    """A step in words; on another document than the one it is about, with that one's number."""
    if step.number == about:
        return say("step_words", label=step.label, target=step.target_label)
    return say("step_words_of", label=step.label, number=step.number, target=step.target_label)


def leg_of(step: RepairStep) -> Leg:
    """A step of a way as an own act."""
    form = tuple(field for field in step.form if field.name != "target")
    return Leg(
        step.number,
        step.action,
        step.label,
        step.source_label,
        step.target,
        step.target_label,
        form,
        step.public,
    )


def single(view: DocumentView, errand: Errand, leg: Leg, offer: Offer, reason: str = "") -> Prepared:
    """One act that is offered now."""
    return Prepared(
        errand=errand,
        view=view,
        legs=(leg,),
        steps=(PlanStep(offer.label, view.whose_turn, mine=True, state="current", menu=offer.menu),),
        after=leg.target_label,
        versions=((view.summary.number, view.document.version),),
        reason=reason,
    )


def offered_leg(view: DocumentView, offer: Offer, target: str) -> Leg:
    """An offered act; to `target` where several are open and it is one of them."""
    labels = dict(offer.targets)
    if offer.targets:
        chosen = target if target in labels else next(iter(labels)) if len(labels) == 1 else ""
    else:
        routes = view.process.actions[offer.action].routes
        chosen = routes[view.document.node]
        if chosen not in view.process.nodes:  # back to where it came from
            chosen = view.document.trail[-2]
    label = view.process.node(chosen).label if chosen else ""
    form = tuple(field for field in offer.form if field.name != "target" or not chosen)
    return Leg(
        view.summary.number, offer.action, offer.label, view.summary.node_label, chosen, label, form,
        offer.irreversible,
    )  # fmt: skip


def _money(viewer: Viewer, legs: Sequence[Leg]) -> Iterator[Change]:
    """Of each document whose acts are taken: what it holds of the budget before and after."""
    for number in dict.fromkeys(leg.number for leg in legs):
        steps = [(leg.action, leg.target) for leg in legs if leg.number == number]
        if not all(target for _, target in steps):
            continue  # where it goes is still to be chosen
        try:
            seen = outlook.money(viewer.system, viewer.account, number, steps)
        except BlockedError:
            continue  # the act itself says why
        if seen is not None:
            label = say("money_of", number=seen.account) if seen.account else say("money")
            yield Change(label, _held(seen.before), _held(seen.after))


def _held(hold: Hold) -> str:
    parts = [say("money_used", amount=yuan(hold.used_fen))] if hold.used_fen else []
    parts += [say("money_frozen", amount=yuan(hold.frozen_fen))] if hold.frozen_fen else []
    return "，".join(parts) or say("money_none")


def under_way(viewer: Viewer, view: DocumentView, goal: str) -> Repair | None:
    """A running repair of the document to the same goal that waits for somebody else."""
    with viewer.system.database.read() as tx:
        rows = [row for row in tx.records.running_repairs([view.document.id]) if row.goal == goal]
    for row in rows:
        repair = repairs.get(viewer.system, viewer.account, row.id)
        if repair.step and not repair.step.mine:
            return repair
    return None


def progress(repair: Repair) -> StepsCard:
    """How far a repair has come."""

    def state(at: int) -> str:
        return "done" if at < repair.position else "current" if at == repair.position else "ahead"

    steps = tuple(
        PlanStep(step_words(s, repair.number), s.who, s.mine, state(at), s.menu)  # type: ignore[arg-type]
        for at, s in enumerate(repair.steps)
    )
    return StepsCard(say("steps_title"), repair.number, steps)

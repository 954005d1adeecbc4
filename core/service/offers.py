"""Which acts an account may take on a document now, and what each wants to be filled in."""

from collections.abc import Sequence

from core.domain import graph, guards
from core.domain.accounts import Account
from core.domain.process import Cost
from core.service import situations
from core.service.situations import Case
from core.service.views import FIELD_LABELS, FormField, Offer


def offers(case: Case, actor: Account) -> tuple[Offer, ...]:
    """Acts lawful for the structure, the trail, the role and the guards, in the order of the data."""
    found = []
    for action in case.process.actions_from[case.document.node]:
        targets = graph.targets(case.process, action, case.document.trail, case.document.cut, case.skip)
        if action.hidden or not targets or not situations.may(case, actor, action):
            continue
        if situations.waited_for(case, actor, action) or guards.refusals(
            action, situations.seen_by(case, actor)
        ):
            continue
        labels = (
            tuple((target, case.process.node(target).label) for target in targets) if action.chosen else ()
        )
        irreversible = action.cost is Cost.PUBLIC
        found.append(
            Offer(
                action.id,
                action.label,
                fields_of(action.form, labels),
                labels,
                irreversible,
                action.menu,
                action.warn,
            )
        )
    return tuple(found)


def fields_of(form: Sequence[str], targets: Sequence[tuple[str, str]] = ()) -> tuple[FormField, ...]:
    """The fields an act's form wants; `targets` are the choices of the field `target`."""
    result = []
    for name in form:
        plain = name.removesuffix("?")
        options = tuple(targets) if plain == "target" else ()
        result.append(FormField(plain, FIELD_LABELS.get(plain, plain), plain == name, options))
    return tuple(result)

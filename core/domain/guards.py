"""When each guard holds, and the sentence to say when it does not."""

from collections.abc import Callable
from functools import partial

from core.domain.documents import Situation
from core.domain.expressions import evaluate
from core.domain.forms import fill
from core.domain.process import Action, Guard


def _form_complete(situation: Situation) -> str | None:
    if not situation.form_errors:
        return None
    return "表单还没填对：" + "；".join(situation.form_errors.values())


def _signed(situation: Situation) -> str | None:
    return None if "signed" in situation.flags else "备案书还没有签章，请先在【计划备案-待备案】签章"


_RULES: dict[Guard, Callable[[Situation], str | None]] = {
    Guard.FORM_COMPLETE: _form_complete,
    Guard.SIGNED: _signed,
    Guard.CERTIFICATE: lambda _situation: None,  # asked of whoever acts, not of the document
    Guard.OWN_LAST: lambda situation: (
        None if situation.own_last else "只有刚办完上一步的人，在别人接着办以前，才能取回"
    ),
}


def refusal(guard: Guard, situation: Situation) -> str | None:
    """None when `guard` holds, else why not, in the user's words."""
    return _RULES[guard](situation)


def refusals(action: Action, situation: Situation) -> list[str]:
    """Sentences of all guards and requirements of an action that do not hold."""
    said = [sentence for guard in action.guards if (sentence := refusal(guard, situation))]
    judge = partial(evaluate, situation=situation)
    return said + [fill(item.say, judge) for item in action.requires if not judge(item.must)]

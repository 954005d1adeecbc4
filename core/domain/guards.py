"""When each guard holds, and the sentence to say when it does not."""

from collections.abc import Callable

from core.domain.documents import Situation
from core.domain.process import Guard


def _form_complete(situation: Situation) -> str | None:
    if not situation.form_errors:
        return None
    return "表单还没填对：" + "；".join(situation.form_errors.values())


def _signed(situation: Situation) -> str | None:
    return None if "signed" in situation.flags else "备案书还没有签章，请先在【计划备案-待备案】签章"


def _no_open_order(situation: Situation) -> str | None:
    if not situation.open_orders:
        return None
    return f"卖场里还有没了结的订单（{'、'.join(situation.open_orders)}），要先取消订单"


_RULES: dict[Guard, Callable[[Situation], str | None]] = {
    Guard.FORM_COMPLETE: _form_complete,
    Guard.SIGNED: _signed,
    Guard.NO_OPEN_ORDER: _no_open_order,
}


def refusal(guard: Guard, situation: Situation) -> str | None:
    """None when `guard` holds, else why not, in the user's words."""
    return _RULES[guard](situation)


def refusals(guards: tuple[Guard, ...], situation: Situation) -> list[str]:
    """Sentences of all guards that do not hold."""
    return [sentence for guard in guards if (sentence := refusal(guard, situation))]

"""What the key says of its PIN, from its flags alone: no probe ever logs in or tries a PIN."""

from collections.abc import Sequence

from diagnostics.inventory import KEY_READING
from diagnostics.probe import Context, FactSpec, Probe, Row


def gather(context: Context) -> Sequence[Row]:
    """One row for each ready key; a single one with `seen` false without a key."""
    tokens = [slot.token for slot in context.inventory.tokens(context.remaining()) if slot.token]
    if not tokens:
        return [dict.fromkeys(PROBE.facts) | {"seen": False}]
    return [
        {
            "seen": True,
            "serial": token.serial,
            "locked": "USER_PIN_LOCKED" in token.flags,
            "final_try": "USER_PIN_FINAL_TRY" in token.flags,
            "count_low": "USER_PIN_COUNT_LOW" in token.flags,
            "initialised": "USER_PIN_INITIALIZED" in token.flags,
        }
        for token in tokens
    ]


PROBE = Probe(
    "pin_state",
    {
        "seen": FactSpec("看到KEY", bool),
        "serial": FactSpec("KEY序列号", str, "serial"),
        "locked": FactSpec("口令已锁", bool),
        "final_try": FactSpec("只剩最后一次", bool),
        "count_low": FactSpec("曾输错", bool),
        "initialised": FactSpec("已设口令", bool),
    },
    gather,
    needs=KEY_READING,
)

"""Whether a key is in the machine. Empty and uninitialised slots matter only where no key is ready."""

from collections.abc import Sequence

from diagnostics.inventory import KEY_READING, SlotData
from diagnostics.probe import Context, FactSpec, InputSpec, Probe, Row


def gather(context: Context) -> Sequence[Row]:
    """One row for each ready key; else one for each faulty slot; else one for an uninitialised or no key."""
    limit, exempt = context.remaining(), context.text("role") in context.region.exempt_roles
    ready = context.inventory.tokens(limit)
    slots = [slot for reading in context.inventory.readings(limit) for slot in reading.slots]
    faulty = [slot for slot in slots if slot.error]
    if ready:
        return [_row("ready", slot, exempt=exempt) for slot in ready]
    if faulty:
        return [_row("error", slot, exempt=exempt) for slot in faulty]
    blank = next((slot for slot in slots if slot.token), None)
    return [_row("blank" if blank else "absent", blank, exempt=exempt)]


def _row(state: str, slot: SlotData | None, *, exempt: bool) -> Row:
    token = slot.token if slot else None
    return {
        "state": state,
        "exempt": exempt,
        "manufacturer": token.manufacturer if token else None,
        "model": token.model if token else None,
        "serial": token.serial if token else None,
        "error": slot.error.type if slot and slot.error else None,
    }


PROBE = Probe(
    "ukey",
    {
        "state": FactSpec("状态", str),
        "exempt": FactSpec("这个角色不用办理CA", bool),
        "manufacturer": FactSpec("厂商", str),
        "model": FactSpec("型号", str),
        "serial": FactSpec("KEY序列号", str, "serial"),
        "error": FactSpec("错误类型", str),
    },
    gather,
    {"role": InputSpec("账号的角色，如采购人、财政监管单位", "text")},
    needs=KEY_READING,
)

"""Whether the certificate bound to the account is the one in the key; says whose certificate is there."""

from collections.abc import Sequence
from contextlib import suppress

from diagnostics.inventory import KEY_READING
from diagnostics.probe import Context, FactSpec, InputSpec, Probe, Row


def gather(context: Context) -> Sequence[Row]:
    """One row. `fits` is None without a bound serial or without a public certificate."""
    bound = context.text("bound_serial")
    certificates = context.inventory.certificates(context.remaining())
    meant = _numbers(bound or "")
    fitting = next((item for item in certificates if int(item.serial or "", 16) in meant), None)
    shown = fitting or next(iter(certificates), None)
    return [
        {
            "bound": bound,
            "account": context.text("bound_account"),
            "serial": shown.serial if shown else None,
            "owner": shown.subject if shown else None,
            "fits": fitting is not None if bound and certificates else None,
        }
    ]


def _numbers(serial: str) -> set[int]:
    """What a serial may mean: platforms write it in hexadecimal or in decimal, with or without separators."""
    text = "".join(letter for letter in serial if letter not in " :-").lower().removeprefix("0x")
    meant = set()
    for base in (10, 16):
        with suppress(ValueError):
            meant.add(int(text, base))
    return meant


PROBE = Probe(
    "cert_binding",
    {
        "bound": FactSpec("绑定的证书序列号", str, "serial"),
        "account": FactSpec("绑定的账号", str, "serial"),
        "serial": FactSpec("KEY里的证书序列号", str, "serial"),
        "owner": FactSpec("KEY里证书的持有人", str, "name"),
        "fits": FactSpec("是同一张证书", bool),
    },
    gather,
    {
        "bound_serial": InputSpec("账号绑定的证书序列号（十六进制或十进制）", "text"),
        "bound_account": InputSpec("KEY里这张证书绑定的账号", "text"),
    },
    needs=KEY_READING,
)

"""Money: integer fen inside, yuan with two decimals to people."""

import re

from core.domain.errors import InvalidError

_YUAN = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?\Z")


def yuan(fen: int) -> str:
    """`1234567` fen → `12,345.67`."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def parse_yuan(text: str) -> int:
    """`12,345.6` (yuan, thousands separators and 元 allowed) → fen; InvalidError(code `amount`) otherwise."""
    plain = text.strip().replace(",", "").replace("，", "").removesuffix("元").removeprefix("¥")
    match = _YUAN.match(plain)
    if not match:
        raise InvalidError(
            f"金额“{text[:20]}”看不懂，请写成元，最多两位小数，例如 12800.50",
            code="amount",
            fields={"amount": "请写成元，最多两位小数"},
        )
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))

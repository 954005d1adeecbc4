"""What may leave the desk: serials to their last four, names masked, tokens, PINs and numbers removed."""

import re
from typing import Literal

Redaction = Literal["none", "serial", "name", "hidden"]

_PATTERNS = (
    (re.compile(r"\b[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), "（令牌已隐去）"),  # JWT, opaque dotted tokens
    (re.compile(r"(?i)\b(pin|password|token|口令|密码)(\s*[=:：]\s*)\S+"), r"\1\2***"),
    (
        re.compile(r"(?<![0-9A-Za-z])[0-9A-Z]{15,17}[0-9A-Zx](?![0-9A-Za-z])"),
        "（号码已隐去）",
    ),  # ID, credit code
    (re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"), "（号码已隐去）"),  # mobile phone
    (re.compile(r"(?i)([\\/](?:users|home)[\\/])[^\\/\s]+"), r"\1～"),  # the user's name in a path
)


def serial_tail(serial: str) -> str:
    """Last four characters; shorter serials are hidden whole."""
    return f"尾号 {serial[-4:]}" if len(serial) > 4 else "尾号略"  # noqa: PLR2004 – last four


def mask_name(name: str) -> str:
    """First character kept: 张三 → 张*."""
    return name[:1] + "*" * min(len(name) - 1, 6)


def scrub(text: str) -> str:
    """Free text (error details, paths) without tokens, PINs, ID numbers, phones and user folders."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact(value: object, how: Redaction) -> object:
    """`value` as it may be shown; numbers, booleans and None pass."""
    if not isinstance(value, str):
        return value
    if how == "serial":
        return serial_tail(value)
    if how == "name":
        return mask_name(value)
    return scrub(value)

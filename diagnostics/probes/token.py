"""When the access token or session expires, in minutes. The token itself is never kept or shown."""

import base64
import binascii
import json
import math
import os
from collections.abc import Sequence
from datetime import datetime, timedelta

from diagnostics import moments
from diagnostics.probe import Context, FactSpec, InputSpec, Probe, Row

TOKEN_VARIABLE = "CAIGOU_ACCESS_TOKEN"  # noqa: S105 – the name of a variable
JWT_PARTS = 3


def gather(context: Context) -> Sequence[Row]:
    """One row. What the clock probe measured is taken off our own time before judging."""
    source, expires = _expiry(context)
    left = None
    if expires:
        left = math.floor((expires - _true_now(context)).total_seconds())
    return [
        {
            "source": source,
            "seconds_left": left,
            "minutes_left": None if left is None else max(0, left) // 60,
            "minutes_ago": None if left is None else max(0, -left) // 60,
            "expires": moments.shown(expires) if expires else None,
        }
    ]


def expiry_of_jwt(token: str) -> datetime | None:
    """The `exp` of a JWT, unverified: we ask when it ends, not whether to trust it. None if there is none."""
    parts = token.removeprefix("Bearer ").strip().split(".")
    if len(parts) != JWT_PARTS:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    expires = payload.get("exp") if isinstance(payload, dict) else None
    return moments.aware(expires) if isinstance(expires, (int, float)) else None


def _expiry(context: Context) -> tuple[str, datetime | None]:
    if expires := context.moment("token_expires_at"):
        return "caller", expires
    token = context.text("token") or os.environ.get(TOKEN_VARIABLE)
    if not token:
        return "none", None
    expires = expiry_of_jwt(token)
    return ("jwt" if expires else "unreadable"), expires


def _true_now(context: Context) -> datetime:
    rows = context.parents.get("clock", ())
    offset = rows[0]["offset_s"] if rows else None
    return context.now - timedelta(seconds=offset) if isinstance(offset, int) else context.now


PROBE = Probe(
    "token",
    {
        "source": FactSpec("凭证来源", str),
        "seconds_left": FactSpec("剩余秒数", int),
        "minutes_left": FactSpec("剩余分钟数", int),
        "minutes_ago": FactSpec("已过期分钟数", int, minutes=True),
        "expires": FactSpec("到期时间", str),
    },
    gather,
    {
        "token_expires_at": InputSpec("登录凭证的到期时间（ISO 8601，带时区）", "moment"),
        "token": InputSpec("登录凭证（JWT，只读取到期时间，不保存）", "text"),
    },
)

"""Points in time as callers and devices give them, and as people read them."""

from datetime import UTC, datetime, timedelta, timezone

# China has had one zone without summer time since 1991; a bare Windows Python has no zone database.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def aware(value: object) -> datetime | None:
    """An aware UTC datetime from an aware datetime, an ISO 8601 text with a zone, or seconds since 1970.

    None for anything else, and for a time without a zone: that would be a guess.
    """
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            value = datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime) and value.utcoffset() is not None:
            return value.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def shown(moment: datetime) -> str:
    """`2026-11-20 18:05`, Shanghai time."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def span(minutes: int) -> str:
    """`42 分钟`, `7 小时 59 分钟`, `9 天`: a clock that lost its battery is years off."""
    if minutes < 180:  # noqa: PLR2004 – up to three hours minutes are how people count
        return f"{minutes} 分钟"
    if minutes < 2 * 24 * 60:
        return f"{minutes // 60} 小时" + (f" {minutes % 60} 分钟" if minutes % 60 else "")
    return f"{minutes // (24 * 60)} 天"


def day(moment: datetime) -> str:
    """`2026-11-20`, Shanghai time."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d")

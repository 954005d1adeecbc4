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


def day(moment: datetime) -> str:
    """`2026-11-20`, Shanghai time."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d")

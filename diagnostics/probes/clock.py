"""How far this clock is off, against a time the caller vouches for or the login site's Date header."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx

from diagnostics import moments
from diagnostics.probe import Context, FactSpec, InputSpec, Probe, Row


def gather(context: Context) -> Sequence[Row]:
    """One row; `offset_s` is ours minus the reference, None without a reference."""
    source, reference = "caller", context.moment("reference_time")
    if reference is None and not context.offline:
        source, reference = "site", _site_date(context.region.login_url, context.remaining())
    offset = round((context.now - reference).total_seconds()) if reference else None
    return [
        {
            "source": source if reference else "none",
            "offset_s": offset,
            "off_minutes": None if offset is None else abs(offset) // 60,
            "direction": None if offset is None else ("快" if offset > 0 else "慢"),
        }
    ]


def _site_date(url: str, limit_s: float) -> datetime | None:
    # No certificate check: with a clock that is off, it would refuse the very answer that shows it.
    try:
        with httpx.Client(timeout=limit_s, verify=False, follow_redirects=False) as client:  # noqa: S501
            return moments.aware(parsedate_to_datetime(client.head(url).headers.get("date", "")))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None


PROBE = Probe(
    "clock",
    {
        "source": FactSpec("参照时间来源", str),
        "offset_s": FactSpec("相差秒数", int),
        "off_minutes": FactSpec("相差分钟数", int),
        "direction": FactSpec("快慢", str),
    },
    gather,
    {"reference_time": InputSpec("可信的当前时间（ISO 8601，带时区）", "moment")},
)

"""How far this clock is off, against a time the caller vouches for or the login site's Date header."""

import http.client
import ssl
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from diagnostics import moments
from diagnostics.probe import Context, FactSpec, InputSpec, Probe, Row


def gather(context: Context) -> Sequence[Row]:
    """One row; `offset_s` is ours minus the reference, None without a reference."""
    source, reference, url = "caller", context.moment("reference_time"), context.region.login_url
    if reference is None and url and not context.offline:
        source, reference = "site", _site_date(url, context.remaining())
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
    address = urlsplit(url)
    try:
        connection = (
            http.client.HTTPSConnection(address.netloc, timeout=limit_s, context=_blind())
            if address.scheme == "https"
            else http.client.HTTPConnection(address.netloc, timeout=limit_s)
        )
        with closing(connection):
            connection.request("HEAD", address.path or "/", headers={"User-Agent": "diagnostics"})
            return moments.aware(parsedate_to_datetime(connection.getresponse().headers.get("date", "")))
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _blind() -> ssl.SSLContext:
    """A certificate check would, with a clock that is off, refuse the very answer that shows it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


PROBE = Probe(
    "clock",
    {
        "source": FactSpec("参照时间来源", str),
        "offset_s": FactSpec("相差秒数", int),
        "off_minutes": FactSpec("相差分钟数", int, minutes=True),
        "direction": FactSpec("快慢", str),
    },
    gather,
    {"reference_time": InputSpec("可信的当前时间（ISO 8601，带时区）", "moment")},
)

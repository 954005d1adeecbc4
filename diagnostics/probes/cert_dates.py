"""Validity of each certificate that can be read from a key without login."""

import math
from collections.abc import Sequence
from datetime import datetime

from diagnostics import moments
from diagnostics.inventory import KEY_READING, CertificateData
from diagnostics.probe import Context, FactSpec, Probe, Row

SECONDS_A_DAY = 86400


def gather(context: Context) -> Sequence[Row]:
    """One row for each certificate; a single one with `seen` false where none is public."""
    tokens = context.inventory.tokens(context.remaining())
    found = {item.sha256 or id(item): item for slot in tokens for item in slot.certificates}
    certificates = list(found.values())
    if not certificates:
        return [dict.fromkeys(PROBE.facts) | {"seen": False, "superseded": False}]
    return [_row(item, certificates, context.now) for item in certificates]


def _row(item: CertificateData, all_of_them: Sequence[CertificateData], now: datetime) -> Row:
    start, end = moments.aware(item.not_before), moments.aware(item.not_after)
    readable = start is not None and end is not None
    return {
        "seen": True,
        "readable": readable,
        "serial": item.serial,
        "owner": item.subject,
        "usage": _usage(item),
        "not_before": moments.day(start) if start else None,
        "not_after": moments.day(end) if end else None,
        "starts_in_days": math.ceil((start - now).total_seconds() / SECONDS_A_DAY) if start else None,
        "days_left": math.floor((end - now).total_seconds() / SECONDS_A_DAY) if end else None,
        "superseded": any(_replaces(other, item, now) for other in all_of_them if other is not item),
    }


def _replaces(other: CertificateData, item: CertificateData, now: datetime) -> bool:
    """A renewed certificate of the same holder and use lies beside the old one, and is valid."""
    start, end = moments.aware(other.not_before), moments.aware(other.not_after)
    valid = start is not None and end is not None and start <= now <= end
    same = (other.subject, other.usage) == (item.subject, item.usage)
    return valid and same and other.error is None


def _usage(item: CertificateData) -> str | None:
    if item.usage is None:
        return None
    signs = bool({"digital_signature", "content_commitment"} & set(item.usage))
    encrypts = bool({"key_encipherment", "data_encipherment", "key_agreement"} & set(item.usage))
    words = {(True, False): "签名证书", (False, True): "加密证书", (True, True): "签名和加密证书"}
    return words.get((signs, encrypts), "其他证书")


PROBE = Probe(
    "cert_dates",
    {
        "seen": FactSpec("看到公开证书", bool),
        "readable": FactSpec("可以解析", bool),
        "serial": FactSpec("证书序列号", str, "serial"),
        "owner": FactSpec("持有人", str, "name"),
        "usage": FactSpec("用途", str),
        "not_before": FactSpec("生效日期", str),
        "not_after": FactSpec("到期日期", str),
        "starts_in_days": FactSpec("距生效天数", int),
        "days_left": FactSpec("剩余天数", int),
        "superseded": FactSpec("已有有效的新证书", bool),
    },
    gather,
    needs=KEY_READING,
)

"""What the platform itself stands on: facts only, judged by the rules of `own.yaml`. Nothing is changed, no PIN used."""

import email.utils
import os
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Engine, func, select

from core.adapters.database import reader_of
from core.adapters.tables import outbox
from core.domain.errors import DomainError
from core.service.sealing_ports import Signer
from diagnostics import chain
from diagnostics.catalogue import Region
from diagnostics.inventory import CertificateData
from diagnostics.pkcs11_child import describe_certificate
from diagnostics.probe import Context, FactSpec, Row
from diagnostics.probes import revocation, site_tls

MOST_OFFSET_S = 120  # half of what the signatures of messages allow
_ANSWER_S = 5.0
Gather = Callable[[Context], Sequence[Row]]

_SITE = {**site_tls.PROBE.facts, "days_left": FactSpec("证书剩余天数", int)}
FACTS: Mapping[str, Mapping[str, FactSpec]] = {
    "outbox": {
        "waiting": FactSpec("没有送出", int),
        "oldest_minutes": FactSpec("最早的等了几分钟", int),
        "parked": FactSpec("停下的", int),
    },
    "counterpart": {
        "system": FactSpec("系统", str),
        "outcome": FactSpec("结果", str),
        "cause": FactSpec("原因", str),
        "code": FactSpec("应答码", int),
        "offset_s": FactSpec("时钟相差秒数", int),
        "clock_off": FactSpec("时钟不一致", bool),
    },
    "token": {
        "unit": FactSpec("单位", str),
        "outcome": FactSpec("结果", str),
        "problem": FactSpec("说明", str),
        "usable": FactSpec("能用的印章", int),
        "days_left": FactSpec("最晚到期的剩余天数", int),
    },
    "site": _SITE,
    "revocation": revocation.PROBE.facts,
    "certificate": _SITE,
}


def backlog(engine: Engine) -> Gather:
    """Messages that have not reached the other systems."""

    def gather(context: Context) -> Sequence[Row]:
        query = select(outbox.c.state, func.count(), func.min(outbox.c.at)).group_by(outbox.c.state)
        with reader_of(engine).connect() as connection:
            found = {
                state: (count, oldest)
                for state, count, oldest in connection.execute(query.where(outbox.c.state != "done"))
            }
        waiting, oldest = found.get("waiting", (0, None))
        minutes = int((context.now - oldest).total_seconds() // 60) if oldest else None
        return [{"waiting": waiting, "oldest_minutes": minutes, "parked": found.get("parked", (0, None))[0]}]

    return gather


def counterpart(label: str, url: str) -> Gather:
    """Whether a system answers at all, and what its clock says."""

    def gather(context: Context) -> Sequence[Row]:
        row = dict.fromkeys(FACTS["counterpart"]) | {"system": label, "clock_off": False}
        try:
            with (
                httpx.Client(trust_env=False, timeout=_ANSWER_S) as client,
                client.stream("GET", url) as said,
            ):
                offset = _offset(said.headers.get("Date", ""), context.now)
                return [
                    row
                    | {
                        "outcome": "answers",
                        "code": said.status_code,
                        "offset_s": offset,
                        "clock_off": offset is not None and abs(offset) > MOST_OFFSET_S,
                    }
                ]
        except httpx.TimeoutException:
            return [row | {"outcome": "silent", "cause": "没有按时回应"}]
        except httpx.HTTPError:
            return [row | {"outcome": "silent", "cause": "联系不上"}]

    return gather


def _offset(date: str, now: datetime) -> int | None:
    try:
        return round((email.utils.parsedate_to_datetime(date) - now).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return None


def token(unit: str, label: str, signer: Signer) -> Gather:
    """The unit's seals, read without login."""

    def gather(context: Context) -> Sequence[Row]:
        row: dict[str, str | int | None] = dict.fromkeys(FACTS["token"]) | {"unit": unit}
        try:
            seals = signer.seals(label)
        except DomainError as error:
            return [row | {"outcome": error.code, "problem": error.message}]
        ends = [seal.not_after for seal in seals if seal.usable]
        problem = (
            "；".join(f"{seal.label}：{seal.why_not}" for seal in seals if not seal.usable) or "没有印章"
        )
        left = (max(ends) - context.now).days if ends else None
        return [row | {"outcome": "read", "usable": len(ends), "days_left": left, "problem": problem}]

    return gather


def site(region: str, name: str, url: str) -> Gather:
    """How far the way to a site goes, and how long its certificate lasts."""

    def gather(context: Context) -> Sequence[Row]:
        found = site_tls.gather(replace(context, region=Region(region, name, login_url=url)))[-1]
        secure = found["step"] == "done" and found["scheme"] == "https"
        port = (urlsplit(url).port if url.startswith("https://") else None) or 443
        left = _days_left(str(found["site"]), port, context) if secure else None
        return [{**found, "days_left": left}]

    return gather


def _days_left(host: str, port: int, context: Context) -> int | None:
    """None where the site does not answer a second time."""
    try:
        with closing(socket.create_connection((host, port), timeout=context.remaining())) as plain:
            plain.settimeout(context.remaining())
            secured = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
            with closing(secured) as stream:
                certificate = stream.getpeercert()
    except OSError:
        return None
    ends = (certificate or {}).get("notAfter")
    if not isinstance(ends, str):
        return None
    return int((ssl.cert_time_to_seconds(ends) - context.now.timestamp()) // 86400)


@dataclass(frozen=True)
class _Held:
    """Certificates in the place of what a desk's keys hold."""

    own: Sequence[CertificateData]
    issuing: Sequence[CertificateData]

    def certificates(self, _limit_s: float, *, authorities: bool = False) -> Sequence[CertificateData]:
        return self.issuing if authorities else self.own


def revoked(certificates: Callable[[], Sequence[bytes]], roots: Path, issuing: Path) -> Gather:
    """What OCSP and revocation lists say of the server's seals (DER); `roots` and `issuing` are PEM files."""

    def gather(context: Context) -> Sequence[Row]:
        between = [each.public_bytes(Encoding.DER) for each in chain.read_bundle(issuing)]
        held = _Held(_described(certificates()), _described(between))
        region = replace(context.region, intranet_hosts=os.environ.get("CAIGOU_INTRANET_HOSTS", "").split())
        inside = replace(context, inventory=held, trust=roots, region=region)  # type: ignore[arg-type]
        return revocation.gather(inside)

    return gather


def _described(certificates: Sequence[bytes]) -> list[CertificateData]:
    found = []
    for der in dict.fromkeys(certificates):
        with suppress(ValueError):
            found.append(CertificateData(**describe_certificate(der)))
    return found

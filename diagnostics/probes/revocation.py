"""Whether each certificate was revoked: OCSP first, then the revocation list, both verified and fresh."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from diagnostics import moments
from diagnostics.fetch import FetchError, fetch
from diagnostics.inventory import KEY_READING, CertificateData
from diagnostics.probe import Context, FactSpec, Probe, Row
from diagnostics.probes.cert_issuer import known_authorities

if TYPE_CHECKING:
    from diagnostics.chain import Authorities
    from diagnostics.revocation import Answer, Pair

MAX_OCSP_BYTES = 64 * 1024
MAX_CRL_BYTES = 8 * 1024 * 1024
DECISIVE = {"good", "revoked"}


def gather(context: Context) -> Sequence[Row]:
    """One row for each certificate; a single one with `outcome` "unseen" or "offline"."""
    certificates = context.inventory.certificates(context.remaining())
    if not certificates:
        return [dict.fromkeys(PROBE.facts) | {"outcome": "unseen"}]
    if context.offline:
        return [dict.fromkeys(PROBE.facts) | {"outcome": "offline"}]
    authorities = known_authorities(context)
    with ThreadPoolExecutor(max_workers=len(certificates)) as pool:  # a slow responder delays no other
        return list(pool.map(lambda item: _row(item, authorities, context), certificates))


def _row(item: CertificateData, authorities: "Authorities", context: Context) -> Row:
    row = dict.fromkeys(PROBE.facts) | {"serial": item.serial, "outcome": "no_issuer"}
    pair = _pair(item, authorities)
    if pair is None:
        return row
    best: tuple[int, str, Answer | FetchError] | None = None
    for source, ask in _sources(pair, context):
        found = _answer(ask)
        rank = 0 if isinstance(found, FetchError) else 2 if found.outcome in DECISIVE else 1
        if best is None or rank > best[0]:
            best = rank, source, found
        if rank == 2:  # noqa: PLR2004 – decisive
            break
    if best is None:
        return row | {"outcome": "no_address"}
    _, source, found = best
    if isinstance(found, FetchError):
        return row | {"source": source, "outcome": found.kind}
    revoked = moments.day(found.revoked_at) if found.revoked_at else None
    return row | {"source": source, "outcome": found.outcome, "revoked_on": revoked}


def _pair(item: CertificateData, authorities: "Authorities") -> "Pair | None":
    from diagnostics import chain, signatures
    from diagnostics.revocation import Pair

    certificate = signatures.load(item.der)
    issuer = chain.issuer_of(certificate, authorities) if certificate else None
    return Pair(certificate, issuer) if certificate and issuer else None


def _sources(pair: "Pair", context: Context) -> Iterator[tuple[str, Callable[[], "Answer"]]]:
    from diagnostics import revocation

    # Half of what is left for each, so that a responder that never answers leaves time for the list.
    for url in revocation.ocsp_urls(pair.certificate)[:2]:
        yield "OCSP", lambda url=url: _by_ocsp(url, pair, context)  # type: ignore[misc]
    for url in revocation.crl_urls(pair.certificate)[:2]:
        yield "CRL", lambda url=url: _by_crl(url, pair, context)  # type: ignore[misc]


def _by_ocsp(url: str, pair: "Pair", context: Context) -> "Answer":
    from diagnostics import revocation

    question, nonce = revocation.ocsp_request(pair)
    content = fetch(
        url,
        until=context.deadline - context.remaining() / 2,
        limit_bytes=MAX_OCSP_BYTES,
        body=question,
        content_type="application/ocsp-request",
        intranet_hosts=context.region.intranet_hosts,
    )
    return revocation.judge_ocsp(content, pair, nonce, context.now)


def _by_crl(url: str, pair: "Pair", context: Context) -> "Answer":
    from diagnostics import revocation

    content = fetch(
        url,
        until=context.deadline - context.remaining() / 2,
        limit_bytes=MAX_CRL_BYTES,
        intranet_hosts=context.region.intranet_hosts,
    )
    return revocation.judge_crl(content, pair, context.now)


def _answer(ask: Callable[[], "Answer"]) -> "Answer | FetchError":
    try:
        return ask()
    except FetchError as error:
        return error


PROBE = Probe(
    "revocation",
    {
        "serial": FactSpec("证书序列号", str, "serial"),
        "source": FactSpec("来源", str),
        "outcome": FactSpec("结果", str),
        "revoked_on": FactSpec("吊销日期", str),
    },
    gather,
    needs=(*KEY_READING, "asn1crypto"),
)

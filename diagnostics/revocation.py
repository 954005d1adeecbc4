"""What an OCSP responder or a revocation list says of one certificate, believed only when signed and fresh."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from diagnostics import signatures

SKEW = timedelta(minutes=5)  # what the clock probe lets pass
UNDATED = timedelta(days=7)  # how old an answer without an end may be
NONCE_BYTES = 16
Outcome = Literal["good", "revoked", "stale", "replayed", "forged", "sm2", "unknown_there", "malformed"]


@dataclass(frozen=True)
class Answer:
    """A judged answer; `revoked_at` is UTC, for "revoked" only."""

    outcome: Outcome
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Pair:
    """A certificate and the authority that issued it."""

    certificate: x509.Certificate
    issuer: x509.Certificate


def ocsp_urls(certificate: x509.Certificate) -> list[str]:
    """Responders named in the certificate."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return []
    wanted = [each for each in access if each.access_method == AuthorityInformationAccessOID.OCSP]
    return [str(each.access_location.value) for each in wanted]


def crl_urls(certificate: x509.Certificate) -> list[str]:
    """Places of whole revocation lists named in the certificate."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return []
    names = [name for point in points for name in point.full_name or ()]
    return [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]


def ocsp_request(pair: Pair) -> tuple[bytes, bytes]:
    """DER of a question with a fresh nonce, and the nonce."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    builder = ocsp.OCSPRequestBuilder().add_certificate(pair.certificate, pair.issuer, hashes.SHA1())  # noqa: S303 – names the certificate, protects nothing; every responder knows it
    request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build()
    return request.public_bytes(Encoding.DER), nonce


def judge_ocsp(content: bytes, pair: Pair, nonce: bytes, now: datetime) -> Answer:
    """Never raises for what a responder may send."""
    try:
        response = ocsp.load_der_ocsp_response(content)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Answer("unknown_there")
        mine = [
            single for single in response.responses if single.serial_number == pair.certificate.serial_number
        ]
        verified = _signed_by_responder(response, pair)
        echoed = [extension.value.nonce for extension in response.extensions if _is_nonce(extension)]
    except (ValueError, TypeError):
        return Answer("malformed")
    if verified is not True:
        return Answer("forged" if verified is False else "sm2")
    if not mine:
        return Answer("replayed")  # a true answer, but of another certificate
    if echoed and nonce not in echoed:
        return Answer("replayed")
    return _judge_single(mine[0], now)


def _judge_single(single: ocsp.OCSPSingleResponse, now: datetime) -> Answer:
    if single.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        return Answer(
            "revoked", single.revocation_time_utc
        )  # stays so: an old answer is as good as a new one
    if not _fresh(single.this_update_utc, single.next_update_utc, now):
        return Answer("stale")
    return Answer("good" if single.certificate_status is ocsp.OCSPCertStatus.GOOD else "unknown_there")


def judge_crl(content: bytes, pair: Pair, now: datetime) -> Answer:
    """Never raises for what a server may send."""
    try:
        load = x509.load_pem_x509_crl if content.startswith(b"-----") else x509.load_der_x509_crl
        crl = load(content)
        if crl.issuer != pair.issuer.subject:
            return Answer("forged")
        algorithm = crl.signature_algorithm_oid.dotted_string
        digest = None if algorithm == signatures.SM2_WITH_SM3 else crl.signature_hash_algorithm
        verified = signatures.signed(pair.issuer, algorithm, digest, crl.signature, crl.tbs_certlist_bytes)
        entry = crl.get_revoked_certificate_by_serial_number(pair.certificate.serial_number)
    except (ValueError, TypeError):
        return Answer("malformed")
    if verified is not True:
        return Answer("forged" if verified is False else "sm2")
    if entry is not None:
        return Answer("revoked", entry.revocation_date_utc)
    return Answer("good" if _fresh(crl.last_update_utc, crl.next_update_utc, now) else "stale")


def _fresh(begin: datetime, end: datetime | None, now: datetime) -> bool:
    return begin - SKEW <= now <= (end or begin + UNDATED) + SKEW


def _is_nonce(extension: x509.Extension[x509.ExtensionType]) -> bool:
    return isinstance(extension.value, x509.OCSPNonce)


def _signed_by_responder(response: ocsp.OCSPResponse, pair: Pair) -> bool | None:
    """By the authority itself, or by one it appointed for OCSP; None where no verdict is possible."""
    algorithm = response.signature_algorithm_oid.dotted_string
    digest = None if algorithm == signatures.SM2_WITH_SM3 else response.signature_hash_algorithm
    verdicts = [
        signatures.signed(signer, algorithm, digest, response.signature, response.tbs_response_bytes)
        for signer in (pair.issuer, *_appointed(response, pair))
    ]
    return True if True in verdicts else None if None in verdicts else False


def _appointed(response: ocsp.OCSPResponse, pair: Pair) -> Iterator[x509.Certificate]:
    for certificate in response.certificates:
        try:
            uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
            continue
        if ExtendedKeyUsageOID.OCSP_SIGNING in uses and signatures.issued(certificate, pair.issuer):
            yield certificate

"""From a certificate up to an authority one trusts, pair by pair; no path building, no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509

from diagnostics import signatures

MAX_LEVELS = 6
State = Literal["trusted", "incomplete", "forged", "expired", "not_ca", "sm2", "none"]


@dataclass(frozen=True)
class Authorities:
    """`trusted` were given by the one who asks; `others` (from the key) only lead there."""

    trusted: Sequence[x509.Certificate] = ()
    others: Sequence[x509.Certificate] = ()


def read_bundle(file: Path | None) -> list[x509.Certificate]:
    """Certificates of a PEM file; none where there is no file. ValueError, OSError for a bad one."""
    return x509.load_pem_x509_certificates(file.read_bytes()) if file else []


def issuer_of(certificate: x509.Certificate, authorities: Authorities) -> x509.Certificate | None:
    """The authority that signed it, or at least carries the issuer's name (SM2 unchecked); None if unknown."""
    named = _named(certificate, authorities)
    verdicts = [(signatures.issued(certificate, each), each) for each in named]
    for wanted in (True, None):
        for verdict, each in verdicts:
            if verdict is wanted:
                return each
    return None


def state(certificate: x509.Certificate, authorities: Authorities, now: datetime) -> State:
    """How far the chain holds at `now`."""
    if not authorities.trusted:
        return "none"
    unverified = False
    for _ in range(MAX_LEVELS):
        issuer = issuer_of(certificate, authorities)
        if issuer is None:
            return "forged" if _named(certificate, authorities) else "incomplete"
        unverified = unverified or signatures.issued(certificate, issuer) is None
        if not _is_authority(issuer):
            return "not_ca"
        if not issuer.not_valid_before_utc <= now <= issuer.not_valid_after_utc:
            return "expired"
        if any(signatures.same(issuer, each) for each in authorities.trusted):
            return "sm2" if unverified else "trusted"
        certificate = issuer
    return "incomplete"


def _named(certificate: x509.Certificate, authorities: Authorities) -> list[x509.Certificate]:
    """Authorities with the issuer's name; trusted ones first, so that a copy in the key changes nothing."""
    every = [*authorities.trusted, *authorities.others]
    return [each for each in every if each.subject == certificate.issuer and _same_key(certificate, each)]


def _same_key(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """An authority that renewed its key keeps its name: where both sides name the key, they must agree."""
    try:
        wanted = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        there = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return True
    return wanted.key_identifier is None or wanted.key_identifier == there.digest


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    return bool(constraints.value.ca)

"""Whether one certificate's key made a signature. SM2 (国密) needs the optional gmssl; without it: unknown."""

import importlib
import importlib.util
from typing import Any

from asn1crypto import core
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

SM2_WITH_SM3 = "1.2.156.10197.1.501"
POINT_BYTES = 65  # 04, x, y


class _PublicKey(core.Sequence):  # type: ignore[misc]
    _fields = [("algorithm", core.Any), ("key", core.OctetBitString)]  # noqa: RUF012 – asn1crypto's way


class _Body(core.Sequence):  # type: ignore[misc]
    # asn1crypto's own certificate fails on keys whose algorithm is SM2 itself.
    _fields = [  # noqa: RUF012
        ("version", core.Integer, {"explicit": 0, "default": 0}),
        ("serial", core.Integer),
        *((name, core.Any) for name in ("signature", "issuer", "validity", "subject")),
        ("public_key", _PublicKey),
        *((name, core.Any, {"optional": True}) for name in ("first", "second", "third")),
    ]


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool | None:
    """Whether `issuer` signed `certificate`; None where that cannot be checked here."""
    if certificate.signature_algorithm_oid.dotted_string == SM2_WITH_SM3:
        return _sm2(issuer, certificate.tbs_certificate_bytes, certificate.signature)
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    except UnsupportedAlgorithm:
        return None
    return True


def signed(
    signer: x509.Certificate, algorithm: str, digest: HashAlgorithm | None, signature: bytes, content: bytes
) -> bool | None:
    """Whether `signer` signed `content` (a CRL's or OCSP answer's body); None where that cannot be checked."""
    if algorithm == SM2_WITH_SM3:
        return _sm2(signer, content, signature)
    try:
        key = signer.public_key()
        if isinstance(key, rsa.RSAPublicKey) and digest:
            key.verify(signature, content, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and digest:
            key.verify(signature, content, ec.ECDSA(digest))
        else:
            return None
    except (InvalidSignature, ValueError):
        return False
    except UnsupportedAlgorithm:
        return None
    return True


def _sm2(signer: x509.Certificate, content: bytes, signature: bytes) -> bool | None:
    if importlib.util.find_spec("gmssl") is None:
        return None
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        return False
    point = _point(signer)
    return None if point is None else _verify_point(point.hex(), r, s, content)


def _verify_point(point: str, r: int, s: int, content: bytes) -> bool:
    sm2: Any = importlib.import_module("gmssl.sm2")
    verifier = sm2.CryptSM2(private_key="", public_key=point)
    verifier.public_key = point  # its constructor strips too much from a key that begins with 04
    return bool(verifier.verify_with_sm3(f"{r:064x}{s:064x}", content))


def _point(certificate: x509.Certificate) -> bytes | None:
    """The x and y of an uncompressed point; None for another kind of key."""
    try:
        body = _Body.load(certificate.tbs_certificate_bytes)
        key = bytes(body["public_key"]["key"])
    except ValueError:
        return None
    return key[1:] if len(key) == POINT_BYTES and key[0] == 4 else None  # noqa: PLR2004 – uncompressed


def load(der_hex: str | None) -> x509.Certificate | None:
    """A certificate as the child reported it; None if it cannot be read."""
    try:
        return x509.load_der_x509_certificate(bytes.fromhex(der_hex)) if der_hex else None
    except ValueError:
        return None


def same(one: x509.Certificate, other: x509.Certificate) -> bool:
    """Byte by byte; `==` of certificates does the same but not for every odd key."""
    return one.public_bytes(Encoding.DER) == other.public_bytes(Encoding.DER)

"""What makes a seal fit to sign and a signature good: dates, use, key, issuer. No token is touched."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from core.service.sealing_ports import Validation


class Trust:
    """The authorities whose seals are accepted: root and intermediate certificates."""

    def __init__(self, roots: Path, intermediates: Path | None = None) -> None:
        """Read PEM bundles; ValueError where one holds no certificate."""
        self._roots = _bundle(roots)
        self.intermediates = _bundle(intermediates) if intermediates else []

    def why_not(self, der: bytes, public_keys: Sequence[bytes], now: datetime) -> str | None:
        """Why this certificate cannot sign at `now` with the token's key, in Chinese; None if it can.

        `public_keys` are those the token files under the certificate (PKCS#1 for RSA, SubjectPublicKeyInfo
        for EC); where the token shows none, the signature's validation has the last word.
        """
        certificate = x509.load_der_x509_certificate(der)
        fault = _dates(certificate, now) or _use(certificate) or _key(certificate, public_keys)
        if fault or self.issued(der, now):
            return fault
        return "印章证书不是本系统认可的机构签发的，请换用认可机构的 UKey"

    def issued(self, der: bytes, now: datetime) -> bool:
        """Whether the chain leads to one of the authorities and everything in it is valid at `now`."""
        checking = CertificateValidator(
            asn1_x509.Certificate.load(der), validation_context=self._context(now)
        )
        try:
            asyncio.run(checking.async_validate_path())
        except (PathError, ValidationError):
            return False
        return True

    def validate(self, pdf: bytes, now: datetime) -> Validation:
        """Judge every signature of `pdf`: the first bad one, else the last. Never raises for a bad file."""
        from core.adapters import pdf_signatures  # takes a third of a second to load: a start does without

        return pdf_signatures.judge(pdf, self._context(now))

    def _context(self, now: datetime) -> ValidationContext:
        """No network: revocation is checked only where the file brings the evidence along."""
        return ValidationContext(
            trust_roots=self._roots,
            other_certs=self.intermediates,
            moment=now,
            allow_fetching=False,
            revocation_mode="soft-fail",
        )


def _bundle(path: Path) -> list[asn1_x509.Certificate]:
    loaded = x509.load_pem_x509_certificates(path.read_bytes())
    return [asn1_x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in loaded]


def _dates(certificate: x509.Certificate, now: datetime) -> str | None:
    if now < certificate.not_valid_before_utc:
        return f"印章证书 {certificate.not_valid_before_utc:%Y-%m-%d} 起才生效，请核对电脑时间或换一枚印章"
    if now > certificate.not_valid_after_utc:
        return f"印章证书已于 {certificate.not_valid_after_utc:%Y-%m-%d} 到期，请到发证机构更新后再签"
    return None


def _use(certificate: x509.Certificate) -> str | None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
    if usage.digital_signature or usage.content_commitment:
        return None
    return "这是加密证书，不能用来签章，请选签名证书对应的印章"


def _key(certificate: x509.Certificate, public_keys: Sequence[bytes]) -> str | None:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "这是国密（SM2）或其他暂不支持的证书，不能用来签 PDF，请换用 RSA 印章"
    if isinstance(key, rsa.RSAPublicKey):
        own = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        own = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        return "印章证书的算法暂不支持，请换用 RSA 印章"
    if public_keys and own not in public_keys:
        return "印章证书与 UKey 里的密钥不是一对，请联系发证机构重新制作"
    return None

"""What makes a seal fit to sign and a signature good: dates, use, key, issuer. No token is touched."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from core.service.sealing_ports import Validation

_SIGNING = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})


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
        try:
            signatures = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
        except Exception:  # noqa: BLE001 - any bytes may come in, and the parser raises what it likes
            return _unsigned("文件不是能读的 PDF，请重新生成")
        if not signatures:
            return _unsigned("文件上没有签章")
        for signature in signatures:
            verdict = self._judge(signature, now, last=signature is signatures[-1])
            if verdict.problem:
                break
        return verdict

    def _judge(self, signature: EmbeddedPdfSignature, now: datetime, *, last: bool) -> Validation:
        try:
            status = validate_pdf_signature(signature, self._context(now), key_usage_settings=_SIGNING)
            certificate = status.signing_cert
            return Validation(
                signed=True,
                intact=status.intact,
                valid=status.valid,
                trusted=status.trusted,
                subject=x509.load_der_x509_certificate(certificate.dump()).subject.rfc4514_string(),
                serial=f"{certificate.serial_number:X}",
                signed_at=_utc(signature.self_reported_timestamp),
                problem=_problem(status, last=last),
            )
        except Exception:  # noqa: BLE001 - as above: a damaged signature is an answer
            return Validation(
                signed=True,
                intact=False,
                valid=False,
                trusted=False,
                subject="",
                serial="",
                signed_at=None,
                problem="签章内容已损坏，无法核对，请重新签章",
            )

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


def _problem(status: PdfSignatureStatus, *, last: bool) -> str | None:
    if not status.intact:
        return "签章之后文件被改动过，请从未签章的文件重新签章"
    if not status.valid:
        return "签名与证书不符，请重新签章；仍不行请联系发证机构"
    if not status.trusted:
        return "签章证书不被认可：发证机构不在认可之列，或证书已过期、已吊销"
    if not status.bottom_line or (last and status.coverage != SignatureCoverageLevel.ENTIRE_FILE):
        return "签章之后文件里又添加了内容，请从未签章的文件重新签章"
    return None


def _unsigned(problem: str) -> Validation:
    return Validation(
        signed=False,
        intact=False,
        valid=False,
        trusted=False,
        subject="",
        serial="",
        signed_at=None,
        problem=problem,
    )


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at and at.tzinfo else None

"""Whether the signatures of a PDF are good."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from core.service.sealing_ports import Validation

_SIGNING = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})


def judge(pdf: bytes, context: ValidationContext) -> Validation:
    """Judge every signature of `pdf`: the first bad one, else the last. Never raises for a bad file."""
    try:
        signatures = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    except Exception:  # noqa: BLE001 - any bytes may come in, and the parser raises what it likes
        return _unreadable("文件不是能读的 PDF，请重新生成", signed=False)
    if not signatures:
        return _unreadable("文件上没有签章", signed=False)
    for signature in signatures:
        verdict = _judge(signature, context, last=signature is signatures[-1])
        if verdict.problem:
            break
    return replace(verdict, seals=len(signatures))


def _judge(signature: EmbeddedPdfSignature, context: ValidationContext, *, last: bool) -> Validation:
    try:
        status = validate_pdf_signature(signature, context, key_usage_settings=_SIGNING)
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
        return _unreadable("签章内容已损坏，无法核对，请重新签章", signed=True)


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


def _unreadable(problem: str, *, signed: bool) -> Validation:
    """Where no signature can be read."""
    return Validation(
        signed=signed,
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

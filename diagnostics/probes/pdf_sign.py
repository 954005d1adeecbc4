"""One test signature, only with consent: everything that can be checked comes before the PIN is used."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain.errors import DomainError
from diagnostics.inventory import TokenData
from diagnostics.probe import Context, FactSpec, Probe, Row

if TYPE_CHECKING:
    from core.adapters.signer import Pkcs11Signer
    from core.service.sealing_ports import Seal
    from diagnostics.consent import Consent

RISKY = {"USER_PIN_COUNT_LOW", "USER_PIN_FINAL_TRY", "USER_PIN_LOCKED", "USER_PIN_TO_BE_CHANGED"}
REASON = "诊断试签，无业务效力"


def gather(context: Context) -> Sequence[Row]:
    """One row; the signature is made and validated by the same adapter that seals certificates."""
    outcome, seal, problem = _outcome(context)
    return [{"outcome": outcome, "seal": seal, "problem": problem}]


def _outcome(context: Context) -> tuple[str, str | None, str | None]:
    if context.consent is None:
        return "no_consent", None, None
    if context.trust is None:
        return "no_trust", None, None
    keys = _keys(context)
    if len(keys) != 1:
        return ("several_keys" if keys else "no_key"), None, None
    module, token = keys[0]
    if RISKY & set(token.flags):
        return "risky", None, None
    try:
        return _sign(context, context.consent, module, token)
    except DomainError as error:
        return error.code, None, error.message


def _keys(context: Context) -> list[tuple[Path, TokenData]]:
    readings = context.inventory.readings(context.remaining())
    found = [(reading.path, slot.token) for reading in readings for slot in reading.tokens]
    unique = {(token.manufacturer, token.serial): (path, token) for path, token in found if token}
    return list(unique.values())


def _sign(
    context: Context, consent: "Consent", module: Path, token: TokenData
) -> tuple[str, str | None, str | None]:
    signer = _signer(module, context)
    usable = [seal for seal in signer.seals(token.label) if seal.usable]
    seal = _choose(usable, consent.seal)
    if seal is None:
        return ("several_seals" if usable else "no_seal"), None, None
    pin = consent.take()
    if pin is None:
        return "used_up", None, None
    signed = signer.sign(_blank(), token_label=token.label, seal=seal.serial, pin=pin, reason=REASON)
    again = signer.validate(signed.content)
    return ("signed" if again.ok else "signature_invalid"), seal.label, again.problem


def _choose(usable: Sequence["Seal"], wanted: str | None) -> "Seal | None":
    meant = [seal for seal in usable if wanted in (None, seal.serial, seal.label)]
    return meant[0] if len(meant) == 1 else None


def _signer(module: Path, context: Context) -> "Pkcs11Signer":
    from core.adapters.seal_trust import Trust
    from core.adapters.signer import Pkcs11Signer

    assert context.trust is not None  # noqa: S101 – the caller looked
    trust = Trust(context.trust)
    return Pkcs11Signer(module, trust, limit=context.remaining(), clock=lambda: context.now)


def _blank() -> bytes:
    """One empty page."""
    from io import BytesIO

    from reportlab.pdfgen.canvas import Canvas

    buffer = BytesIO()
    canvas = Canvas(buffer)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


PROBE = Probe(
    "pdf_sign",
    {
        "outcome": FactSpec("结果", str),
        "seal": FactSpec("印章", str),
        "problem": FactSpec("说明", str),
    },
    gather,
    needs=("core.adapters.signer", "pyhanko", "pkcs11", "reportlab", "structlog"),
)

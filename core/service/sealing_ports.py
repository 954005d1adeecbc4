"""What the core needs from the filing certificate's printer and from the seals; adapters implement it.

Money is integer fen, times are timezone-aware UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class CertificateLine:
    """One line of the purchase list."""

    name: str
    catalogue_code: str
    quantity: Decimal
    unit: str
    unit_price_fen: int
    total_fen: int


@dataclass(frozen=True)
class CertificateIndicator:
    """An indicator the plan draws on, and how much of it."""

    code: str
    name: str
    amount_fen: int


@dataclass(frozen=True)
class CertificateReview:
    """Who approved at which node, and when (UTC)."""

    node: str
    person: str
    at: datetime


@dataclass(frozen=True)
class FilingCertificate:
    """Everything printed on a 采购计划备案书; equal values give equal bytes."""

    region: str
    heading: str
    plan_number: str
    title: str
    unit: str
    kind: str
    lines: Sequence[CertificateLine]
    indicators: Sequence[CertificateIndicator]
    total_fen: int
    reviewers: Sequence[CertificateReview]
    created_at: datetime
    supplier: str = ""  # who seals it as well, where two parties do


@dataclass(frozen=True)
class Seal:
    """A seal in a unit's token, read without login.

    `serial` is the certificate's serial as upper-case hexadecimal without leading zeros. `why_not` is the
    Chinese sentence saying why it cannot sign; None exactly when `usable`.
    """

    label: str
    subject: str
    serial: str
    not_before: datetime
    not_after: datetime
    usable: bool
    why_not: str | None


@dataclass(frozen=True)
class Validation:
    """What became of the signatures in a PDF; `problem` is a Chinese sentence, None exactly when all is well.

    `signed_at` is what the signer's computer claimed (UTC): there is no trusted time stamp.
    """

    signed: bool
    intact: bool
    valid: bool
    trusted: bool
    subject: str
    serial: str
    signed_at: datetime | None
    problem: str | None
    seals: int = 0  # how many signatures there are

    @property
    def ok(self) -> bool:
        """Intact, valid, trusted, and nothing was added afterwards."""
        return self.problem is None


@dataclass(frozen=True)
class SignedPdf:
    """A signed and validated PDF; `sha256` is the hexadecimal digest of `content`."""

    content: bytes
    sha256: str
    seal: Seal
    signed_at: datetime
    validation: Validation


class CertificateRenderer(Protocol):
    """Prints the filing certificate as an unsigned PDF."""

    def __call__(self, certificate: FilingCertificate) -> bytes:
        """PDF bytes, the same for equal certificates."""
        ...


class Signer(Protocol):
    """Seals in tokens. PINs are used once and never kept.

    Errors, by `code`. InvalidError: `pin_wrong`, `pin_locked`, `seal_unusable`, `already_signed`,
    `signature_invalid`. UnavailableError: `token_missing`, `module_missing`, `module_crashed`,
    `module_timeout`, `module_busy`.
    """

    def seals(self, token_label: str) -> list[Seal]:
        """All seals of the token, usable or not, without login."""
        ...

    def sign(
        self,
        pdf: bytes,
        *,
        token_label: str,
        seal: str,
        pin: str,
        reason: str,
        location: str = "",
        parties: int = 1,
    ) -> SignedPdf:
        """Seal a PDF with `seal` (serial, or label where only one can be meant), which `parties` (1 or 2) seal in turn.

        Signing anew starts from the unsigned PDF again; one that carries the signatures of all parties is refused.
        """
        ...

    def validate(self, pdf: bytes) -> Validation:
        """Judge the signatures of `pdf` now, without network; never raises for a bad file."""
        ...

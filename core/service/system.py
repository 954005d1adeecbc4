"""Everything a use case needs, built once per process by `core.bootstrap`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.domain.calendar import Calendar, day_of
from core.domain.catalogue import Catalogue
from core.domain.rights import Rights
from core.domain.warning_rules import Rule
from core.service.identity_ports import CertificateJudge, OneTimeCodes
from core.service.ports import Blobs, Database, Hasher, Processes
from core.service.sealing_ports import CertificateRenderer, Signer


@dataclass(frozen=True)
class Rules:
    """Limits that an operator may set. Times in seconds where not said otherwise."""

    session_seconds: int = 8 * 3600
    failures_before_lock: int = 5
    lock_seconds: int = 15 * 60
    challenge_seconds: int = 2 * 60
    ticket_seconds: int = 10 * 60  # between two steps of a sign-in or a binding
    invitation_seconds: int = 7 * 24 * 3600
    late_days: int = 5  # working days after which a document that waits for somebody is late

    @property
    def session(self) -> timedelta:
        """How long a session lasts."""
        return timedelta(seconds=self.session_seconds)


@dataclass(frozen=True)
class System:
    """The running core. `clock` gives aware UTC times."""

    database: Database
    processes: Processes
    catalogue: Catalogue
    clock: Callable[[], datetime]
    hasher: Hasher
    blobs: Blobs
    signer: Signer
    renderer: CertificateRenderer
    certificates: CertificateJudge
    codes: OneTimeCodes
    rights: Rights
    rules: Rules = Rules()
    warnings: tuple[Rule, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    public: Mapping[str, frozenset[str]] = field(default_factory=dict)  # kind → fields that notices show

    @property
    def today(self) -> date:
        """The day in Shanghai."""
        return day_of(self.clock())

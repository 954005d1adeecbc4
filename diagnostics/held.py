"""One certificate of which only serial and end are known, judged by the rules for certificates in a key."""

import time
from datetime import datetime

from diagnostics import catalogue
from diagnostics.desk import Desk
from diagnostics.inventory import CertificateData, Inventory, SlotData, TokenData
from diagnostics.probe import Context
from diagnostics.probes import PROBES
from diagnostics.result import Result
from diagnostics.runner import judge


class _Known(Inventory):
    """A key that holds this certificate and nothing else."""

    def __init__(self, certificate: CertificateData) -> None:
        super().__init__(())
        token = TokenData("", "", "", "", ["TOKEN_INITIALIZED"])
        self._readings = ()
        self._slot = SlotData(0, token, [certificate])

    def tokens(self, _limit_s: float) -> tuple[SlotData, ...]:
        return (self._slot,)


def held(region: str, serial: str, not_after: datetime, now: datetime) -> Result:
    """The verdict on its dates; NotFoundError for a region without checks. It had begun when it was bound."""
    loaded = catalogue.load(region)
    certificate = CertificateData(
        serial=serial, not_before=min(now, not_after).isoformat(), not_after=not_after.isoformat(), sha256="0",
        usage=["digital_signature"],
    )  # fmt: skip
    context = Context(
        region=loaded.region, words=loaded.words, now=now, given={}, offline=True, desk=Desk(),
        inventory=_Known(certificate), deadline=time.monotonic() + 1,
    )  # fmt: skip
    return judge(PROBES["cert_dates"], loaded.probes["cert_dates"], context).result

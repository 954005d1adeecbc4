"""What the server itself holds, judged by the doctor's rules: nothing is asked of a machine, so no thread waits for it."""

import time
from dataclasses import replace
from datetime import datetime

from diagnostics import catalogue
from diagnostics.desk import Desk
from diagnostics.inventory import CertificateData, Inventory, SlotData, TokenData
from diagnostics.probe import Context
from diagnostics.probes import PROBES
from diagnostics.result import Report, Result
from diagnostics.runner import judge

_DESK = Desk()  # named once: finding its browsers costs more than the rest, and none is asked here


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
        region=loaded.region, words=loaded.words, now=now, given={}, offline=True, desk=_DESK,
        inventory=_Known(certificate), deadline=time.monotonic() + 1,
    )  # fmt: skip
    return judge(PROBES["cert_dates"], loaded.probes["cert_dates"], context).result


def lasting(region: str, expires_at: datetime, now: datetime) -> Report:
    """How long a session lasts where the clock is right, as a run of `token`; NotFoundError for a region without checks."""
    loaded = catalogue.load(region)
    context = Context(
        region=loaded.region, words=loaded.words, now=now, offline=True, desk=_DESK,
        given={"token_expires_at": expires_at, "reference_time": now}, inventory=Inventory(()),
        deadline=time.monotonic() + 1,
    )  # fmt: skip
    clock = judge(PROBES["clock"], loaded.probes["clock"], context)
    token = judge(PROBES["token"], loaded.probes["token"], replace(context, parents={"clock": clock.rows}))
    results = clock.result, token.result
    root = next((result for result in results if result.status == "fail"), None)
    return Report(region, loaded.region.name, now, 0, ("token",), results, root)

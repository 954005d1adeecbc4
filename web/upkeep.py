"""What the worker does once in a while: panels whose review day has come, the day's checkpoint of the audit, old sessions."""

import logging
import threading
from datetime import timedelta

from core.adapters.checkpoint_files import DailyShelf, FileKey
from core.domain.errors import DomainError
from core.service import checkpoints, review_day
from core.service.system import System
from core.settings import Settings

log = logging.getLogger(__name__)

ROUND_SECONDS = 15 * 60.0
# Who comes back with an expired session is told so, and that the form is kept (nm-13); a day later it is just no session.
_KEPT = timedelta(days=1)


def upkeep(system: System, settings: Settings) -> None:
    """Everything that is due now. Repeating it, or two workers at once, changes nothing."""
    with system.database.write() as tx:
        gone = tx.accounts.forget_sessions(system.clock() - _KEPT)
    if gone:
        log.info("expired sessions deleted count=%s", gone)
    if settled := review_day.settle_due(system):
        log.info("expert panels closed on their review day count=%s", settled)
    if checkpoints.daily(system, FileKey(settings.var), DailyShelf(settings.var)):
        log.info("audit checkpoint kept")


def upkeep_until(stop: threading.Event, system: System, settings: Settings) -> None:
    """Look after things until `stop`; a failed round is logged and the next one comes."""
    while not stop.is_set():
        try:
            upkeep(system, settings)
        except DomainError as error:
            log.error("upkeep failed code=%s %s", error.code, error.message)  # noqa: TRY400 - the sentence says it all
        except Exception:
            log.exception("upkeep failed")
        stop.wait(ROUND_SECONDS)

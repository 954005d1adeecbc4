"""Documents that other systems make and move here: lots and awards of a trading centre, its experts' answers, intranet plans.

What may be done with them is the process's to say, as for every account: these come in the name of the platform's.
"""

from core.domain.accounts import Account
from core.domain.errors import NotFoundError
from core.service import acts, entering, situations
from core.service.exchange_messages import Entered, Moved
from core.service.exchange_ports import SYSTEMS
from core.service.ports import Transaction
from core.service.system import System

_KINDS = {"trade": {"lot", "expert_request", "award"}, "finance": {"intranet_push"}}


def region_of(tx: Transaction, source: str, given: Entered | Moved) -> str:
    """Whose platform it concerns; NotFoundError for documents that are not the sender's to touch."""
    if isinstance(given, Moved):
        document = situations.find(tx, None, given.number)
        kind, region = document.kind, document.region
    else:
        kind = given.kind
        region = situations.find(tx, None, given.under).region if given.under else given.region
    if kind not in _KINDS[source]:
        raise NotFoundError(f"{SYSTEMS[source]}没有这种单据", fields={"kind": "没有找到"})
    return region


def enter(system: System, tx: Transaction, platform: Account, given: Entered, *, key: str) -> str:
    """Enter it and send it on, or nothing; errors as of `entering.create` and of the act. What to tell the sender."""
    process = system.processes.current(platform.region, given.kind, given.variant)
    made = entering.create_in(system, tx, platform, process, given.form, parent=given.under)
    return acts.perform_in(
        system, tx, platform, made.number, given.act, version=made.version, arguments={}, key=key
    ).said  # fmt: skip


def move(system: System, tx: Transaction, platform: Account, given: Moved, *, key: str) -> str:
    """Act on it as it stands now; errors as of the act. What to tell the sender."""
    document = situations.find(tx, None, given.number)
    return acts.perform_in(
        system, tx, platform, document.number, given.act, version=document.version, arguments=given.arguments, key=key
    ).said  # fmt: skip

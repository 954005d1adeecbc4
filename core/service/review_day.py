"""Panels of experts whose review day has come: the list is closed, and pushed where the region says so (xc-expert)."""

from collections.abc import Iterator

from core.domain.accounts import Account, Role
from core.domain.documents import Document
from core.domain.errors import DomainError
from core.service import acts, overview
from core.service.system import System

KIND, ACT = "expert_request", "settle"
_MOST = 200  # newest requests of a region that are looked at in a round


def settle_due(system: System) -> int:
    """How many were closed now. A panel that is not complete waits; repeating it, or two workers at once, changes nothing."""
    done = 0
    for platform, request in list(_due(system)):
        try:
            acts.perform(
                system, platform, request.number, ACT, version=request.version, arguments={},
                key=f"review-day-{request.id}-{request.version}",
            )  # fmt: skip
        except DomainError:
            continue  # the region's own condition, or somebody who has just moved it
        done += 1
    return done


def _due(system: System) -> Iterator[tuple[Account, Document]]:
    today = system.today.isoformat()
    with system.database.read() as tx:
        for region, _ in overview.regions(system):
            units = tx.accounts.units_with(region, Role.INTEGRATION)
            platform = next(iter(tx.accounts.of(units[0].id, Role.INTEGRATION)), None) if units else None
            for found in tx.documents.newest(platform, kind=KIND, limit=_MOST) if platform else ():
                action = system.processes.version(found.process_version, tx).actions.get(ACT)
                ready = action and found.node in action.routes and "complete" in found.flags
                if platform and ready and str(found.form.get("review_on", "9")) <= today:
                    yield platform, found

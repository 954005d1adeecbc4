"""Panels of experts whose review day has come: the list is closed, and pushed where the region says so (xc-expert)."""

import logging
from collections.abc import Iterator

from core.domain.documents import Document
from core.domain.errors import ConflictError, DomainError
from core.service import acts, documents
from core.service.system import System

log = logging.getLogger(__name__)

KIND, ACT = "expert_request", "settle"


def settle_due(system: System) -> int:
    """How many were closed now. A panel that is not complete waits; repeating it, or two workers at once, changes nothing."""
    done = 0
    for request in _due(system):
        try:
            _settle(system, request)
        except ConflictError:
            continue  # somebody has just moved it
        except DomainError as error:  # the region wants more; the others do not wait for it
            log.warning("panel not closed number=%s code=%s %s", request.number, error.code, error.message)
        else:
            done += 1
    return done


def _settle(system: System, request: Document) -> None:
    with system.database.write() as tx:
        acts.perform_in(
            system, tx, tx.accounts.system(request.region), request.number, ACT,
            version=request.version, arguments={}, key=f"review-day-{request.id}-{request.version}",
        )  # fmt: skip


def _due(system: System) -> Iterator[Document]:
    with system.database.read() as tx:
        used = [system.processes.version(version, tx) for version in tx.documents.versions()]
    for process in used:
        if process.kind == KIND and (action := process.actions.get(ACT)):
            waiting = documents.standing_at(system, process, tuple(action.routes))
            yield from (request for request in waiting if _is_due(system, request))


def _is_due(system: System, request: Document) -> bool:
    day = request.form.get("review_on")
    return "complete" in request.flags and bool(day) and str(day) <= system.today.isoformat()

"""Who may do what beside the processes: one matrix of roles and capabilities, read from data.

What may be done to documents follows from the process data and stands nowhere else; `process_rights` lists it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.domain.accounts import Relation, Role
from core.domain.process import Process


class Capability(StrEnum):
    """What the matrix has a row for; each is required by the use case it is named after."""

    SEE_TICKETS = "see_tickets"
    ANSWER_TICKETS = "answer_tickets"
    TAKE_OVER_CONVERSATIONS = "take_over_conversations"
    EDIT_KNOWLEDGE = "edit_knowledge"
    PUBLISH_KNOWLEDGE = "publish_knowledge"
    RUN_SERVER_DIAGNOSTICS = "run_server_diagnostics"
    MANAGE_OUTBOX = "manage_outbox"
    IMPORT_BUDGETS = "import_budgets"
    MANAGE_STAFF = "manage_staff"
    MANAGE_ACCOUNTS = "manage_accounts"
    USE_SECOND_FACTOR = "use_second_factor"


@dataclass(frozen=True)
class Right:
    """One row of the matrix."""

    label: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class Rights:
    """The matrix."""

    rows: Mapping[Capability, Right]

    def allows(self, role: Role, capability: Capability) -> bool:
        """One cell."""
        return role in self.rows[capability].roles

    def of(self, role: Role) -> tuple[Capability, ...]:
        """All that a role may, in the order of the data."""
        return tuple(capability for capability, row in self.rows.items() if role in row.roles)


@dataclass(frozen=True)
class ProcessRight:
    """Who may take which act at a node of a process."""

    region: str
    kind: str
    variant: str
    node: str
    action: str
    role: Role
    of: Relation


def process_rights(processes: Iterable[Process]) -> Iterator[ProcessRight]:
    """All that follows from the process data, in its order."""
    for process in processes:
        for node in process.nodes:
            for action in process.actions_from[node]:
                for actor in process.actors(action, node):
                    yield ProcessRight(
                        process.region, process.kind, process.variant, node, action.id, actor.role, actor.of
                    )

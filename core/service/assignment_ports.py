"""What deciding together needs of the outside; `core.adapters.assignment_store` implements it."""

from typing import Protocol

from core.domain.approval import Assignment, State


class Assignments(Protocol):
    """What was handed over, asked, added or voted while a document stays at a node."""

    def live(self, document_id: int) -> list[Assignment]: ...
    def add(self, item: Assignment) -> None: ...
    def set_state(self, assignment_id: int, state: State, *, agrees: bool | None = None) -> None: ...
    def end_stay(self, document_id: int) -> None: ...

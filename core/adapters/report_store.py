"""Reading across units in SQL, for reports and supervision."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, false, select

from core.adapters.document_store import document_of
from core.adapters.tables import document, unit
from core.domain.accounts import Account, Relation, Unit
from core.domain.documents import Document

_LOOKED_AFTER_BY: Mapping[Relation | None, Any] = {
    Relation.UNIT: unit.c.id,
    Relation.PARENT: unit.c.parent_id,
    Relation.OFFICE: unit.c.office_id,
    Relation.PROCUREMENT: unit.c.procurement_id,
}


class ReportStore:
    """Implements `core.service.report_ports.Reports`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def scope(self, viewer: Account) -> list[Unit]:
        """Buyers that the viewer answers for: its own unit, or those it supervises; nobody for others."""
        statement = select(unit).where(unit.c.region == viewer.region, _looked_after(viewer))
        return [
            _unit(row) for row in self._connection.execute(statement.order_by(unit.c.division, unit.c.code))
        ]

    def documents(
        self, unit_ids: Collection[int], kinds: Collection[str], *, limit: int | None = None
    ) -> list[Document]:
        """Documents of these units and kinds, newest first."""
        statement = (
            select(document)
            .where(document.c.unit_id.in_(list(unit_ids)), document.c.kind.in_(list(kinds)))
            .order_by(document.c.id.desc())
            .limit(limit)
        )
        return [document_of(row) for row in self._connection.execute(statement)]

    def topmost(self, region: str, kinds: Collection[str]) -> list[Document]:
        """Documents of a region and these kinds that hang on no other, oldest first."""
        statement = (
            select(document)
            .where(document.c.region == region, document.c.parent_id.is_(None))
            .where(document.c.kind.in_(list(kinds)))
            .order_by(document.c.id)
        )
        return [document_of(row) for row in self._connection.execute(statement)]


def _looked_after(viewer: Account) -> ColumnElement[bool]:
    column = _LOOKED_AFTER_BY.get(viewer.looks_after)
    found: ColumnElement[bool] = false() if column is None else column == viewer.unit.id
    return found


def _unit(row: Row[Any]) -> Unit:
    return Unit(
        row.id, row.region, row.division, row.code, row.name, row.parent_id, row.office_id, row.procurement_id,
        row.token_label,
    )  # fmt: skip

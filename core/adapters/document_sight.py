"""Which documents somebody may see, finds or has to act on, as conditions of SQL."""

import re
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from core.adapters.tables import document, party, task
from core.adapters.term_tables import document_copy
from core.domain.accounts import Account, Role

_WHOLE_NUMBER = re.compile(r"[A-Za-z]+-\d{6}-\d{4}-\d{6}")
MOST_COUNTED = 1000  # beyond it nobody wants to know exactly


def visible_to_unit(unit_id: Any) -> ColumnElement[bool]:
    """Own unit's documents, and those the unit has had to do with."""
    shared = exists().where(party.c.document_id == document.c.id, party.c.unit_id == unit_id)
    return or_(document.c.unit_id == unit_id, shared)


_HELD = document_copy.alias()  # a list of copies has the table already


def copied_to(account_id: Any) -> ColumnElement[bool]:
    """Given to this account to read."""
    return exists().where(_HELD.c.document_id == document.c.id, _HELD.c.account_id == account_id)


def whole_number(words: str) -> bool:
    """Whether these words are all of a document's number."""
    return _WHOLE_NUMBER.fullmatch(words) is not None


def spelled(words: str) -> ColumnElement[bool]:
    """Each of these words is in the number or in the title, read letter by letter."""
    columns = (document.c.number, document.c.title)
    return and_(
        *(or_(*(column.contains(word, autoescape=True) for column in columns)) for word in _each(words))
    )


def _each(words: str) -> list[str]:
    return words.split() or [words]


def called(connection: Connection, words: str) -> list[ColumnElement[bool]]:
    """Number or title has each of these words. PostgreSQL first takes what has all their pairs of characters by an index."""
    if whole_number(words):
        return [document.c.number == words.upper()]
    has = [spelled(words)]
    if connection.dialect.name == "postgresql":
        pairs = func.caigou_pairs(
            literal_column("document.number || ' ' || document.title"), type_=ARRAY(Text)
        )
        has += [
            pairs.contains(func.caigou_pairs(word, type_=ARRAY(Text)))
            for word in _each(words)
            if len(word) > 1
        ]
    return has


def visible_to(viewer: Account) -> ColumnElement[bool]:
    """What an account may see; the platform itself sees its region."""
    if viewer.role is Role.INTEGRATION:
        return document.c.region == viewer.region
    return or_(visible_to_unit(viewer.unit.id), copied_to(viewer.desk_id))


def newest(viewer: Account, statement: Select[Any], limit: int) -> Select[Any]:
    """The newest documents that `statement` finds and the viewer may see; without its columns and order.

    Each reason to see a document is asked for alone, which an index answers newest first. One reason or another in one
    condition would read through all documents there are.
    """
    if viewer.role is Role.INTEGRATION:
        return newest_of(statement, limit, region=viewer.region)
    return newest_of(statement, limit, unit=viewer.unit.id, desk=viewer.desk_id)


def newest_of(
    statement: Select[Any], limit: Any, *, region: Any = None, unit: Any = None, desk: Any = None
) -> Select[Any]:
    """As `newest`, of a region or else of a unit and a desk, each a value or a `bindparam`."""
    ids = statement.with_only_columns(document.c.id).order_by(document.c.id.desc()).limit(limit)
    if region is not None:
        ways = [ids.where(document.c.region == region)]
    else:
        ours = (party.c.document_id == document.c.id) & (party.c.unit_id == unit)
        held = (_HELD.c.document_id == document.c.id) & (_HELD.c.account_id == desk)
        ways = [ids.where(document.c.unit_id == unit), ids.join(party, ours), ids.join(_HELD, held)]
    found = union(*(select(way.subquery().c.id) for way in ways))
    return select(document).where(document.c.id.in_(found)).order_by(document.c.id.desc()).limit(limit)


def turn_of(unit_id: Any, role: Any, account_id: Any) -> ColumnElement[bool]:
    """Tasks of this person: its own, and those of whoever has its role in its unit."""
    return or_(
        (task.c.account_id == 0) & (task.c.unit_id == unit_id) & (task.c.role == role),
        (task.c.account_id == account_id) & (task.c.account_id != 0),
    )

"""A list in a spreadsheet, dropped into the conversation: every bad cell is named, nothing is brought in (nm-12).

It is checked against the document that is spoken of, where that can be changed; else against each list that the account
may enter, and the one it fits best is told.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from assistant import store
from assistant.cards import FactsCard, Reply, Row
from assistant.replies import say
from core.domain.accounts import Account
from core.domain.cells import importable
from core.domain.errors import DomainError, InvalidError
from core.domain.forms import FieldType
from core.service import filling, list_import
from core.service.filling import Entry, Filling
from core.service.list_import import Fill, Report
from core.service.list_ports import Spreadsheets
from core.service.system import System

_SHOWN = 20  # bad cells in a card; the page of the import has all of them


def told(
    system: System, account: Account, conversation: str | None, number: str, name: str, content: bytes,
    sheets: Spreadsheets, channel: str,
) -> tuple[str, tuple[Reply, ...]]:  # fmt: skip
    """What the file holds, said into the conversation (None: a new one), with its id. NotFoundError for somebody else's."""
    kept, owner, now = store.of(system), store.Owner(account.id), system.clock()
    loaded = kept.own(conversation, owner) if conversation else None
    known = conversation or kept.begin(owner, account.region, channel, now)
    about = number or (loaded.state.number if loaded else "")
    replies = (checked(system, account, about, name, content, sheets),)
    kept.tell(known, say("sheet_sent", name=name), now, role="user")
    kept.tell(known, replies[0].text, now, role="assistant", replies=replies)
    return known, replies


def checked(
    system: System, account: Account, number: str, name: str, content: bytes, sheets: Spreadsheets
) -> Reply:
    """What the file would bring in, or what keeps it out."""
    lists = list(_lists(system, account, number))
    if not lists:
        return Reply(say("sheet_nowhere", name=name))
    try:
        book = list_import.opened(content, sheets)
    except InvalidError as error:
        return Reply(say("sheet_unread", name=name, why=error.message))
    found = [(list_import.held(system, fill, table, book), shown) for shown, fill, table in lists]
    # A changed heading is told of in the first row: such a list is another one.
    report, shown = min(
        found, key=lambda one: (any(cell.row == 1 for cell in one[0].wrong), len(one[0].wrong))
    )
    return _said(name, report, shown)


def _said(name: str, report: Report, shown: Filling) -> Reply:
    table = next(item.label for item in shown.process.form.fields if item.id == report.table)
    of = f"{shown.number}的{table}" if shown.number else f"{shown.process.variant_label}的{table}"
    left = say("sheet_left", sheet=report.sheet, left="”“".join(report.left)) if report.left else ""
    page = f"/documents/{shown.number}/import/{report.table}" if shown.number else ""
    if not report.wrong:
        rows = (Row(say("sheet_next"), say("sheet_import" if page else "sheet_first")),)
        return Reply(
            say("sheet_good", name=name, of=of, lines=report.lines) + left, FactsCard(of, rows, page=page)
        )
    cells = tuple(
        Row(say("sheet_cell", row=cell.row, column=cell.column, label=cell.label or "整行"), cell.why)
        for cell in report.wrong[:_SHOWN]
    )
    return Reply(
        say("sheet_bad", name=name, of=of, count=len(report.wrong)) + left, FactsCard(of, cells, page=page)
    )


def _lists(system: System, account: Account, number: str) -> Iterator[tuple[Filling, Fill, str]]:
    """Each form with a table that can be imported, how it judges other values, and the table."""
    named = list(_named(system, account, number)) if number else []
    for shown, fill in named or _blank(system, account):
        for item in shown.process.form.fields:
            if item.type is FieldType.TABLE and any(map(importable, item.fields)):
                yield shown, fill, item.id


def _named(system: System, account: Account, number: str) -> Iterator[tuple[Filling, Fill]]:
    fill = partial(filling.existing, system, account, number)
    try:
        shown = fill()
    except DomainError:
        return  # not theirs, or not to be changed now
    yield shown, fill


def _blank(system: System, account: Account) -> Iterator[tuple[Filling, Fill]]:
    for entry in filling.entries(system, account):
        if entry.alone:
            fill = partial(_new, system, account, entry)
            yield fill(None), fill


def _new(system: System, account: Account, entry: Entry, values: Mapping[str, Any] | None) -> Filling:
    return filling.new(system, account, entry.kind, entry.variant, values=values)

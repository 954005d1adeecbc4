"""What a list import needs of spreadsheets: cells in, a template out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.cells import Cell

MAX_LINES = 10_000


@dataclass(frozen=True)
class Column:
    """One column of a template: its heading, what to write in it, and what may be chosen (empty: anything)."""

    heading: str
    note: str
    required: bool
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """An empty spreadsheet for one table of a form."""

    title: str
    columns: tuple[Column, ...]


class Spreadsheets(Protocol):
    """Reads and writes XLSX; InvalidError(code `bad_spreadsheet`) says what is wrong with a file."""

    def read(self, content: bytes) -> Sequence[Sequence[Cell]]:
        """Rows of one sheet, the heading first; at most `MAX_LINES` lines below it."""
        ...

    def left(self, content: bytes) -> tuple[str, Sequence[str]]:
        """Names of the sheet that `read` reads, and of those with something in them that it leaves out."""
        ...

    def write(self, template: Template) -> bytes:
        """The template as a file."""
        ...

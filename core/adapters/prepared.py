"""Statements that every act and every turn of a conversation runs: compiled once, then given to the driver as they are.

SQLAlchemy builds and names them, converts their values and keeps the transaction; only its way from `execute` to the
driver is left out, which costs several times what the statement does on SQLite. Whoever listens to an engine's
statements (a trace, the tests that kill a process between two of them) still sees each one.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Dialect, Select, TextClause, TextualSelect
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.sql.dml import UpdateBase

_Convert = Callable[[Any], Any]
_Statement = Select[Any] | UpdateBase | TextClause | TextualSelect
_NOTHING: Mapping[str, Any] = {}


class _Compiled:
    """A statement as one kind of database wants it."""

    def __init__(self, statement: _Statement, columns: tuple[str, ...], dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns or None)
        self.text = str(compiled)
        self.fixed: dict[str, Any] = {
            name: value
            for name, value in compiled.construct_params(_check=False).items()
            if not compiled.binds[name].required
        }
        self.order: list[str] | None = compiled.positiontup
        made = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bind in compiled.binds.items()
        }
        self.given: list[tuple[str, _Convert]] = [
            (name, convert) for name, convert in made.items() if convert
        ]
        self.fixed |= {name: convert(self.fixed[name]) for name, convert in self.given if name in self.fixed}
        shown = list(statement.selected_columns) if isinstance(statement, Select | TextualSelect) else []
        self.row: Any = namedtuple("Row", [column.name for column in shown]) if shown else None  # noqa: PYI024
        kinds = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in shown)
        self.back: list[tuple[int, _Convert]] = [(place, kind) for place, kind in enumerate(kinds) if kind]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        full = {**self.fixed, **values}
        for name, convert in self.given:
            if name in values:
                full[name] = convert(values[name])
        return full if self.order is None else [full[name] for name in self.order]

    def rows(self, cursor: Any) -> list[Any]:
        """What came back, by column name, as Python values."""
        make = self.row._make
        if not self.back:
            return [make(found) for found in cursor.fetchall()]
        result = []
        for found in cursor.fetchall():
            row = list(found)
            for place, convert in self.back:
                row[place] = convert(row[place])
            result.append(make(row))
        return result


class Prepared:
    """One statement with `bindparam`s; a text says with `columns()` what rows it gives.

    `columns` are those an INSERT is given, where that is not all of them.
    """

    def __init__(self, statement: _Statement, *columns: str) -> None:
        """Keep the statement; it is compiled at its first use."""
        self.statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> list[Any]:
        """All rows of a SELECT."""
        if connection.engine.dispatch.before_cursor_execute:
            return list(connection.execute(self.statement, dict(values)))
        compiled = self._for(connection.dialect)
        return compiled.rows(_run(connection, compiled, values))

    def first(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> Any | None:
        """The first row of a SELECT, None where there is none."""
        found = self.rows(connection, values)
        return found[0] if found else None

    def one(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> Any:
        """The only row of a SELECT; NoResultFound where there is none."""
        found = self.first(connection, values)
        if found is None:
            raise NoResultFound
        return found

    def change(self, connection: Connection, values: Mapping[str, Any] = _NOTHING) -> int:
        """Run an INSERT, UPDATE or DELETE; how many rows the latter two met."""
        if connection.engine.dispatch.before_cursor_execute:
            return int(connection.execute(self.statement, dict(values)).rowcount)
        return int(_run(connection, self._for(connection.dialect), values).rowcount)

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _Compiled(self.statement, self._columns, dialect)
        return found


def _run(connection: Connection, compiled: _Compiled, values: Mapping[str, Any]) -> Any:
    """The driver's cursor after the statement; its errors come as SQLAlchemy's, as from any other statement."""
    if not connection.in_transaction():
        connection.begin()
    driver: Any = connection.connection.dbapi_connection
    parameters = compiled.parameters(values)
    try:
        return driver.execute(compiled.text, parameters)
    except connection.dialect.loaded_dbapi.Error as error:
        base = connection.dialect.loaded_dbapi.Error
        lost = connection.dialect.is_disconnect(error, driver, None)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            compiled.text, parameters, error, base, connection_invalidated=lost, dialect=connection.dialect
        ) from error

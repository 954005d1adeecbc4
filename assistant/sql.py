"""Reading and writing the assistant's tables on one engine."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from core.domain.errors import UnavailableError
from core.service.system import System


class Sql:
    """Transactions; UnavailableError where the database is busy for too long."""

    def __init__(self, system: System) -> None:
        """Beside the core's own tables; nothing is opened yet."""
        self._engine = engine_of(system)
        self._database = system.database

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Where the turn looks at everything at one moment, at that one."""
        with self._database.read() as tx:
            connection: Connection = tx.connection  # type: ignore[attr-defined]  # as `engine_of`
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _translated(), self._engine.begin() as connection:
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise UnavailableError("数据库暂时忙，请稍后再试", code="database_busy") from error


def engine_of(system: System) -> Engine:
    """The engine of the core's own tables, beside which the others lie."""
    engine: Engine = system.database.engine  # type: ignore[attr-defined]  # the port hides it; only SQL has one
    return engine

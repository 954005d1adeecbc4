"""Reading and writing the assistant's tables on one engine."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from core.adapters.database import reader_of
from core.domain.errors import UnavailableError
from core.service.system import System


class Sql:
    """Transactions; UnavailableError where the database is busy for too long."""

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; nothing is opened yet."""
        self._engine = engine
        self._reader = reader_of(engine)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(), self._reader.connect() as connection:
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

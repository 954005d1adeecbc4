"""Engines and units of work for SQLite and PostgreSQL."""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from core.adapters.account_store import AccountStore
from core.adapters.assignment_store import AssignmentStore
from core.adapters.attachment_store import AttachmentStore
from core.adapters.copy_store import CopyStore
from core.adapters.document_store import DocumentStore
from core.adapters.expert_store import ExpertStore
from core.adapters.identity_store import IdentityStore
from core.adapters.ledger_store import LedgerStore
from core.adapters.list_store import ListStore
from core.adapters.outbox_store import OutboxStore
from core.adapters.publication_store import PublicationStore
from core.adapters.record_store import RecordStore
from core.adapters.report_store import ReportStore
from core.adapters.staff_store import StaffStore
from core.adapters.term_store import TermStore
from core.domain.errors import UnavailableError


def make_engine(url: str) -> Engine:
    """Engine with what each database needs to be safe; creates the folder of a SQLite file."""
    if not url.startswith("sqlite"):
        return create_engine(
            url, pool_pre_ping=True, pool_size=10, max_overflow=20, json_serializer=_json_text
        )
    path = url.removeprefix("sqlite:///")
    if path and path != url:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, connect_args={"timeout": 30, "check_same_thread": False}, json_serializer=_json_text
    )
    event.listen(engine, "connect", _prepare_sqlite)
    # A check before a deferred write lock would be made on balances that another writer is about to change. Said here
    # and not in a "begin" event: one listener on the engine doubles what every statement costs.
    engine.dialect.do_begin = _begin_writing  # type: ignore[assignment, method-assign]
    return engine


def reader_of(engine: Engine) -> Engine:
    """The same connections for looking only: SQLite takes no write lock."""
    if engine.dialect.name != "sqlite":
        return engine
    kept = vars(engine)
    if "_caigou_reader" not in kept:  # one for each engine: statements are compiled for each dialect anew
        reader = engine.execution_options()
        reader.dialect = copy.copy(engine.dialect)
        reader.dialect.do_begin = _begin_reading  # type: ignore[assignment, method-assign]
        kept["_caigou_reader"] = reader
    found: Engine = kept["_caigou_reader"]
    return found


def _json_text(value: Any) -> str:
    """Chinese as it is, which is written and read in a third of the time that escapes take."""
    return to_json(value).decode()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see make_engine
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_writing(connection: Any) -> None:
    connection.execute("BEGIN IMMEDIATE")


def _begin_reading(connection: Any) -> None:
    connection.execute("BEGIN")


def _no_tables(error: OperationalError | ProgrammingError) -> bool:
    undefined_table = "42P01"
    return getattr(error.orig, "sqlstate", None) == undefined_table or "no such table" in str(error.orig)


@dataclass(frozen=True)
class SqlTransaction:
    """One unit of work over one connection."""

    connection: Connection
    accounts: AccountStore
    documents: DocumentStore
    ledger: LedgerStore
    records: RecordStore
    outbox: OutboxStore
    identities: IdentityStore
    staff: StaffStore
    attachments: AttachmentStore
    lists: ListStore
    experts: ExpertStore
    reports: ReportStore
    publications: PublicationStore
    assignments: AssignmentStore
    terms: TermStore
    copies: CopyStore

    @classmethod
    def over(cls, connection: Connection) -> "SqlTransaction":
        """All stores on one connection."""
        return cls(
            connection,
            AccountStore(connection),
            DocumentStore(connection),
            LedgerStore(connection),
            RecordStore(connection),
            OutboxStore(connection),
            IdentityStore(connection),
            StaffStore(connection),
            AttachmentStore(connection),
            ListStore(connection),
            ExpertStore(connection),
            ReportStore(connection),
            PublicationStore(connection),
            AssignmentStore(connection),
            TermStore(connection),
            CopyStore(connection),
        )


class _Look(threading.local):
    """What one thread reads together: whether it wants to, over which transaction, how many are reading."""

    wanted = False
    transaction: SqlTransaction | None = None
    readers = 0


class SqlDatabase:
    """Opens units of work on one engine."""

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; nothing is opened yet."""
        self.engine = engine
        # One snapshot for all that is read together: without it an audit would see rows newer than their head.
        sqlite = engine.dialect.name == "sqlite"
        self._reader = (
            reader_of(engine) if sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self._look = _Look()

    @contextmanager
    def look(self) -> Iterator[None]:
        """What this thread reads within is of one moment, over one connection, until it writes: then as without."""
        outermost = not self._look.wanted and self._look.transaction is None
        self._look.wanted = self._look.wanted or outermost
        try:
            yield
        finally:
            if outermost:
                self._end_look()

    def _end_look(self) -> None:
        self._look.wanted = False
        if self._look.transaction is not None and not self._look.readers:
            self._look.transaction.connection.close()
            self._look.transaction = None

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """Consistent reading; nothing is kept."""
        with self._translated():
            if self._look.wanted:
                with self._together() as transaction:
                    yield transaction
            else:
                with self._reader.connect() as connection:
                    yield SqlTransaction.over(connection)

    @contextmanager
    def _together(self) -> Iterator[SqlTransaction]:
        look = self._look
        if look.transaction is None:
            look.transaction = SqlTransaction.over(self._reader.connect())
        look.readers += 1
        try:
            yield look.transaction
        except SQLAlchemyError:
            look.wanted = False  # PostgreSQL answers nothing more in a transaction that failed
            raise
        finally:
            look.readers -= 1
            if not look.wanted:
                self._end_look()

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """Commit on clean exit, else roll back."""
        self._end_look()  # what is read from now on has to see what is written
        with self._translated(), self.engine.begin() as connection:
            transaction = SqlTransaction.over(connection)
            yield transaction
            transaction.publications.number()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, ProgrammingError) as error:
            if _no_tables(error):
                raise UnavailableError(
                    "数据库还没有建好，请先运行 python -m core migrate", code="not_migrated"
                ) from error
            if isinstance(error, ProgrammingError):
                raise
            raise UnavailableError(
                "数据库暂时忙，请稍后再试，刚才的操作没有生效", code="database_busy"
            ) from error

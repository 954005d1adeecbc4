"""What the other systems know: messages received once, plans, orders. SQLite, in a file or in memory."""

import hashlib
import json
import sqlite3
import threading
from dataclasses import dataclass
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    system TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, topic TEXT NOT NULL, deliveries INTEGER NOT NULL,
    seq INTEGER NOT NULL, PRIMARY KEY (system, key));
CREATE TABLE IF NOT EXISTS plan (
    system TEXT NOT NULL, number TEXT NOT NULL, title TEXT NOT NULL, amount_fen INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (system, number));
CREATE TABLE IF NOT EXISTS purchase (
    number TEXT PRIMARY KEY, plan TEXT NOT NULL, state TEXT NOT NULL);
"""


class KeyReusedError(Exception):
    """The key was used for another message."""


@dataclass(frozen=True)
class Plan:
    """A plan as the other system keeps it; `state` is received or withdrawn."""

    number: str
    title: str
    amount_fen: int
    state: str


@dataclass(frozen=True)
class Received:
    """A message and how often it came."""

    key: str
    topic: str
    deliveries: int


class Store:
    """One connection for all threads, one at a time."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def take(self, system: str, key: str, topic: str, body: dict[str, Any]) -> bool:
        """Act on a message once; whether it had come before. KeyReusedError when it was another one."""
        digest = hashlib.sha256(json.dumps([topic, body], sort_keys=True).encode()).hexdigest()
        with self._lock, self._db:  # commits, or rolls back on an exception
            self._db.execute("BEGIN IMMEDIATE")
            known = self._one("SELECT digest FROM message WHERE system = ? AND key = ?", system, key)
            if known is not None and known[0] != digest:
                raise KeyReusedError(key)
            self._db.execute(
                "INSERT INTO message SELECT ?, ?, ?, ?, 1, 1 + count(*) FROM message WHERE true "
                "ON CONFLICT (system, key) DO UPDATE SET deliveries = deliveries + 1",
                (system, key, digest, topic),
            )
            if known is None:
                self._apply(system, topic.rpartition(".")[2], body)
        return known is not None

    def _apply(self, system: str, verb: str, body: dict[str, Any]) -> None:
        if verb == "withdraw":  # of a plan that never came: nothing to do, and no fault
            self._db.execute(
                "UPDATE plan SET state = 'withdrawn' WHERE system = ? AND number = ?",
                (system, body["number"]),
            )
            return
        self._db.execute(
            "INSERT INTO plan VALUES (?, ?, ?, ?, 'received') ON CONFLICT (system, number) DO UPDATE SET "
            "title = excluded.title, amount_fen = excluded.amount_fen, state = excluded.state",
            (system, body["number"], body["title"], body["amount_fen"]),
        )

    def plans(self, system: str) -> list[Plan]:
        """All plans by number."""
        rows = self._all(
            "SELECT number, title, amount_fen, state FROM plan WHERE system = ? ORDER BY 1", system
        )
        return [Plan(*row) for row in rows]

    def messages(self, system: str) -> list[Received]:
        """All messages in the order of their first arrival."""
        rows = self._all("SELECT key, topic, deliveries FROM message WHERE system = ? ORDER BY seq", system)
        return [Received(*row) for row in rows]

    def place(self, number: str, plan: str) -> bool:
        """Keep an order; False when its plan is not here."""
        known = self._all(
            "SELECT 1 FROM plan WHERE system = 'mall' AND number = ? AND state = 'received'", plan
        )
        if known:
            with self._lock:
                self._db.execute("INSERT OR IGNORE INTO purchase VALUES (?, ?, 'placed')", (number, plan))
        return bool(known)

    def set_order(self, number: str, state: str) -> None:
        """What became of an order."""
        with self._lock:
            self._db.execute("UPDATE purchase SET state = ? WHERE number = ?", (state, number))

    def orders(self) -> list[tuple[str, str, str]]:
        """(number, plan, state) of all orders by number."""
        return self._all("SELECT number, plan, state FROM purchase ORDER BY 1")

    def _one(self, query: str, *values: object) -> Any:
        return self._db.execute(query, values).fetchone()

    def _all(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

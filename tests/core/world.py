"""The demonstration world in tests: people by what they do, and documents taken where a test needs them."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.adapters import tables
from core.adapters.database import SqlTransaction
from core.domain import graph
from core.domain.accounts import Account, Relation, Role
from core.domain.documents import Document
from core.domain.process import Actor, Process
from core.service import acts, entering, ledger
from core.service.ports import Certificate, Indicator
from core.service.system import System
from core.service.views import ActResult
from tests.support.clock import Clock

SEALED = Certificate("0" * 64, "公章", "1A2B", datetime(2026, 1, 5, tzinfo=UTC))
LOGINS = {
    "handler": "15029910100101",
    "reviewer": "15029910100102",
    "library_handler": "15029910200101",
    "library_reviewer": "15029910200102",
    "supervising": "15029910100001",
    "office_first": "150299CZJK0101",
    "office_second": "150299CZJK0102",
    "procurement_first": "150299CZCG0101",
    "procurement_second": "150299CZCG0102",
    "agency": "150299AG000101",
    "supplier": "150299SP000101",
    "platform": "150299PT000100",
    "support": "150299PT000101",
    "admin": "150299PT000102",
}
# Written out, not asked of the core: who reviews a plan where.
REVIEWERS = {
    "unit_second": "reviewer",
    "supervising": "supervising",
    "office_first": "office_first",
    "office_second": "office_second",
    "procurement_first": "procurement_first",
    "procurement_second": "procurement_second",
}
ITEMS = {
    "mall": ("激光打印机", "A02021003"),
    "project": ("服务器", "A02010301"),
    "direct": ("培训服务", "C2309"),
}
NODES = {
    "mall": ("entry", "unit_first", *REVIEWERS, "completed", "filed", "dispatched", "cancel_review", "void"),
    "project": (
        "entry",
        "unit_first",
        *REVIEWERS,
        "completed",
        "filed",
        "dispatched",
        "cancel_review",
        "void",
    ),
    "direct": ("entry", "unit_first", *REVIEWERS, "completed", "filed", "cancel_review", "void"),
}
_keys = itertools.count()


def new_key() -> str:
    return f"test-{next(_keys)}"


@dataclass
class World:
    """A system over a database of its own, and the people in it."""

    system: System
    clock: Clock
    people: dict[str, Account]

    @classmethod
    def over(cls, system: System, clock: Clock) -> "World":
        with system.database.read() as tx:
            found = {name: tx.accounts.credentials(login) for name, login in LOGINS.items()}
        return cls(system, clock, {name: known.account for name, known in found.items() if known})

    def __getitem__(self, name: str) -> Account:
        return self.people[name]

    @property
    def engine(self) -> sa.Engine:
        return self.system.database.engine  # type: ignore[attr-defined,no-any-return]

    # -- documents

    def form(self, variant: str = "mall", **changes: Any) -> dict[str, Any]:
        """A form without mistakes: 2 × 1,000.00 yuan from the first indicator of the school."""
        name, code = ITEMS[variant]
        line = {"catalogue": code, "name": name, "quantity": 2, "unit": "台", "unit_price_fen": 100_000}
        form: dict[str, Any] = {
            "name": name,
            "lines": [line],
            "funding": [{"indicator": self.indicator().id, "amount_fen": 200_000}],
        }
        if variant == "mall":
            form["implementation"] = "网上竞价"
        if variant == "project":
            form["agency"] = "AG0001"
        return {**form, **changes}

    def plan(self, variant: str = "mall", node: str = "entry", **changes: Any) -> str:
        """Number of a new plan at `node`."""
        document = entering.create(
            self.system, self["handler"], "plan", variant, self.form(variant, **changes), key=new_key()
        )
        self.bring(document.number, node)
        return document.number

    def order(self, plan: str, node: str = "placed") -> str:
        line = {"catalogue": "A02021003", "name": "激光打印机", "quantity": 2, "unit_price_fen": 100_000}
        form = {"name": "激光打印机", "lines": [line], "supplier": "SP0001"}
        number = entering.create(
            self.system, self["handler"], "mall_order", "order", form, key=new_key(), parent=plan
        ).number
        if node in {"confirmed", "done"}:
            self.act("supplier", number, "confirm")
        if node == "done":
            self.act("supplier", number, "finish")
        return number

    def bring(self, number: str, node: str, sealed: Certificate = SEALED) -> None:
        """Take a plan from entry along the main way to `node`."""
        if node == "unit_first":
            self.bring(number, "unit_second")
            self.act("reviewer", number, "return", opinion="请核对数量")
            return
        if node in {"cancel_review", "void"}:
            self.bring(number, "completed")
            self.act("handler", number, "cancel", reason="录错了")
            if node == "void":
                self.act("reviewer", number, "cancel_pass")
            return
        while self.document(number).node != node:
            self.go_on(number, sealed)

    def go_on(self, number: str, sealed: Certificate = SEALED) -> None:
        """One station further on the main way."""
        here = self.document(number).node
        if here in REVIEWERS:
            self.act(REVIEWERS[here], number, "pass")
        elif here in {"entry", "unit_first"}:
            self.act("handler", number, "submit")
        elif here == "completed":
            self.seal(number, sealed)
            self.act("handler", number, "file")
        else:
            self.act("platform", number, "dispatch")

    def seal(self, number: str, sealed: Certificate = SEALED) -> ActResult:
        """As `sealing.sign` does once the token has signed."""
        return acts.perform(
            self.system, self["handler"], number, "sign", version=self.document(number).version, arguments={},
            key=new_key(), certificate=sealed,
        )  # fmt: skip

    def act(self, who: str | Account, number: str, action: str, **arguments: str) -> ActResult:
        account = self[who] if isinstance(who, str) else who
        version = self.document(number).version
        return acts.perform(
            self.system, account, number, action, version=version, arguments=arguments, key=new_key()
        )

    def document(self, number: str) -> Document:
        with self.system.database.read() as tx:
            found = tx.documents.by_number(number, None)
        assert found is not None
        return found

    def process(self, number: str) -> Process:
        with self.system.database.read() as tx:
            return self.system.processes.version(self.document(number).process_version, tx)

    def tasks(self, number: str) -> set[tuple[int, Role]]:
        with self.system.database.read() as tx:
            return {seat[:2] for _, seat in tx.documents.tasks([self.document(number).id])}

    # -- who

    def place(self, actor: Actor) -> tuple[int, Role]:
        """(unit id, role) of an actor of the school's documents, written out and not asked of the core."""
        unit = {
            Relation.UNIT: "handler",
            Relation.PARENT: "supervising",
            Relation.OFFICE: "office_first",
            Relation.PROCUREMENT: "procurement_first",
            Relation.AGENCY: "agency",
            Relation.SUPPLIER: "supplier",
            Relation.SYSTEM: "platform",
        }[actor.of]
        return self[unit].unit.id, actor.role

    def those(self, actors: tuple[Actor, ...]) -> list[Account]:
        """Accounts that are one of `actors` of a document of the school."""
        places = {self.place(actor) for actor in actors}
        return [account for account in self.people.values() if (account.unit.id, account.role) in places]

    # -- money and records

    def indicator(self, index: int = 0) -> Indicator:
        with self.system.database.read() as tx:
            return tx.ledger.indicators(self["handler"].unit.id)[index]

    def funds(self, number: str) -> tuple[int, int]:
        """(frozen, used) fen that a document keeps."""
        with self.system.database.read() as tx:
            holds = tx.ledger.holds(self.document(number).id)
        return sum(hold.frozen_fen for hold in holds), sum(hold.used_fen for hold in holds)

    def sound(self) -> None:
        """Balances equal movements and every audit chain verifies."""
        with self.system.database.read() as tx:
            assert tx.ledger.imbalances() == []
            assert tx.records.broken_audit() == []

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables, to see that nothing at all was changed."""
        with self.engine.connect() as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
                for table in tables.metadata.sorted_tables
            }


def perform_in(
    world: World, tx: SqlTransaction, who: Account, number: str, action: str, arguments: Mapping[str, str]
) -> ActResult:
    """An act inside a transaction that the test will roll back."""
    document = tx.documents.by_number(number, None)
    assert document is not None
    return acts.perform_in(
        world.system, tx, who, number, action, version=document.version, arguments=arguments, key=new_key(),
        certificate=SEALED if action == "sign" else None,
    )  # fmt: skip


def filled_in(
    process: Process, action: str, trail: tuple[str, ...], target: str | None = None
) -> dict[str, str]:
    """Arguments that an act wants."""
    wanted = process.actions[action]
    given = {name: "测试意见" for name in wanted.required if name not in {"target", "seal", "pin"}}
    if wanted.chosen:
        lawful = graph.return_targets(process, wanted, trail)
        given["target"] = target or (lawful[0] if lawful else "unit_first")
    return given


def money(world: World) -> tuple[int, int]:
    """Frozen and used fen of the indicator that plans draw on."""
    indicator = world.indicator()
    return indicator.frozen_fen, indicator.used_fen


def kinds(world: World, number: str) -> list[str]:
    """Kinds of the movements of one document, oldest first."""
    lines = ledger.statement(world.system, world["handler"], world.indicator().id)
    return [line.kind for line in lines if line.number == number]

"""The ledger in SQL against an auditor in plain Python, over any sequence of what happens to money.

Plans draw on budgets, contracts on a plan's own account, payments on a contract's: freeze, use, give back, replace, pay,
write off, carry over to the next year, budgets that are topped up and stated anew.
"""

import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import create_engine, delete, insert, update
from sqlalchemy.exc import IntegrityError

from core.adapters.database import SqlTransaction
from core.adapters.tables import account, document, hold, indicator, metadata, process_version, unit
from core.domain.errors import BlockedError
from core.domain.forms import Form
from core.domain.ledger import Movement, MovementKind
from core.domain.process import Funds, Node, NodeType, Process
from core.service import funding
from core.service.ports import BudgetChange

AT = datetime(2026, 6, 1, tzinfo=UTC)
BUDGETS = (1, 2)
TOTAL, YEAR = 100, 2026
PLANS, CONTRACTS, PAYMENTS = (1, 2), (3, 4), (5, 6)
ABOVE = {3: 1, 4: 1, 5: 3, 6: 3}
DOCUMENTS = (*PLANS, *CONTRACTS, *PAYMENTS)
NODES = {
    name: Node(name, name, NodeType.WORK, "", funds=funds, account=opens)
    for name, funds, opens in (
        ("draft", Funds.FREE, False), ("review", Funds.FROZEN, False), ("filed", Funds.USED, True),
        ("paid", Funds.USED, False), ("changing", Funds.KEEP, False), ("raised", Funds.RAISED, True),
        ("held", Funds.FROZEN, True), ("closed", Funds.SPENT, False), ("void", Funds.FREE, False),
    )
}  # fmt: skip
PROCESS = Process(
    "r", "plan", "v", "计划", "计划", "v", "draft", NODES, {}, {}, (), form=Form(funding="funding")
)
BELOW = replace(PROCESS, form=Form(funding="parent"))
DOCUMENT = {
    "region": "r", "kind": "plan", "variant": "mall", "process_version": "v", "title": "t", "unit_id": 1,
    "author_id": 1, "node": "n", "trail": [], "cut": [], "flags": [], "version": 1, "form": {}, "amount_fen": 0,
    "created_at": AT, "updated_at": AT,
}  # fmt: skip
Source = tuple[str, int]  # a budget by its id, or the account of a document


class Refused(Exception):  # noqa: N818 - what the auditor says
    """The rules forbid it."""


@dataclass
class Auditor:
    """Totals of budgets and accounts, and what every document keeps of each: (frozen, used) in fen."""

    totals: dict[Source, int] = field(default_factory=lambda: {("budget", one): TOTAL for one in BUDGETS})
    kept: dict[tuple[int, Source], tuple[int, int]] = field(default_factory=dict)

    def taken(self, source: Source) -> tuple[int, int]:
        rows = [kept for (_, owner), kept in self.kept.items() if owner == source]
        return sum(frozen for frozen, _ in rows), sum(used for _, used in rows)

    def move(self, number: int, node: Node, money: dict[int, int]) -> None:
        """Bring a document's money to where `node` wants it; Refused, half done, where that cannot be."""
        wants = self._wants(number, node, money)
        if node.account:
            self._take(number, wants)
        self._own(number, node, sum(money.values()))
        if not node.account:
            self._take(number, wants)

    def _wants(self, number: int, node: Node, money: dict[int, int]) -> dict[Source, tuple[int, int]]:
        now = {source: kept for (owner, source), kept in self.kept.items() if owner == number}
        pays = self._pays(number, money) if node.funds in {Funds.FROZEN, Funds.USED, Funds.RAISED} else {}
        if node.funds is Funds.KEEP:
            return {}
        spent = sum(self.taken(("account", number))[1:])
        after = {}
        for source in sorted(now.keys() | pays.keys()):
            used = now.get(source, (0, 0))[1]
            if node.funds is Funds.FROZEN and used:
                raise Refused
            if node.funds is Funds.SPENT:
                kept = min(used, spent)
                spent -= kept
                after[source] = (0, kept)
            elif node.funds is Funds.FREE:
                after[source] = (0, 0)
            elif node.funds is Funds.RAISED:
                after[source] = (max(pays.get(source, 0) - used, 0), used)
            else:
                due = pays.get(source, 0)
                after[source] = (due, 0) if node.funds is Funds.FROZEN else (0, due)
        return after

    def _pays(self, number: int, money: dict[int, int]) -> dict[Source, int]:
        if number in PLANS:
            return {("budget", one): amount for one, amount in money.items()}
        above = ABOVE.get(number)
        while above and ("account", above) not in self.totals:
            above = ABOVE.get(above)
        if not above:
            raise Refused
        return {("account", above): sum(money.values())} if money else {}

    def _take(self, number: int, wants: dict[Source, tuple[int, int]]) -> None:
        for source, kept in wants.items():
            self.kept[number, source] = kept
            if sum(self.taken(source)) > self.totals[source]:
                raise Refused

    def _own(self, number: int, node: Node, amount: int) -> None:
        own = ("account", number)
        if own not in self.totals and not node.account:
            return
        frozen, used = self.taken(own)
        wanted = amount if node.account else frozen + used
        if wanted < frozen + used or (node.funds in {Funds.FREE, Funds.SPENT} and frozen):
            raise Refused
        if node.funds is Funds.FREE and used:
            raise Refused
        self.totals[own] = wanted


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = create_engine("sqlite://")
        metadata.create_all(self.engine)
        self.connection = self.engine.connect()
        self.connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        self.tx = SqlTransaction.over(self.connection)
        self.ledger = self.tx.ledger
        self.auditor = Auditor()
        self.seq = 0
        run = self.connection.execute
        run(insert(unit).values(id=1, region="r", division="150299", code="1", name="u"))
        run(insert(account).values(id=1, login="a", name="n", role="handler", unit_id=1, password_hash="-"))
        run(insert(process_version).values(version="v", body="{}"))
        for number in DOCUMENTS:
            run(
                insert(document).values(
                    {**DOCUMENT, "id": number, "number": f"JH-{number}", "parent_id": ABOVE.get(number)}
                )
            )
        for number in BUDGETS:
            values = {
                "id": number,
                "unit_id": 1,
                "code": str(number),
                "name": "i",
                "year": YEAR,
                "total_fen": TOTAL,
            }
            self.ledger.add_budgets([values], "opening", AT)
        self.connection.commit()

    def teardown(self) -> None:
        self.connection.close()
        self.engine.dispose()

    def bring(self, number: int, node: str, money: dict[int, int]) -> None:
        """As an act does: all movements, or none. Other money at the same node is a replacement, or a write-off."""
        self.seq += 1
        before, refused = copy.deepcopy(self.auditor), False
        try:
            self.auditor.move(number, NODES[node], money)
        except Refused:
            self.auditor, refused = before, True
        rows = [{"indicator": one, "amount_fen": amount} for one, amount in money.items()]
        form = {"funding": rows, "account_year": YEAR + number % 2}
        known = self.tx.documents.by_id(number)
        now = replace(known, version=self.seq + 1, form=form, amount_fen=sum(money.values()))
        try:
            funding.settle(self.tx, now, PROCESS if number in PLANS else BELOW, NODES[node], AT)
            self.connection.commit()
            done = True
        except BlockedError:
            self.connection.rollback()
            done = False
        assert done is not refused

    @rule(
        number=st.sampled_from(DOCUMENTS),
        node=st.sampled_from(sorted(NODES)),
        money=st.dictionaries(st.sampled_from(BUDGETS), st.integers(1, TOTAL + 1)),
    )
    def reach_a_node(self, number: int, node: str, money: dict[int, int]) -> None:
        self.bring(number, node, money)

    @rule(amount=st.integers(1, 60), paid=st.integers(1, 60), written_off=st.integers(0, 60))
    def from_a_plan_to_its_payment(self, amount: int, paid: int, written_off: int) -> None:
        """The long way, so that accounts are opened and paid from often: a contract is paid, then part is written off."""
        self.bring(1, "filed", {1: amount})
        self.bring(3, "filed", {1: amount})
        self.bring(5, "paid", {1: paid})
        if written_off < paid:
            self.bring(5, "paid", {1: paid - written_off})
        self.bring(3, "closed", {1: amount})

    @rule(number=st.sampled_from(BUDGETS), amount=st.integers(1, TOTAL))
    def a_budget_is_topped_up(self, number: int, amount: int) -> None:
        self.seq += 1
        self.ledger.top_up(1, YEAR, str(number), "i", amount, source=f"push {self.seq}", at=AT)
        self.connection.commit()
        self.auditor.totals["budget", number] += amount

    @rule(number=st.sampled_from(BUDGETS), total=st.integers(0, 2 * TOTAL))
    def a_budget_is_stated_anew(self, number: int, total: int) -> None:
        """Never below what is taken: the database says so, whoever asks."""
        self.seq += 1
        change = total - self.auditor.totals["budget", number]
        try:
            self.ledger.change_budgets([BudgetChange(number, change, "i", AT)], f"file {self.seq}", AT)
            self.connection.commit()
            done = True
        except IntegrityError:
            self.connection.rollback()
            done = False
        assert done == (total >= sum(self.auditor.taken(("budget", number))))
        if done:
            self.auditor.totals["budget", number] = total

    @rule(
        number=st.sampled_from(DOCUMENTS),
        budget=st.sampled_from(BUDGETS),
        kind=st.sampled_from([MovementKind.RELEASE, MovementKind.USE, MovementKind.REVERSE]),
        more=st.integers(1, TOTAL),
    )
    def take_more_than_there_is(self, number: int, budget: int, kind: MovementKind, more: int) -> None:
        """A movement beyond the document's own hold never passes, even where others hold enough."""
        self.seq += 1
        frozen, used = self.auditor.kept.get((number, ("budget", budget)), (0, 0))
        amount = (used if kind is MovementKind.REVERSE else frozen) + more
        try:
            assert not self.ledger.apply(number, self.seq, Movement(budget, kind, amount), AT)
        except IntegrityError:
            pass
        finally:
            self.connection.rollback()

    @rule(number=st.sampled_from(BUDGETS), column=st.sampled_from(["frozen_fen", "used_fen", "total_fen"]))
    def tampering_is_found_or_refused(self, number: int, column: str) -> None:
        for change in (1, -1):
            values = {column: indicator.c[column] + change}
            try:
                self.connection.execute(update(indicator).where(indicator.c.id == number).values(values))
                assert self.ledger.imbalances()
            except IntegrityError:
                pass
            finally:
                self.connection.rollback()

    @invariant()
    def books_agree(self) -> None:
        ids: dict[Source, int] = {("budget", number): number for number in BUDGETS}
        for number in DOCUMENTS:
            own = self.ledger.account_of(number)
            assert (own is not None) == (("account", number) in self.auditor.totals)
            if own:
                assert own.year == YEAR + number % 2, "of the year it was carried over to"
                ids["account", number] = own.id
        for source, number in ids.items():
            row = self.ledger.indicator(number)
            assert row is not None
            assert row.total_fen == self.auditor.totals[source]
            assert (row.frozen_fen, row.used_fen) == self.auditor.taken(source)
            assert row.available_fen >= 0
        for number in DOCUMENTS:
            held = {one.indicator_id: (one.frozen_fen, one.used_fen) for one in self.ledger.holds(number)}
            for source, key in ids.items():
                assert held.get(key, (0, 0)) == self.auditor.kept.get((number, source), (0, 0))
        assert self.ledger.imbalances() == []


LedgerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLedger = LedgerMachine.TestCase


def test_holds_that_changed_hands_or_vanished_are_found() -> None:
    machine = LedgerMachine()
    machine.bring(1, "review", {1: 40})
    machine.bring(2, "review", {1: 30})
    assert machine.ledger.imbalances() == []
    for owner, change in ((1, -5), (2, 5)):  # the sum stays right
        mine = update(hold).where(hold.c.document_id == owner)
        machine.connection.execute(mine.values(frozen_fen=hold.c.frozen_fen + change))
    assert machine.ledger.imbalances() == [f"单据编号 {n} 对指标编号 1 的占用与流水不一致" for n in (1, 2)]
    machine.connection.rollback()
    machine.connection.execute(delete(hold))
    assert len(machine.ledger.imbalances()) == 2
    machine.teardown()

"""The ledger in SQL against an auditor in plain Python, over any sequence of moves of documents between nodes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import create_engine, delete, insert, update
from sqlalchemy.exc import IntegrityError

from core.adapters.ledger_store import LedgerStore
from core.adapters.tables import account, document, hold, indicator, metadata, process_version, unit
from core.domain.errors import BlockedError
from core.domain.ledger import Movement, MovementKind, settle
from core.domain.process import Funds

AT = datetime(2026, 6, 1, tzinfo=UTC)
DOCUMENTS, INDICATORS = (1, 2, 3), (1, 2)
TOTAL = 100
DOCUMENT = {
    "region": "r", "kind": "plan", "variant": "mall", "process_version": "v", "title": "t", "unit_id": 1,
    "author_id": 1, "node": "n", "trail": [], "cut": [], "flags": [], "version": 1, "form": {}, "amount_fen": 0,
    "created_at": AT, "updated_at": AT,
}  # fmt: skip


@dataclass
class Auditor:
    """What every document keeps of every indicator: (frozen, used) in fen."""

    kept: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def of(self, document_id: int, indicator_id: int) -> tuple[int, int]:
        return self.kept.get((document_id, indicator_id), (0, 0))

    def balance(self, indicator_id: int) -> tuple[int, int]:
        rows = [kept for (_, owner), kept in self.kept.items() if owner == indicator_id]
        return sum(frozen for frozen, _ in rows), sum(used for _, used in rows)

    def wants(
        self, document_id: int, wanted: Funds, funding: dict[int, int]
    ) -> dict[int, tuple[int, int]] | None:
        """Each indicator's (frozen, used) afterwards; None where the rules forbid it."""
        after = {}
        for indicator_id in INDICATORS:
            frozen, used = self.of(document_id, indicator_id)
            if wanted is Funds.FREE:
                frozen = used = 0
            elif wanted is Funds.USED:
                frozen, used = 0, funding.get(indicator_id, 0)
            elif wanted is Funds.SPENT:
                frozen = used = 0  # nothing was taken from the documents' own accounts: they have none
            elif wanted is Funds.FROZEN:
                if used:
                    return None
                frozen = funding.get(indicator_id, 0)
            total = sum(self.balance(indicator_id)) - sum(self.of(document_id, indicator_id)) + frozen + used
            if total > TOTAL:
                return None
            after[indicator_id] = (frozen, used)
        return after


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = create_engine("sqlite://")
        metadata.create_all(self.engine)
        self.connection = self.engine.connect()
        self.connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        self.ledger = LedgerStore(self.connection)
        self.auditor = Auditor()
        self.seq = 0
        run = self.connection.execute
        run(insert(unit).values(id=1, region="r", division="150299", code="1", name="u"))
        run(insert(account).values(id=1, login="a", name="n", role="handler", unit_id=1, password_hash="-"))
        run(insert(process_version).values(version="v", body="{}"))
        run(insert(document), [{**DOCUMENT, "id": number, "number": f"JH-{number}"} for number in DOCUMENTS])
        for number in INDICATORS:
            values = {
                "id": number,
                "unit_id": 1,
                "code": str(number),
                "name": "i",
                "year": 2026,
                "total_fen": TOTAL,
            }
            run(insert(indicator).values(values))
        self.connection.commit()

    def teardown(self) -> None:
        self.connection.close()
        self.engine.dispose()

    @rule(
        document_id=st.sampled_from(DOCUMENTS),
        wanted=st.sampled_from(Funds),
        funding=st.dictionaries(st.sampled_from(INDICATORS), st.integers(1, TOTAL + 1)),
    )
    def reach_a_node(self, document_id: int, wanted: Funds, funding: dict[int, int]) -> None:
        """As an act does: all movements, or none."""
        self.seq += 1
        expected = self.auditor.wants(document_id, wanted, funding)
        try:
            moves = settle(self.ledger.holds(document_id), wanted, funding)
            done = all(self.ledger.apply(document_id, self.seq, move, AT) for move in moves)
        except BlockedError:
            done = False
        if done:
            self.connection.commit()
        else:
            self.connection.rollback()
        assert done == (expected is not None)
        if expected is not None:
            self.auditor.kept |= {(document_id, number): kept for number, kept in expected.items()}

    @rule(
        document_id=st.sampled_from(DOCUMENTS),
        indicator_id=st.sampled_from(INDICATORS),
        kind=st.sampled_from([MovementKind.RELEASE, MovementKind.USE, MovementKind.REVERSE]),
        more=st.integers(1, TOTAL),
    )
    def take_more_than_there_is(
        self, document_id: int, indicator_id: int, kind: MovementKind, more: int
    ) -> None:
        """A movement beyond the document's own hold never passes, even where others hold enough."""
        self.seq += 1
        frozen, used = self.auditor.of(document_id, indicator_id)
        amount = (used if kind is MovementKind.REVERSE else frozen) + more
        try:
            assert not self.ledger.apply(document_id, self.seq, Movement(indicator_id, kind, amount), AT)
        except IntegrityError:
            pass
        finally:
            self.connection.rollback()

    @rule(
        indicator_id=st.sampled_from(INDICATORS),
        column=st.sampled_from(["frozen_fen", "used_fen", "total_fen"]),
    )
    def tampering_is_found_or_refused(self, indicator_id: int, column: str) -> None:
        for change in (1, -1):
            values = {column: indicator.c[column] + change}
            try:
                self.connection.execute(
                    update(indicator).where(indicator.c.id == indicator_id).values(values)
                )
                assert self.ledger.imbalances() or column == "total_fen"
            except IntegrityError:
                pass
            finally:
                self.connection.rollback()

    @invariant()
    def books_agree(self) -> None:
        for number in INDICATORS:
            row = self.ledger.indicator(number)
            assert row is not None
            assert (row.frozen_fen, row.used_fen) == self.auditor.balance(number)
            assert row.available_fen >= 0
        for number in DOCUMENTS:
            held = {hold.indicator_id: (hold.frozen_fen, hold.used_fen) for hold in self.ledger.holds(number)}
            assert all(held.get(i, (0, 0)) == self.auditor.of(number, i) for i in INDICATORS)
        assert self.ledger.imbalances() == []


LedgerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLedger = LedgerMachine.TestCase


def test_holds_that_changed_hands_or_vanished_are_found() -> None:
    machine = LedgerMachine()
    machine.reach_a_node(1, Funds.FROZEN, {1: 40})
    machine.reach_a_node(2, Funds.FROZEN, {1: 30})
    assert machine.ledger.imbalances() == []
    for owner, change in ((1, -5), (2, 5)):  # the sum stays right
        mine = update(hold).where(hold.c.document_id == owner)
        machine.connection.execute(mine.values(frozen_fen=hold.c.frozen_fen + change))
    assert machine.ledger.imbalances() == [f"单据编号 {n} 对指标编号 1 的占用与流水不一致" for n in (1, 2)]
    machine.connection.rollback()
    machine.connection.execute(delete(hold))
    assert len(machine.ledger.imbalances()) == 2
    machine.teardown()

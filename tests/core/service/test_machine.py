"""Anybody tries anything, lawful or not, in any order; after each step everything still fits together."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.adapters import tables
from core.domain import graph
from core.domain.errors import DomainError
from core.domain.process import Funds
from core.service import acts, entering, planning, repairs
from core.service.planning import RepairPlan
from tests.core.world import LOGINS, SEALED, World, filled_in, new_key

PEOPLE = st.sampled_from(sorted(LOGINS))
PICK = st.integers(0, 10**6)


class Office(RuleBasedStateMachine):
    """A school, its reviewers and everybody else, over a database of their own."""

    new_world: Callable[[], World]

    def __init__(self) -> None:
        super().__init__()
        self.world = type(self).new_world()
        self.numbers: list[str] = []
        self.repairs: list[int] = []
        self.passed: dict[str, int] = {}

    @initialize(
        plans=st.lists(
            st.tuples(
                st.sampled_from(["mall", "project", "direct"]),
                st.sampled_from(["entry", "supervising", "procurement_second", "completed", "filed"]),
            ),
            min_size=1,
            max_size=2,
        )
    )
    def begin(self, plans: list[tuple[str, str]]) -> None:
        self.numbers += [self.world.plan(variant, node) for variant, node in plans]

    def number(self, pick: int) -> str:
        return self.numbers[pick % len(self.numbers)]

    @precondition(lambda self: len(self.numbers) < 6)
    @rule(
        who=PEOPLE, variant=st.sampled_from(["mall", "project", "direct"]), price=st.integers(1, 60_000_000)
    )
    def enter(self, who: str, variant: str, price: int) -> None:
        form = self.world.form(variant)
        form["lines"][0] |= {"quantity": 1, "unit_price_fen": price}
        form["funding"][0]["amount_fen"] = price
        try:
            document = entering.create(
                self.world.system, self.world[who], "plan", variant, form, key=new_key()
            )
        except DomainError:
            return
        if who == "handler":
            self.numbers.append(document.number)

    @precondition(lambda self: len(self.numbers) < 6)
    @rule(pick=PICK)
    def order(self, pick: int) -> None:
        try:
            self.numbers.append(self.world.order(self.number(pick)))
        except DomainError:
            return

    @rule(pick=PICK, who=PEOPLE, act=PICK, towards=PICK, stale=st.booleans())
    def try_anything(self, pick: int, who: str, act: int, towards: int, stale: bool) -> None:  # noqa: FBT001
        number = self.number(pick)
        process, document = self.world.process(number), self.world.document(number)
        action = list(process.actions)[act % len(process.actions)]
        given = filled_in(process, action, document.trail, list(process.nodes)[towards % len(process.nodes)])
        self.perform(number, who, action, given, document.version - int(stale))

    @rule(pick=PICK, act=PICK, towards=PICK, person=PICK)
    def do_something_lawful(self, pick: int, act: int, towards: int, person: int) -> None:
        number = self.number(pick)
        process, document = self.world.process(number), self.world.document(number)
        lawful = process.actions_from[document.node]
        if not lawful:
            return
        action = lawful[act % len(lawful)]
        targets = graph.targets(process, action, document.trail)
        those = self.world.those(process.actors(action, document.node))
        if targets and those:
            given = filled_in(process, action.id, document.trail, targets[towards % len(targets)])
            self.perform(number, those[person % len(those)].login, action.id, given, document.version)

    def perform(self, number: str, who: str, action: str, given: dict[str, str], version: int) -> None:
        account = self.world.people.get(who) or next(a for a in self.world.people.values() if a.login == who)
        certificate = SEALED if action == "sign" else None
        before = self.world.document(number)
        key = new_key()

        def go() -> acts.ActResult:
            return acts.perform(
                self.world.system,
                account,
                number,
                action,
                version=version,
                arguments=given,
                key=key,
                certificate=certificate,
            )

        try:
            go()
        except DomainError as error:
            assert error.message  # noqa: PT017 - either outcome is lawful, each has its own duty
            assert self.world.document(number) == before
        else:
            assert self.world.document(number).version == before.version + 1
            assert go().repeated
            assert self.world.document(number).version == before.version + 1

    @rule(pick=PICK, who=PEOPLE, goal=st.sampled_from(["editable", "void", "filed", "cancelled"]))
    def ask_for_a_repair(self, pick: int, who: str, goal: str) -> None:
        number = self.number(pick)
        try:
            found = planning.plan_to(self.world.system, self.world[who], number, goal)
            if isinstance(found, RepairPlan) and found.steps:
                begun = repairs.start(
                    self.world.system, self.world[who], number, goal, found.fingerprint, key=new_key()
                )
                self.repairs.append(begun.id)
        except DomainError:
            return

    @precondition(lambda self: self.repairs)
    @rule(pick=PICK, who=PEOPLE)
    def take_a_step(self, pick: int, who: str) -> None:
        repair_id = self.repairs[pick % len(self.repairs)]
        try:
            step = repairs.get(self.world.system, self.world[who], repair_id).step
            if step is None:
                return
            document = self.world.document(step.number)
            given = filled_in(self.world.process(step.number), step.action, document.trail, step.target)
            given.pop("target", None)
            repairs.advance(
                self.world.system, self.world[who], repair_id, given, version=document.version, key=new_key()
            )
        except DomainError:
            return

    @rule(pick=PICK, who=PEOPLE)
    def save(self, pick: int, who: str) -> None:
        number = self.number(pick)
        document = self.world.document(number)
        try:
            entering.save(
                self.world.system,
                self.world[who],
                number,
                dict(document.form),
                version=document.version,
                key=new_key(),
            )
        except DomainError:
            return

    # -- what always holds

    @invariant()
    def the_money_is_where_the_node_says(self) -> None:
        totals: dict[int, tuple[int, int]] = {}
        for number in self.numbers:
            document, process = self.world.document(number), self.world.process(number)
            frozen, used = self.world.funds(number)
            if document.kind == "plan":
                assert (frozen, used) == self.expected(document.amount_fen, document.trail, process)
            else:
                assert (frozen, used) == (0, 0)
        with self.world.system.database.read() as tx:
            rows = tx.connection.execute(sa.select(tables.hold)).mappings().all()  # type: ignore[attr-defined]
            for row in rows:
                frozen, used = totals.get(row["indicator_id"], (0, 0))
                totals[row["indicator_id"]] = (frozen + row["frozen_fen"], used + row["used_fen"])
            for indicator in tx.ledger.indicators(self.world["handler"].unit.id):
                assert (indicator.frozen_fen, indicator.used_fen) == totals.get(indicator.id, (0, 0))
                assert 0 <= indicator.available_fen <= indicator.total_fen
        self.world.sound()

    @staticmethod
    def expected(amount: int, trail: tuple[str, ...], process: Any) -> tuple[int, int]:
        """From the last station on the trail that has an opinion about the money."""
        states = [process.node(node).funds for node in trail]
        state = next(item for item in reversed(states) if item is not Funds.KEEP)
        return {Funds.FREE: (0, 0), Funds.FROZEN: (amount, 0), Funds.USED: (0, amount)}[state]

    @invariant()
    def history_and_trail_tell_one_story(self) -> None:
        for number in self.numbers:
            document, process = self.world.document(number), self.world.process(number)
            with self.world.system.database.read() as tx:
                history = tx.documents.history(document.id)
            seqs = [entry.seq for entry in history]
            assert seqs == sorted(set(seqs))
            assert seqs[-1] <= document.version
            assert history[-1].target == document.node
            assert all(after.source == before.target for before, after in pairwise(history))
            assert document.trail[0] == process.start
            assert len(set(document.trail)) == len(document.trail)

    @invariant()
    def whose_turn_it_is_follows_from_the_node(self) -> None:
        for number in self.numbers:
            node, process = self.world.document(number).node, self.world.process(number)
            actors = () if node in process.finish else process.node(node).actors
            wanted = {self.world.place(actor) for actor in actors}
            if self.world.document(number).variant != "project":
                agency = self.world["agency"]
                wanted -= {(agency.unit.id, agency.role)}
            assert self.world.tasks(number) == wanted

    @invariant()
    def a_running_repair_fits_its_document(self) -> None:
        for repair_id in self.repairs:
            with self.world.system.database.read() as tx:
                row = tx.records.repair(repair_id)
            assert row is not None
            if row.state == "running":
                step = row.steps[row.position]
                assert self.world.document(step["number"]).node == step["source"]

    def teardown(self) -> None:
        self.world.engine.dispose()


def test_anybody_tries_anything(new_world: Callable[[], World]) -> None:
    Office.new_world = staticmethod(new_world)  # type: ignore[assignment]
    run_state_machine_as_test(
        Office,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )

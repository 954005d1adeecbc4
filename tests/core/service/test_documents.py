from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from core.domain.errors import (
    BlockedError,
    ConflictError,
    DomainError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from core.service import acts, documents, entering, flow, ledger, lists, planning, repairs, sealing
from core.service.page_ports import Query
from tests.core.domain.test_forms import FORMS, LINE
from tests.core.world import World, new_key


def create(world: World, form: dict[str, Any], variant: str = "mall", key: str | None = None) -> str:
    handler = world["handler"]
    return entering.create(world.system, handler, "plan", variant, form, key=key or new_key()).number


def test_a_draft_may_have_mistakes_and_is_not_sent_on_with_them(world: World) -> None:
    line = {
        "catalogue": "D9901",
        "name": "打印机",
        "quantity": 1,
        "unit_price_fen": 100,
        "requirement": "长" * 301,
    }
    number = create(world, {"name": "自己写的名称", "lines": [line], "funding": []})
    shown = documents.get(world.system, world["handler"], number)
    fields = {"name", "lines.0.catalogue", "lines.0.requirement", "funding", "implementation"}
    assert set(shown.form_errors) == fields
    assert [offer.action for offer in shown.offers] == ["discard"]
    before = world.everything()
    with pytest.raises(BlockedError) as caught:
        world.act("handler", number, "submit")
    assert fields <= set(caught.value.fields)
    assert world.everything() == before


@pytest.mark.covers("nm-16")
@pytest.mark.parametrize(
    ("change", "field", "part"),
    [
        ({"lines": [{**LINE, "catalogue": "D9901"}]}, "lines.0.catalogue", "不能选"),
        ({"lines": [{**LINE, "requirement": "字" * 301}]}, "lines.0.requirement", "300 字"),
        ({"name": "采购一批打印机"}, "name", "采购目录"),
    ],
)  # fmt: skip
def test_the_three_causes_of_an_internal_error_are_field_errors(
    world: World, change: dict[str, Any], field: str, part: str
) -> None:
    number = create(world, world.form(**change))
    with pytest.raises(BlockedError) as caught:
        world.act("handler", number, "submit")
    assert part in str(caught.value.fields[field])
    assert "内部错误" not in caught.value.message


@pytest.mark.covers("nm-23")
def test_the_form_of_implementation_has_to_be_chosen(world: World) -> None:
    number = create(world, world.form(implementation=""))
    with pytest.raises(BlockedError) as caught:
        world.act("handler", number, "submit")
    assert "买本地协议供应商选“网上竞价”，买引进的电商选“电商直购”" in str(
        caught.value.fields["implementation"]
    )


def test_funding_has_to_match_the_list(world: World) -> None:
    number = create(world, world.form(funding=[{"indicator": world.indicator().id, "amount_fen": 199_900}]))
    with pytest.raises(BlockedError, match=r"1,999\.00 元，与清单合计 2,000\.00 元不一致"):
        world.act("handler", number, "submit")


def test_another_units_indicator_is_not_ones_own(world: World) -> None:
    foreign = ledger.indicators(world.system, world["library_handler"])[0]
    number = create(world, world.form(funding=[{"indicator": foreign.id, "amount_fen": 200_000}]))
    with pytest.raises(BlockedError, match="请选择本单位的指标"):
        world.act("handler", number, "submit")


@pytest.mark.covers("nm-16")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=FORMS)
def test_whatever_is_entered_is_kept_shown_and_judged(world: World, form: dict[str, Any]) -> None:
    try:
        number = create(world, form)
    except InvalidError:  # what no page could show: a table that is none, an agency that there is not
        return
    assert not form.get("agency")
    shown = documents.get(world.system, world["handler"], number)
    assert without_totals(shown.document.form) == without_totals(form)
    assert shown.document.amount_fen >= 0


def without_totals(form: Mapping[str, Any]) -> dict[str, Any]:
    """What was entered, without the totals of the lines that are worked out; whatever is no row is kept as none."""
    return {name: rows_of(value) if name in {"lines", "funding"} else value for name, value in form.items()}


def rows_of(table: object) -> object:
    if not isinstance(table, list):
        return table
    rows = [row if isinstance(row, dict) else {} for row in table]
    return [{key: value for key, value in row.items() if key != "total_fen"} for row in rows]


def test_saving_where_it_may_be_edited(each_world: World) -> None:
    world = each_world
    number = world.plan(node="unit_first")
    before = world.document(number)
    longer = world.form(
        lines=[
            {"catalogue": "A02021003", "name": "彩色激光打印机", "quantity": 3, "unit_price_fen": 100_000}
        ],
        funding=[{"indicator": world.indicator().id, "amount_fen": 300_000}],
    )
    key = new_key()
    saved = entering.save(world.system, world["handler"], number, longer, version=before.version, key=key)
    assert (saved.amount_fen, saved.version) == (300_000, before.version + 1)
    assert saved.title == "激光打印机（彩色激光打印机）"
    again = entering.save(world.system, world["handler"], number, longer, version=before.version, key=key)
    assert again == saved
    world.act("handler", number, "submit")
    assert world.funds(number) == (300_000, 0)
    world.sound()


def test_saving_what_somebody_else_saved_first_changes_nothing(world: World) -> None:
    number = world.plan()
    entering.save(
        world.system, world["handler"], number, world.form(need_by="2026-12-01"), version=1, key=new_key()
    )
    before = world.everything()
    with pytest.raises(ConflictError):
        entering.save(world.system, world["handler"], number, world.form(), version=1, key=new_key())
    assert world.everything() == before


@pytest.mark.parametrize(
    ("node", "who", "error"),
    [
        ("unit_second", "handler", BlockedError),
        ("completed", "handler", BlockedError),
        ("void", "handler", BlockedError),
        ("entry", "reviewer", ForbiddenError),
        ("unit_first", "reviewer", ForbiddenError),
        ("entry", "library_handler", NotFoundError),
    ],
)
def test_saving_is_for_the_handler_where_the_process_lets(
    world: World, node: str, who: str, error: type[DomainError]
) -> None:
    number = world.plan(node=node)
    with pytest.raises(error):
        entering.save(
            world.system,
            world[who],
            number,
            world.form(),
            version=world.document(number).version,
            key=new_key(),
        )


@pytest.mark.parametrize(
    "who", ["reviewer", "supervising", "agency", "supplier", "support", "admin", "platform"]
)
def test_only_a_handler_enters_plans(world: World, who: str) -> None:
    with pytest.raises(ForbiddenError, match="录入"):
        entering.create(world.system, world[who], "plan", "mall", world.form(), key=new_key())


def test_numbers_are_one_after_the_other_without_gaps(each_world: World) -> None:
    world = each_world
    first = int(world.plan().rsplit("-", 1)[1])
    with pytest.raises(InvalidError):
        world.plan("project", agency="NONE")
    assert int(world.plan().rsplit("-", 1)[1]) == first + 1


def test_an_agency_that_does_not_exist_is_named(world: World) -> None:
    for code in ("NONE", "SP0001"):  # a supplier is no agency
        with pytest.raises(InvalidError) as caught:
            create(world, world.form("project", agency=code), "project")
        assert "agency" in caught.value.fields


BEFORE = {
    "dispatched": "filed",
    "supervising": "unit_second",
    "office_first": "supervising",
    "procurement_first": "office_second",
}


class TestOrders:
    def test_hang_on_a_dispatched_mall_plan(self, world: World) -> None:
        plan = world.plan(node="dispatched")
        number = world.order(plan)
        shown = documents.get(world.system, world["handler"], plan)
        assert [line.number for line in shown.linked] == [number]

    def test_are_seen_and_confirmed_by_their_supplier(self, world: World) -> None:
        plan = world.plan(node="dispatched")
        number = world.order(plan)
        offers = documents.get(world.system, world["supplier"], number).offers
        assert [offer.action for offer in offers] == ["confirm"]
        world.act("supplier", number, "confirm")
        with pytest.raises(NotFoundError):  # the order, not the plan behind it
            documents.get(world.system, world["supplier"], plan)

    def test_are_not_told_to_those_who_may_see_the_plan_alone(self, world: World) -> None:
        plan = world.plan(node="dispatched")
        number = world.order(plan)
        with pytest.raises(NotFoundError):
            documents.get(world.system, world["office_first"], number)
        assert not documents.is_seen(world.system, world["office_first"], number)
        assert documents.is_seen(world.system, world["handler"], f" {number.lower()}")
        assert documents.get(world.system, world["office_first"], plan).linked == ()

    @pytest.mark.parametrize(
        ("variant", "node"),
        [("mall", "filed"), ("mall", "completed"), ("mall", "void"), ("project", "dispatched")],
    )
    def test_hang_on_nothing_else(self, world: World, variant: str, node: str) -> None:
        with pytest.raises(BlockedError, match="已下达的卖场计划"):
            world.order(world.plan(variant, node))

    def test_never_hang_on_another_units_plan(self, world: World) -> None:
        """Even where the plan may be seen: the supervising unit's own handler, say."""
        plan = world.plan(node="dispatched")
        with pytest.raises(NotFoundError):
            entering.create(
                world.system,
                world["library_handler"],
                "mall_order",
                "order",
                {"supplier": "SP0001"},
                key=new_key(),
                parent=plan,
            )
        with world.system.database.write() as tx:
            tx.documents.add_parties(world.document(plan).id, [world["library_handler"].unit.id])
        with pytest.raises(ForbiddenError, match="录入"):
            entering.create(
                world.system,
                world["library_handler"],
                "mall_order",
                "order",
                {"supplier": "SP0001"},
                key=new_key(),
                parent=plan,
            )

    def test_do_not_stand_alone_and_plans_do_not_hang(self, world: World) -> None:
        with pytest.raises(BlockedError):
            entering.create(
                world.system, world["handler"], "mall_order", "order", {"supplier": "SP0001"}, key=new_key()
            )
        plan = world.plan(node="dispatched")
        with pytest.raises(BlockedError):
            entering.create(
                world.system, world["handler"], "plan", "mall", world.form(), key=new_key(), parent=plan
            )


class TestVisibility:
    def test_another_units_document_is_not_there_anywhere(self, each_world: World) -> None:
        world, stranger = each_world, each_world["library_handler"]
        number = world.plan(node="completed")
        system = world.system
        before = world.everything()
        tries = [
            lambda n: documents.get(system, stranger, n),
            lambda n: flow.flow(system, stranger, n),
            lambda n: planning.plan_to(system, stranger, n, "void"),
            lambda n: acts.perform(
                system, stranger, n, "cancel", version=1, arguments={"reason": "x"}, key=new_key()
            ),
            lambda n: acts.check(system, stranger, n, "sign", version=1),
            lambda n: entering.save(system, stranger, n, world.form(), version=1, key=new_key()),
            lambda n: sealing.certificate(system, stranger, n),
            lambda n: sealing.sign(
                system, stranger, n, version=1, seal="公章", pin="20261120", key=new_key()
            ),
            lambda n: repairs.start(system, stranger, n, "void", "0" * 16, key=new_key()),
        ]
        for attempt in tries:
            errors = []
            for asked in (number, "JH-150299-2026-999999"):
                with pytest.raises(NotFoundError) as caught:
                    attempt(asked)
                errors.append(caught.value.message.replace(asked, "?"))
            assert errors[0] == errors[1]  # nothing tells one from the other
        assert world.everything() == before

    def test_lists_and_indicators_are_ones_own(self, world: World) -> None:
        stranger = world["library_handler"]
        number = world.plan()
        assert {line.unit_name for line in documents.listing(world.system, stranger)} == {"青原市图书馆"}
        assert lists.find(world.system, stranger, Query(words=number)) == []
        own = ledger.indicators(world.system, stranger)
        assert {item.unit_id for item in own} == {stranger.unit.id}
        for indicator in (world.indicator().id, 999_999):
            with pytest.raises(NotFoundError, match="没有找到这个指标"):
                ledger.statement(world.system, stranger, indicator)

    @pytest.mark.parametrize(
        ("who", "node"),
        [
            ("supervising", "supervising"),
            ("office_first", "office_first"),
            ("procurement_first", "procurement_first"),
            ("agency", "dispatched"),
        ],
    )
    def test_others_see_it_from_when_it_first_concerns_them(self, world: World, who: str, node: str) -> None:
        number = world.plan("project", BEFORE[node])
        with pytest.raises(NotFoundError):
            documents.get(world.system, world[who], number)
        world.go_on(number)
        assert documents.get(world.system, world[who], number).summary.number == number

    @pytest.mark.parametrize("who", ["support", "admin"])
    def test_staff_of_the_platform_see_no_documents(self, world: World, who: str) -> None:
        number = world.plan()
        with pytest.raises(NotFoundError):
            documents.get(world.system, world[who], number)
        assert documents.listing(world.system, world[who]) == []

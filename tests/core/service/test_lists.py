"""Lists, searches and to-do of documents."""

from typing import Any

import pytest

from core.adapters import list_store
from core.domain.errors import (
    InvalidError,
)
from core.service import documents, entering, lists
from core.service.page_ports import Query
from core.service.views import DocumentSummary
from tests.core.world import World, new_key


def create(world: World, form: dict[str, Any], variant: str = "mall", key: str | None = None) -> str:
    handler = world["handler"]
    return entering.create(world.system, handler, "plan", variant, form, key=key or new_key()).number


def test_a_list_is_searched_and_paged(each_world: World) -> None:
    world, handler = each_world, each_world["handler"]
    numbers = [world.plan() for _ in range(3)]

    def found(limit: int = 50, before: int | None = None, **asked: str) -> list[DocumentSummary]:
        return lists.find(world.system, handler, Query(**asked), limit=limit, before=before)  # type: ignore[arg-type]  # texts only

    page = found(limit=2)
    assert [line.number for line in page] == [numbers[2], numbers[1]]
    assert page == documents.listing(world.system, handler, limit=2)
    assert found(limit=2, before=page[-1].id)[0].number == numbers[0]
    assert [line.number for line in found(words=numbers[1])] == [numbers[1]]
    assert found(words="%") == []
    assert found(words="_") == []
    assert {line.node for line in found(node="unit_second")} == {"unit_second"}
    order = world.order(world.plan(node="dispatched"))
    assert [line.number for line in found(kind="mall_order")] == [order]
    assert [line.number for line in documents.listing(world.system, handler, kind="mall_order")] == [order]


@pytest.mark.parametrize("near", [2, 2000])
def test_words_are_found_near_and_far_back(
    each_world: World, near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of the newest are read through before the index of words is asked."""
    monkeypatch.setattr(list_store, "_NEAR", near)
    world, handler = each_world, each_world["handler"]
    numbers = [world.plan() for _ in range(4)]

    def found(words: str, limit: int = 50, before: int | None = None) -> list[DocumentSummary]:
        return lists.find(world.system, handler, Query(words=words), limit=limit, before=before)

    assert [line.number for line in found(numbers[0][-7:])] == [numbers[0]]
    common = numbers[0][:-6]
    seen = [line.number for line in found(common)]
    assert seen[:4] == numbers[::-1]
    line, paged = None, list[str]()
    while page := found(common, 3, line.id if line else None):
        paged += [one.number for one in page]
        line = page[-1]
    assert paged == seen
    assert found("没有人写过这几个字") == []
    title = world.document(numbers[0]).title
    assert [line.number for line in found(f"{numbers[0][-7:]} {title[-2:]} {title[0]}")] == [numbers[0]]
    assert found(f"{title[:2]} 没有人写过这几个字") == []


def test_to_do_is_whose_turn_it_is(world: World) -> None:
    number = world.plan(node="supervising")
    assert number in [line.number for line in documents.todo(world.system, world["supervising"])]
    assert number not in [line.number for line in documents.todo(world.system, world["handler"])]
    world.act("supervising", number, "pass")
    assert number not in [line.number for line in documents.todo(world.system, world["supervising"])]
    shown = next(
        line for line in documents.todo(world.system, world["office_first"]) if line.number == number
    )
    assert shown.whose == "青原市财政局教科文股 业务科室初审"


def test_the_same_key_makes_one_document(each_world: World) -> None:
    world, key = each_world, new_key()
    number = create(world, world.form(), key=key)
    before = world.everything()
    assert create(world, world.form(), key=key) == number
    with pytest.raises(InvalidError) as caught:
        create(world, world.form(need_by="2027-01-01"), key=key)
    assert caught.value.code == "key_reused"
    assert world.everything() == before
    for bad in ("", "x" * 81):
        with pytest.raises(InvalidError, match="操作编号"):
            entering.create(world.system, world["handler"], "plan", "mall", world.form(), key=bad)

"""Goods looked up in the catalogue by their name (nm-25)."""

import pytest

from assistant import items
from assistant.cards import FactsCard
from tests.assistant.world import World

pytestmark = pytest.mark.covers("nm-25")


def test_goods_are_looked_up_by_name(world: World) -> None:
    (reply, *_) = world.say("handler", "照相机属于哪个品目").replies
    assert isinstance(reply.card, FactsCard)
    (row,) = reply.card.rows
    assert row.label == "专业照相机（A02020501）"
    assert row.value.endswith("不在集采目录里，电子卖场没有")
    (reply, *_) = world.say("handler", "请问打印机要选什么品目？").replies
    assert isinstance(reply.card, FactsCard)
    assert "激光打印机（A02021003）" in {row.label for row in reply.card.rows}


def test_of_many_items_all_are_counted_and_some_are_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "_SHOWN", 2)
    (reply, *_) = world.say("handler", "打印机属于哪个品目").replies
    assert isinstance(reply.card, FactsCard)
    assert len(reply.card.rows) == 2
    assert "有 3 个品目" in reply.text
    assert "前 2 个" in reply.text


def test_what_the_catalogue_does_not_know_is_a_question_as_any_other(world: World) -> None:
    (reply, *_) = world.say("handler", "新增卖场计划的时候要选什么品目才关联得上").replies
    assert not isinstance(reply.card, FactsCard)

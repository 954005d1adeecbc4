from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.database import SqlDatabase
from core.service import acts, documents, flow
from core.service.flow import FlowNode
from core.service.system import System
from tests.web.conftest import HANDLER, OFFICE, REVIEWER, account_of
from web.drawing import Box, clip, narrow, wide, wrap
from web.words import turn


def node(name: str, state: str, lane: str = "采购单位") -> FlowNode:
    return FlowNode(
        name, name, lane, state, "李明（经办）", datetime(2026, 1, 2, tzinfo=UTC), "同意", "王芳", ""
    )


def apart(boxes: tuple[Box, ...]) -> bool:
    return all(
        a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
        for i, a in enumerate(boxes)
        for b in boxes[i + 1 :]
    )


states = st.sampled_from(["done", "current", "returned", "ahead"])
lanes = st.sampled_from(["采购单位", "主管单位", "业务科室", "采购监管", "交易执行"])


@given(st.lists(st.tuples(states, lanes), min_size=1, max_size=14), st.lists(lanes, max_size=3), st.data())
def test_no_flow_draws_boxes_over_each_other_or_off_the_paper(
    line: list[tuple[str, str]], beside: list[str], data: st.DataObject
) -> None:
    nodes = [node(f"n{i}", state, lane) for i, (state, lane) in enumerate(line)]
    aside = [node(f"s{i}", "done", lane) for i, lane in enumerate(beside)]
    edges = [(a.id, b.id, "forward") for a, b in pairwise(nodes)]
    if aside:
        edges.append((data.draw(st.sampled_from(nodes[:-1] or nodes)).id, aside[0].id, "forward"))
    edges += [(nodes[-1].id, nodes[0].id, "return")] if len(nodes) > 1 else []
    for drawing in (wide([*nodes, *aside], edges), narrow([*nodes, *aside], edges)):
        assert apart(drawing.boxes)
        for box in drawing.boxes:
            assert 0 <= box.x <= box.x + box.width <= drawing.width
            assert 0 <= box.y <= box.y + box.height <= drawing.height
    assert len(wide([*nodes, *aside], edges).boxes) == len(nodes) + len(aside)


@given(st.text(max_size=40), st.integers(3, 20))
def test_texts_fit_their_room(text: str, room: int) -> None:
    assert len(clip(text, room)) <= max(len(text), 1)
    assert 1 <= len(wrap(text, room)) <= 2


def test_labels_break_before_a_bracket() -> None:
    assert wrap("已办结（待备案）", 6.4) == ("已办结", "（待备案）")


@pytest.mark.covers("nm-8")
def test_a_returned_plan_shows_the_way_back(system: System) -> None:
    assert isinstance(system.database, SqlDatabase)
    handler = account_of(system, HANDLER)
    reviewer = account_of(system, REVIEWER)
    plan = next(d for d in documents.listing(system, handler, kind="plan") if d.node == "unit_second")
    given = {"opinion": "数量不对", "target": "unit_first"}
    acts.perform(system, reviewer, plan.number, "return", version=plan.version, arguments=given, key="k" * 8)
    drawn = flow.flow(system, handler, plan.number)
    lines = wide(drawn.nodes, drawn.edges).lines
    assert [line.kind for line in lines].count("return") == 1
    states = {box.label[0]: box.state for box in narrow(drawn.nodes, drawn.edges).boxes}
    assert states["采购单位初审"] == "current"
    assert states["采购单位复审"] == "returned"
    assert OFFICE  # the office has not been reached
    assert states["业务科室初审"] == "ahead"


def test_whoever_looks_is_spoken_to() -> None:
    nodes, me = [node("a", "done"), node("b", "current")], "王芳"
    assert narrow(nodes, [], me=me).boxes[1].notes == ("轮到您办理",)
    assert narrow(nodes, [], me="李明").boxes[1].notes == ("等 王芳 办理",)
    assert wide(nodes, [], me).boxes[1].notes[0] == "轮到您"
    assert "轮到您办理" in wide(nodes, [], me).boxes[1].tip


def test_one_of_several_is_spoken_to_and_nobody_is_not() -> None:
    assert turn("李明（经办）、王芳（负责人）", "王芳（负责人）") == "轮到您办理"
    assert turn("李明（经办）", "明") == "等 李明（经办） 办理"
    assert turn("", "王芳") == ""

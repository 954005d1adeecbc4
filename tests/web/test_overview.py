"""The region's path and its kinds, drawn from the data, and two regions side by side."""

from collections.abc import Callable

import pytest

from core.service import comparison, overview
from core.service.system import System
from tests.web.conftest import HANDLER, SUPPORT, Browser
from web import drawing, map_drawing


@pytest.mark.covers("ah-flow")
def test_every_region_is_drawn_from_its_data(system: System, browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    for region, label in overview.regions(system):
        page = browser.get(f"/overview?region={region}").text
        assert f"{label}政府采购全流程" in page
        boxes = overview.region_map(system, region)
        assert {box.kind for box in boxes} == set(system.processes.kinds(region))
        for box in boxes:
            assert f'href="/overview/{region}/{box.kind}"' in page


def test_a_kind_stands_to_the_right_of_what_it_hangs_on(system: System) -> None:
    for region, _ in overview.regions(system):
        boxes = overview.region_map(system, region)
        placed = map_drawing.place(boxes)
        at = {one.kind: one for one in placed.places}
        assert len({(one.x, one.y) for one in placed.places}) == len(boxes)
        for one in placed.places:
            assert 0 <= one.x <= placed.width - placed.box[0]
            assert 0 <= one.y <= placed.height - placed.box[1]
        assert all(at[above].x < at[box.kind].x for box in boxes for above in box.above)
        assert [box.kind for box, _ in overview.in_order(boxes)].count("plan") == 1
        assert len(overview.in_order(boxes)) == len(boxes)


def test_a_renewed_contract_leads_back_to_the_plan_and_does_not_stand_before_it(system: System) -> None:
    boxes = {box.kind: box for box in overview.region_map(system, "fujian")}
    assert "contract" not in boxes["plan"].above
    assert boxes["plan"].again == ("contract",)
    assert "plan" in boxes["contract"].above
    placed = map_drawing.place(list(boxes.values()))
    assert len(placed.again) == 1


def test_every_process_can_be_drawn(system: System) -> None:
    for process in system.processes.all():
        found = overview.drawn(process)
        assert {node.id for node in found.nodes} == set(process.nodes)
        wide = drawing.wide(found.nodes, found.edges)
        assert len(wide.boxes) == len(process.nodes)
        assert len(drawing.narrow(found.nodes, found.edges).boxes) == len(process.nodes)


def test_a_kinds_page_says_who_does_what(browse: Callable[[str], Browser]) -> None:
    browser = browse(SUPPORT)
    page = browser.get("/overview/neimenggu/plan?variant=mall").text
    assert 'class="flow wide"' in page
    assert "电子卖场退回计划" in page
    assert "采购单位负责人 02" in page
    assert browser.get("/overview/neimenggu/nothing").status_code == 404
    assert browser.get("/overview?region=nowhere").status_code == 404


def test_two_variants_side_by_side(system: System, browse: Callable[[str], Browser]) -> None:
    project, mall = (system.processes.current("neimenggu", "plan", one) for one in ("project", "mall"))
    assert not any(row.differs for rows in comparison.compare(mall, mall).values() for row in rows)
    acts = {row.label: row for row in comparison.compare(project, mall)["操作"]}
    assert (acts["电子卖场退回计划"].left, acts["电子卖场退回计划"].differs) == ("", True)
    assert not acts["送审"].differs
    fields = comparison.compare(
        *(system.processes.current("anhui", "plan", one) for one in ("project", "mall"))
    )["填写项"]
    assert not any(sign in row.left + row.right for row in fields for sign in ("==", "variant")), (
        "words, not expressions"
    )
    page = browse(HANDLER).get("/compare?kind=plan&left=neimenggu&lv=project&right=neimenggu&rv=mall").text
    assert "电子卖场退回计划" in page
    assert page.count('class="differs"') > 1
    assert '<th scope="row">送审</th>' not in page
    everything = browse(HANDLER).get(
        "/compare?kind=plan&left=neimenggu&lv=project&right=neimenggu&rv=mall&all=1"
    )
    assert '<th scope="row">送审</th>' in everything.text


def test_regions_are_compared_kind_by_kind(system: System, browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    known = [region for region, _ in overview.regions(system)]
    for right in known:
        for kind in system.processes.kinds(right):
            answer = browser.get(f"/compare?kind={kind}&left={known[0]}&right={right}")
            assert answer.status_code == 200, (kind, right)
    assert browser.get("/compare?kind=nothing").status_code == 404

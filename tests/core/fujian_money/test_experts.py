"""Experts of a request: the draw and its record, answers, adjustment, withdrawal, and the list by role."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.domain.errors import BlockedError, NotFoundError
from core.service import experts
from core.service.expert_ports import DrawRecord
from tests.core.fujian_money.stage import Stage

IT, OFFICE = {"category": "信息技术", "area": "本市"}, {"category": "办公设备", "area": "本市"}


def request(
    stage: Stage, *groups: dict[str, Any], units: tuple[str, ...] = (), persons: tuple[str, ...] = ()
) -> None:
    stage.enter(
        "expert_request/expert_request", "request", name="电脑论证", method="on_site", review_on="2026-12-01",
        place="会议室", contact="李明", phone="0599-1234567", groups=list(groups),
        avoid_units=[{"name": unit} for unit in units], avoid_persons=[{"id_number": number} for number in persons],
    )  # fmt: skip
    stage.acts("request", "submit")


def listed(stage: Stage, who: str = "handler") -> experts.ExpertList:
    return experts.listing(stage.system, stage.person(who), stage.numbers["request"])


def live(stage: Stage) -> dict[str, str]:
    """Code → state of those who still count."""
    return {e.code: e.state for e in listed(stage).experts if e.state in ("waiting", "accepted")}


@pytest.mark.covers("fj-10.1")
def test_nobody_avoided_is_drawn_and_the_buyers_own_people_never_are(stage: Stage) -> None:
    request(
        stage, {**IT, "count": 2}, {**OFFICE, "count": 2}, units=("甲大学",), persons=("999999197709090099",)
    )
    drawn = listed(stage).experts
    assert [e.group for e in drawn] == [1, 1, 2, 2]
    # ZJ001, ZJ002 甲大学; ZJ009 by number; ZJ010 the school's own; of 信息技术 only ZJ003 and ZJ004 are left
    assert {e.code for e in drawn if e.group == 1} == {"ZJ003", "ZJ004"}
    assert {e.code for e in drawn if e.group == 2} <= {"ZJ005", "ZJ006", "ZJ011"}


@pytest.mark.covers("fj-10.1")
def test_the_recorded_seed_draws_the_same_again(stage: Stage) -> None:
    request(stage, {**IT, "count": 3})
    found = listed(stage)
    assert found.repeated == (True,)
    draw = found.draws[0]
    assert sorted(draw.drawn[0]) == sorted(e.code for e in found.experts)
    forged = DrawRecord(
        draw.seed, draw.pools, draw.places, [sorted(set(draw.pools[0]) - set(draw.drawn[0]))], draw.at
    )
    assert not experts.repeats(forged)


@pytest.mark.covers("fj-10.1")
def test_too_few_experts_leave_nothing_behind(stage: Stage) -> None:
    with pytest.raises(BlockedError, match="可抽 5 人"):
        request(stage, {**IT, "count": 6})
    assert stage.document("request").node == "entry"
    assert listed(stage).draws == ()


@pytest.mark.covers("fj-10.1")
def test_whoever_declines_is_replaced_by_somebody_new(stage: Stage) -> None:
    request(stage, {**IT, "count": 2})
    first = sorted(live(stage))
    stage.take(who="integration", act="answer", on="request", given={"expert": first[0], "answer": "decline"})
    second = sorted(live(stage))
    assert first[0] not in second
    assert first[1] in second
    assert len(second) == 2
    assert listed(stage).repeated == (True, True)
    for code in second:
        stage.take(who="integration", act="answer", on="request", given={"expert": code, "answer": "accept"})
    assert stage.document("request").flags == {"answered", "complete"}


@pytest.mark.covers("fj-10.2")
def test_an_adjusted_request_keeps_those_who_still_fit(stage: Stage) -> None:
    request(stage, {**IT, "count": 2})
    before = sorted(live(stage))
    stage.take(who="integration", act="answer", on="request", given={"expert": before[0], "answer": "accept"})
    stage.acts("request", "adjust")
    stage.take(who="handler", save={"groups": [{**IT, "count": 1}, {**OFFICE, "count": 1}]}, on="request")
    stage.acts("request", "resubmit")
    found = {e.code: (e.group, e.state) for e in listed(stage).experts}
    assert found[before[0]] == (1, "accepted")
    assert found[before[1]][1] == "released" or found[before[1]] == (2, "waiting")
    assert sorted(group for group, state in found.values() if state != "released") == [1, 2]


@pytest.mark.covers("fj-10.3")
def test_a_withdrawn_request_releases_everyone(stage: Stage) -> None:
    request(stage, {**IT, "count": 2})
    stage.take(who="handler", act="cancel", on="request", given={"reason": "改期"})
    assert {e.state for e in listed(stage).experts} == {"released"}


@pytest.mark.covers("fj-10.4")
def test_personal_data_is_masked_by_role(stage: Stage) -> None:
    stage.plan()
    stage.enter(
        "expert_request/expert_request", "request", "plan", name="电脑论证", method="remote", review_on="2026-12-01",
        place="会议室", contact="李明", phone="0599-1234567", groups=[{**IT, "count": 1}],
    )  # fmt: skip
    stage.acts("request", "submit")
    own = listed(stage).experts[0]
    with stage.system.database.write() as tx:
        office = stage.person("procurement_first").unit.id
        tx.documents.add_parties(stage.document("request").id, [office])
        known = next(row for row in tx.experts.directory("fujian") if row.expert.code == own.code)
    assert (own.name, own.phone) == (f"{known.name[0]}**", f"138****{known.phone[-4:]}")
    assert own.id_number == "*" * 14 + known.expert.id_number[-4:]
    full = listed(stage, "procurement_first").experts[0]
    assert (full.name, full.phone) == (known.name, known.phone)
    assert full.id_number == own.id_number
    with pytest.raises(NotFoundError):
        listed(stage, "handler@member")
    assert own.drawn_at == datetime(2026, 11, 20, 4, tzinfo=UTC)

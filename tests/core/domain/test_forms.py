from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters import catalogue_file, processes
from core.domain import forms
from core.domain.documents import Situation
from core.service.situations import evaluator

BOOK = processes.load()
SITUATION = Situation(known=catalogue_file.load(), today=date(2026, 11, 20))
KNOWN = forms.Known(SITUATION.known, {7: "", 8: ""})
LINE = {"catalogue": "A02021003", "name": "激光打印机", "quantity": 2, "unit_price_fen": 100_000}


def form(**changes: Any) -> dict[str, Any]:
    good = {
        "name": "激光打印机",
        "lines": [LINE],
        "funding": [{"indicator": 7, "amount_fen": 200_000}],
        "implementation": "网上竞价",
    }
    return {**good, **changes}


def line(**changes: Any) -> dict[str, Any]:
    return {**form(), "lines": [{**LINE, **changes}]}


def completed(content: dict[str, Any], variant: str = "mall") -> tuple[forms.Form, dict[str, Any], Situation]:
    made = BOOK.get("neimenggu", "plan", variant).form
    situation = replace(SITUATION, variant=variant)
    full = forms.complete(made, content, evaluator(situation))
    return made, full, replace(situation, amount_fen=forms.amount(made, full, evaluator(situation)))


def errors(content: dict[str, Any], variant: str = "mall") -> dict[str, str]:
    made, full, situation = completed(content, variant)
    return forms.review(made, full, KNOWN, evaluator(situation)).errors


def test_a_good_form_has_no_errors() -> None:
    assert errors(form()) == {}
    assert errors(form(agency="AG0001"), "project") == {}
    assert errors(form(implementation=None), "direct") == {}


@pytest.mark.covers("nm-16")
@pytest.mark.parametrize(
    ("content", "field", "part"),
    [
        (line(catalogue="D9901"), "lines.0.catalogue", "下面没有品目"),
        (line(requirement="长" * 301), "lines.0.requirement", "301 字，不能超过 300 字"),
        (form(name="采购一批打印机"), "name", "要从采购目录里选"),
    ],
)
def test_the_three_causes_are_said_at_their_field(content: dict[str, Any], field: str, part: str) -> None:
    found = errors(content)
    assert list(found) == [field]
    assert part in found[field]


@pytest.mark.covers("nm-16")
def test_three_hundred_characters_are_still_right() -> None:
    assert errors(line(requirement="长" * 300)) == {}


@pytest.mark.covers("nm-23")
@pytest.mark.parametrize("chosen", ["网上竞价", "电商直购"])
def test_two_forms_of_implementation_whatever_the_amount(chosen: str) -> None:
    dear = {**LINE, "unit_price_fen": 10**9}
    funding = [{"indicator": 7, "amount_fen": 2 * 10**9}]
    assert errors(form(implementation=chosen)) == {}
    assert errors(form(implementation=chosen, lines=[dear], funding=funding)) == {}


@pytest.mark.covers("nm-23")
@pytest.mark.parametrize("chosen", [None, "", "直接订购", "随便"])
def test_any_other_is_refused_with_the_way_to_choose(chosen: str | None) -> None:
    found = errors(form(implementation=chosen))
    assert list(found) == ["implementation"]
    assert "网上竞价" in found["implementation"]
    assert "电商直购" in found["implementation"]


@pytest.mark.covers("nm-25")
def test_the_mall_has_to_know_the_item() -> None:
    server = form(name="服务器", lines=[{**LINE, "catalogue": "A02010301"}])
    assert "电子卖场没有“服务器”" in errors(server)["lines.0.catalogue"]
    assert errors(server, "direct") == {}


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({}, {"name", "lines", "funding", "implementation"}),
        (
            form(lines=[LINE, {}]),
            {"lines.1.catalogue", "lines.1.name", "lines.1.quantity", "lines.1.unit_price_fen"},
        ),
        (
            form(lines=["打印机"]),
            {"lines.0.catalogue", "lines.0.name", "lines.0.quantity", "lines.0.unit_price_fen"},
        ),
        (line(catalogue="A02"), {"lines.0.catalogue"}),
        (line(catalogue="Z1"), {"lines.0.catalogue"}),
        (line(quantity=0), {"lines.0.quantity"}),
        (line(quantity=True), {"lines.0.quantity"}),
        (line(quantity="2"), {"lines.0.quantity"}),
        (line(unit_price_fen=-1), {"lines.0.unit_price_fen"}),
        (line(unit_price_fen=10**13, quantity=10**8), {"lines.0.unit_price_fen"}),
        (form(funding=[{"indicator": 9, "amount_fen": 200_000}]), {"funding.0.indicator"}),
        (form(funding=[{"indicator": [7], "amount_fen": 200_000}]), {"funding.0.indicator"}),
        (form(funding=[{"indicator": 7, "amount_fen": 0}]), {"funding.0.amount_fen"}),
        (form(funding=[{"indicator": 7, "amount_fen": 199_999}]), {"funding"}),
        (form(name=["激光打印机"]), {"name"}),
    ],
)
def test_every_mistake_has_its_field(content: dict[str, Any], fields: set[str]) -> None:
    found = errors(content)
    assert set(found) == fields
    assert all(any("\u4e00" <= char <= "\u9fff" for char in sentence) for sentence in found.values())


def test_a_project_names_its_agency() -> None:
    assert set(errors(form(), "project")) == {"agency"}


def test_several_indicators_and_the_same_one_twice_add_up() -> None:
    rows = [
        {"indicator": 8, "amount_fen": 50_000},
        *({"indicator": 7, "amount_fen": 75_000} for _ in range(2)),
    ]
    content = form(funding=rows)
    assert errors(content) == {}
    assert forms.funding(completed(content)[0], content) == {7: 150_000, 8: 50_000}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(
            ["catalogue", "name", "quantity", "unit_price_fen", "requirement", "indicator", "amount_fen"]
        ),
        JSON,
    ),
    max_size=3,
)
FORMS = st.dictionaries(st.sampled_from(["name", "implementation", "agency"]), JSON).flatmap(
    lambda head: st.fixed_dictionaries({"lines": ROWS | JSON, "funding": ROWS | JSON}).map(
        lambda rest: head | rest
    )
)


@pytest.mark.covers("nm-16")
@given(FORMS, st.sampled_from(["mall", "project", "direct"]))
def test_whatever_comes_in_ends_as_field_errors(content: dict[str, Any], variant: str) -> None:
    found = errors(content, variant)
    assert all(isinstance(sentence, str) and sentence for sentence in found.values())
    made, _, situation = completed(content, variant)
    assert 0 <= situation.amount_fen < 2**63
    assert {key.split(".")[0] for key in found} <= {"name", "lines", "funding", "implementation", "agency"}
    if not found:
        assert sum(forms.funding(made, content).values()) == situation.amount_fen > 0

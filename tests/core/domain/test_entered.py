"""Fields that are worked out and may be typed too: unit price and total, either way round."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters import processes
from core.domain import forms
from core.domain.documents import Situation
from core.service.situations import evaluator

FORM = processes.load().get("anhui", "plan", "project").form
EVALUATE = evaluator(Situation(variant="project"))


def line(**given_: Any) -> dict[str, Any]:
    form = forms.complete(FORM, {"lines": [{"catalogue": "A02010301", "name": "服务器", **given_}]}, EVALUATE)
    return dict(form["lines"][0])


@pytest.mark.covers("ah-3.5.1")
@given(quantity=st.integers(1, 10**6), price=st.integers(1, 10**6))
def test_price_and_quantity_give_the_total(quantity: int, price: int) -> None:
    assert line(quantity=quantity, unit_price_fen=price)["total_fen"] == quantity * price
    typed_over = line(fill_by="price", quantity=quantity, unit_price_fen=price, total_fen=1)
    assert typed_over["total_fen"] == quantity * price


@pytest.mark.covers("ah-3.5.1")
@given(quantity=st.integers(1, 10**6), total=st.integers(1, 10**9))
def test_total_and_quantity_give_the_price(quantity: int, total: int) -> None:
    found = line(fill_by="total", quantity=quantity, total_fen=total, unit_price_fen=7)
    assert found["total_fen"] == total
    assert 0 <= total - quantity * found["unit_price_fen"] < quantity


def test_without_a_quantity_nothing_breaks() -> None:
    assert line(fill_by="total", total_fen=100)["unit_price_fen"] == 0
    assert line(fill_by="total", quantity=0, total_fen=100)["unit_price_fen"] == 0


def test_what_is_missing_is_named_where_it_is_typed() -> None:
    form = {"lines": [line(fill_by="total", quantity=2)]}
    errors = forms.review(FORM, form, forms.Known(Situation().known), EVALUATE).errors
    assert "lines.0.total_fen" in errors

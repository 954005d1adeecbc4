import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from core.domain.errors import InvalidError
from web.plan_input import PlanInput, from_core, from_page, to_core

words = st.text(alphabet="复印机A4 台", max_size=8).map(str.strip)
lines = st.fixed_dictionaries(
    {
        "catalogue": st.sampled_from(["A02020100", "A02010105"]),
        "name": words,
        "quantity": st.none() | st.integers(1, 10**6),
        "unit": words,
        "unit_price_fen": st.none() | st.integers(0, 10**9),
        "requirement": words,
    }
)
funds = st.fixed_dictionaries(
    {"indicator": st.integers(1, 99), "amount_fen": st.none() | st.integers(0, 10**12)}
)
forms = st.fixed_dictionaries(
    {
        "name": words,
        "lines": st.lists(lines, max_size=5),
        "funding": st.lists(funds, max_size=3),
        "agency": st.none() | st.just("AG0001"),
        "implementation": st.none() | st.sampled_from(["网上竞价", "电商直购"]),
        "need_by": st.sampled_from(["", "2026-12-31"]),
    }
)


def posted(page: PlanInput) -> MultiDict[str, str]:
    pairs = [
        ("name", page.name),
        ("need_by", page.need_by),
        ("agency", page.agency),
        ("implementation", page.implementation),
    ]
    pairs += [(f"line_{key}", line[key]) for line in page.lines for key in line]
    for row in page.funding:
        pairs += [("funding_indicator", row["indicator"]), ("funding_amount", row["amount"])]
    return MultiDict(pairs)


@given(forms)
def test_what_is_shown_comes_back_the_same(form: dict[str, object]) -> None:
    assert to_core(from_page(posted(from_core(form)))) == form


@given(st.lists(st.text(max_size=12), max_size=4), st.lists(st.text(max_size=12), max_size=4))
def test_nothing_typed_breaks_the_reading(quantities: list[str], prices: list[str]) -> None:
    fields = MultiDict([("line_quantity", q) for q in quantities] + [("line_price", p) for p in prices])
    page = from_page(fields)
    assert page.total_fen >= 0
    try:
        form = to_core(page)
    except InvalidError as refused:
        wrong = refused.fields
    else:
        wrong = {}
        assert all(isinstance(line["quantity"], int | None) for line in form["lines"])
    assert all(key.startswith("lines.") for key in wrong)


def test_wrong_cells_are_named() -> None:
    page = from_page(
        MultiDict(
            {
                "line_name": "复印机",
                "line_quantity": "三台",
                "line_price": "1.234",
                "funding_amount": "x",
                "funding_indicator": "",
            }
        )
    )
    with pytest.raises(InvalidError) as refused:
        to_core(page)
    assert set(refused.value.fields) == {"lines.0.quantity", "lines.0.unit_price_fen", "funding.0.amount_fen"}


def test_empty_rows_are_no_rows() -> None:
    page = from_page(
        MultiDict(
            [("line_name", " "), ("line_quantity", ""), ("funding_indicator", ""), ("funding_amount", "")]
        )
    )
    assert page.lines == []
    assert page.funding == []

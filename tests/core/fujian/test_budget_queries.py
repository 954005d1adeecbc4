"""Indicators from finance and all budgets of a unit and those below it (fj-1.1, fj-1.2)."""

import pytest

from core.service import budget_queries
from core.service.budget_queries import Budget, Origin
from tests.core.fujian.conftest import Fujian
from tests.support.pushing import push


def came(fujian: Fujian, unit: str, code: str, *, years_ago: int = 0) -> None:
    year = fujian.clock().year - years_ago
    body = {
        "division": "350299",
        "unit": unit,
        "year": year,
        "code": code,
        "name": "一体化指标",
        "add_fen": 500,
    }
    push(fujian.system, "finance.indicator", body, f"{unit}-{code}-{year}")


def from_finance(fujian: Fujian, text: str = "") -> list[Budget]:
    handler = fujian.person("handler")
    return budget_queries.budgets(fujian.system, handler, text=text, below=False, origin=Origin.SYNCHRONISED)


@pytest.mark.covers("fj-1.1")
def test_an_indicator_is_found_once_finance_has_pushed_it(fujian: Fujian) -> None:
    assert from_finance(fujian, "N-7") == []
    came(fujian, "101001", "N-7")
    came(fujian, "102001", "N-7")  # another unit's of the same code is not mine
    (found,) = from_finance(fujian, "n-7")
    assert (found.indicator.code, found.valid, found.why) == ("N-7", True, "")
    assert found.synchronised_at == fujian.clock()
    # those entered by hand have never been synchronised
    assert {item.indicator.code for item in from_finance(fujian)} == {"N-7"}


@pytest.mark.covers("fj-1.1")
def test_an_indicator_of_another_year_is_not_valid(fujian: Fujian) -> None:
    came(fujian, "101001", "OLD", years_ago=1)
    (found,) = from_finance(fujian, "OLD")
    assert not found.valid
    assert str(fujian.clock().year - 1) in found.why


@pytest.mark.covers("fj-1.2")
def test_budgets_entered_by_hand_and_synchronised_stand_side_by_side(fujian: Fujian) -> None:
    came(fujian, "101001", "N-7")
    found = budget_queries.budgets(fujian.system, fujian.person("handler"))
    assert {(item.indicator.code, item.origin) for item in found} == {
        *((f"Z-school-{number}", Origin.ENTERED) for number in range(1, 5)),
        ("N-7", Origin.SYNCHRONISED),
    }


@pytest.mark.covers("fj-1.2")
def test_units_below_are_included_unless_left_out(fujian: Fujian) -> None:
    above = fujian.person("supervising")
    came(fujian, "101001", "N-7")
    everywhere = budget_queries.budgets(fujian.system, above)
    assert {item.unit.code for item in everywhere} >= {"101001", "102001"}
    assert len(everywhere) == len({item.indicator.id for item in everywhere})
    assert budget_queries.budgets(fujian.system, above, below=False) == []
    # a unit does not see its neighbour
    own = budget_queries.budgets(fujian.system, fujian.person("handler"))
    assert {item.unit.code for item in own} == {"101001"}


@pytest.mark.covers("fj-1.2")
def test_whoever_buys_nothing_has_no_budgets(fujian: Fujian) -> None:
    assert budget_queries.budgets(fujian.system, fujian.person("agency")) == []

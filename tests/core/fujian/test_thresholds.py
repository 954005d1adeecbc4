"""Thresholds by city and category, at their boundaries and from their day on (fj-2.2.1, fj-4.1.1)."""

from datetime import date
from functools import partial
from typing import Any

import pytest

from core.adapters import catalogue_file
from core.adapters.processes import load
from core.domain import expressions, forms
from core.domain.documents import Situation
from core.domain.errors import NotFoundError
from core.domain.forms import Known

TODAY = date(2026, 11, 20)
BOOK = load()
CATALOGUE = catalogue_file.load()
CITIES = [  # division, works, goods and services; in ten thousand yuan, as the source has them
    ("350000", 100, 50),  # 省级
    ("350100", 100, 50),  # 福州
    ("350500", 100, 50),  # 泉州
    ("350600", 100, 50),  # 漳州
    ("350400", 100, 50),  # 三明
    ("350300", 100, 50),  # 莆田
    ("350128", 60, 50),  # 平潭
    ("350800", 60, 50),  # 龙岩
    ("350900", 60, 50),  # 宁德
    ("350700", 60, 50),  # 南平
    ("350200", 200, 100),  # 厦门
    ("350102", 100, 50),  # a county of 福州
    ("350203", 200, 100),  # a county of 厦门
]
TEN_THOUSAND = 1_000_000  # fen


def mistakes(kind: str, variant: str, form: dict[str, Any], division: str, amount_fen: int) -> set[str]:
    process = BOOK.get("fujian", kind, variant)
    values = BOOK.values["fujian"]
    situation = Situation(
        form=forms.names(process.form.fields, form), variant=variant, node="entry", division=division,
        amount_fen=amount_fen, today=TODAY, values=lambda name, *keys: values.on(name, TODAY, *keys),
    )  # fmt: skip
    known = Known(catalogue=CATALOGUE, indicators={1: ""})
    return set(
        forms.review(process.form, form, known, partial(expressions.evaluate, situation=situation)).errors
    )


def project(category: str, amount_fen: int, *, government: bool) -> dict[str, Any]:
    line = {"catalogue": "A0701", "name": "设备", "quantity": 1, "unit_price_fen": amount_fen}
    return {
        "name": "项目", "category": category, "implementation": "general", "government": government,
        "lines": [{**line, "total_fen": amount_fen, "listed": False}],
        "funding": [{"indicator": 1, "amount_fen": amount_fen}],
    }  # fmt: skip


@pytest.mark.covers("fj-2.2.1")
@pytest.mark.parametrize(("division", "works", "other"), CITIES)
@pytest.mark.parametrize("category", ["goods", "services", "works"])
def test_from_the_threshold_on_it_is_government_procurement(
    division: str, works: int, other: int, category: str
) -> None:
    line = (works if category == "works" else other) * TEN_THOUSAND

    def wrong(amount: int, *, government: bool) -> set[str]:
        return mistakes(
            "project", "project", project(category, amount, government=government), division, amount
        )

    assert wrong(line, government=False) == {"government"}
    assert wrong(line - 1, government=False) == set()
    assert wrong(line, government=True) == set()
    # One below the line counts only because of what was bought before: explanation and material.
    assert wrong(line - 1, government=True) == {"accumulated_note", "accumulated_file"}


@pytest.mark.covers("fj-4.1.1")
@pytest.mark.parametrize(("category", "line"), [("goods", 200), ("services", 200), ("works", 400)])
def test_below_the_line_everything_is_reserved_for_small_firms(category: str, line: int) -> None:
    amount = line * TEN_THOUSAND

    def wrong(amount: int, **policy: int | str) -> set[str]:
        form = {
            "name": "项目", "category": category, "organisation": "central", "method": "open", "contact": "甲",
            "phone": "0591-1234567",
            "lines": [{"catalogue": "A0701", "name": "设备", "quantity": 1, "unit_price_fen": amount, "total_fen": amount}],
            **policy,
        }  # fmt: skip
        found = mistakes("plan", "general", form, "350100", amount)
        return found & {"reserved_fen", "required_percent", "small_firm_reason"}

    assert wrong(amount, reserved_fen=amount) == set()
    assert wrong(amount, reserved_fen=amount - 1) == {"small_firm_reason"}
    assert wrong(amount, reserved_fen=0, small_firm_reason="没有中小企业生产") == set()
    assert wrong(amount, reserved_fen=amount + 1) == {"reserved_fen"}
    above = amount + 100
    share = above * 30 // 100
    assert wrong(above, reserved_fen=share) == {"required_percent"}
    assert wrong(above, reserved_fen=share, required_percent=30) == set()
    assert wrong(above, reserved_fen=share - 1, required_percent=30) == {"small_firm_reason"}


def test_no_threshold_is_told_for_a_day_before_its_own() -> None:
    values = BOOK.values["fujian"]
    assert values.on("dispersed_threshold", date(2024, 7, 29), "350100", "goods") == 50 * TEN_THOUSAND
    with pytest.raises(NotFoundError):
        values.on("dispersed_threshold", date(2024, 7, 28), "350100", "goods")

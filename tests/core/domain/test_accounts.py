import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.accounts import ROLE_LABELS, Role, account_number
from core.domain.errors import InvalidError


@pytest.mark.covers("nm-5")
@given(st.from_regex(r"[0-9]{6}", fullmatch=True), st.from_regex(r"[0-9A-Z]{3,9}", fullmatch=True))
def test_division_budget_code_and_01_or_02(division: str, budget: str) -> None:
    assert account_number(division, budget, Role.HANDLER) == division + budget + "01"
    assert account_number(division, budget, Role.REVIEWER) == division + budget + "02"


@pytest.mark.covers("nm-5")
@pytest.mark.parametrize(
    ("division", "budget", "role", "wrong"),
    [
        ("15029", "101001", Role.HANDLER, {"division"}),
        ("1502999", "101001", Role.HANDLER, {"division"}),
        ("１５０２９９", "101001", Role.HANDLER, {"division"}),
        ("150299\n", "101001", Role.HANDLER, {"division"}),
        ("150299", "10", Role.REVIEWER, {"budget_code"}),
        ("150299", "abc", Role.REVIEWER, {"budget_code"}),
        ("150299", "101001", Role.AGENCY, {"role"}),
        ("", "", Role.ADMIN, {"division", "budget_code", "role"}),
    ],
)
def test_every_wrong_part_is_named(division: str, budget: str, role: Role, wrong: set[str]) -> None:
    with pytest.raises(InvalidError) as caught:
        account_number(division, budget, role)
    assert caught.value.code == "account_number"
    assert set(caught.value.fields) == wrong
    assert all(str(sentence) in caught.value.message for sentence in caught.value.fields.values())


def test_every_role_has_a_word() -> None:
    assert set(ROLE_LABELS) == set(Role)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import InvalidError
from core.domain.money import parse_yuan, yuan

FEN = st.integers(min_value=0, max_value=10**14 - 1)


@given(FEN)
def test_what_is_shown_reads_back(fen: int) -> None:
    assert parse_yuan(yuan(fen)) == fen
    assert parse_yuan(f" ¥{yuan(fen)}元 ") == fen


@given(FEN)
def test_two_decimals_and_groups_of_three(fen: int) -> None:
    whole, _, cents = yuan(fen).partition(".")
    assert len(cents) == 2
    first, *rest = whole.split(",")
    assert 1 <= len(first) <= 3
    assert all(len(group) == 3 for group in rest)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("12,345.6", 1_234_560),
        ("12，345", 1_234_500),
        ("0.01", 1),
        ("¥8元", 800),
        ("12800.50", 1_280_050),
    ],
)
def test_ways_to_write(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text", ["", "-1", "1.234", "1e5", "一百", "1.2.3", "1" * 13, "0x10", "１２", "NaN", "1 2", "."]
)
def test_anything_else_is_refused_and_said(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_yuan(text)
    assert caught.value.code == "amount"
    assert "amount" in caught.value.fields


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_an_error(text: str) -> None:
    try:
        fen = parse_yuan(text)
    except InvalidError:
        return
    assert 0 <= fen < 10**14


def test_a_shortage_is_shown_with_its_sign() -> None:
    assert yuan(-123_456) == "-1,234.56"

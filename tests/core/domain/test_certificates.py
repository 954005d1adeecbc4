import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.certificates import Vendor, accepted, common_name, masked_login, serials


@given(st.integers(1, 2**160))
def test_a_serial_is_known_in_each_spelling(number: int) -> None:
    wanted = f"{number:X}"
    plain = f"{number:x}"
    pairs = ":".join(plain.zfill(len(plain) + len(plain) % 2)[i : i + 2] for i in range(0, len(plain), 2))
    for spelled in (wanted, plain, f"0x{plain}", f"00{wanted}", pairs, f" {plain} ", str(number)):
        assert wanted in serials(spelled)


@pytest.mark.parametrize("text", ["", "  ", "0x", "xyz", "１２３", "12.5", "-"])
def test_what_is_no_serial(text: str) -> None:
    assert serials(text) == frozenset()


def test_digits_may_be_either_and_letters_only_hexadecimal() -> None:
    assert serials("10") == {"10", "A"}
    assert serials("1A") == {"1A"}
    assert serials("0x10") == {"10"}


def test_vendors_by_their_spellings() -> None:
    vendors = [Vendor("北京CA", ("BJCA", "北京数字认证"))]
    assert accepted("CN=bjca rsa,O=BJCA,C=CN", vendors)
    assert not accepted("CN=别家,C=CN", vendors)
    assert accepted("CN=别家,C=CN", [])


@pytest.mark.parametrize(
    ("subject", "name"),
    [("CN=某局公章,O=某局,C=CN", "某局公章"), ("O=某局,CN=甲\\, 乙", "甲, 乙"), ("O=没有名字", "O=没有名字")],
)
def test_common_names(subject: str, name: str) -> None:
    assert common_name(subject) == name


def test_an_account_number_others_may_see() -> None:
    assert masked_login("15029910100101") == "150299******01"
    assert masked_login("12345678") == "********"

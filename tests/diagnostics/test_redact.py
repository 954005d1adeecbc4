import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.redact import mask_name, redact, scrub, serial_tail


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Bearer eyJhbGciOi.eyJzdWIiOiJ4.c2lnbmF0dXJl", "eyJzdWIiOiJ4"),
        ("pin: 112233 wrong", "112233"),
        ("口令＝112233".replace("＝", "="), "112233"),
        ("办理人 110101199003070011 已登记", "110101199003070011"),
        ("信用代码 91150100MA0ABCDE1X", "91150100MA0ABCDE1X"),
        ("电话 13800138000", "13800138000"),
        (r"C:\Users\zhangsan\AppData\x.dll", "zhangsan"),
        ("/" + "home/zhangsan/x.so", "zhangsan"),
    ],
)
def test_what_must_not_leave(text: str, gone: str) -> None:
    assert gone not in scrub(text)


@pytest.mark.parametrize(
    "text", ["驱动库 libsofthsm2.so 工作正常", "2026-12-10", "www.ccgp-neimenggu.gov.cn:80"]
)
def test_what_may_stay(text: str) -> None:
    assert scrub(text) == text


@settings(deadline=None)
@given(st.text(alphabet="0123456789abcdef", min_size=5, max_size=40))
def test_serials_show_their_last_four_only(serial: str) -> None:
    assert serial_tail(serial) == f"尾号 {serial[-4:]}"


def test_short_serials_and_names() -> None:
    assert "1234" not in serial_tail("1234")
    assert mask_name("张三") == "张*"
    assert mask_name("") == ""


def test_only_text_is_redacted() -> None:
    assert redact(12345678, "serial") == 12345678
    assert redact(None, "name") is None

import pytest

from core import demo
from core.domain.passwords import weaknesses

LOGIN = "15029910100101"


@pytest.mark.parametrize(
    "password", ["墨绿 的 3 只鹤飞过", "correct horse battery", "r7#Kp2!vQx", "Tianqi-hao-2x"]
)
def test_good_ones(password: str) -> None:
    assert weaknesses(password, LOGIN, "李明") == []


@pytest.mark.parametrize(
    ("password", "part"),
    [
        ("r7#Kp2!vQ", "10 个字符"),
        ("aabbaabbaabb", "重复"),
        (f"x{LOGIN}y", "账号"),
        ("my-150299-pw", "账号"),
        (demo.PASSWORD, "猜得到"),
        (demo.PASSWORD.lower() + "!!", "猜得到"),
        ("password-2026", "猜得到"),
        ("0123456789ab", "连着"),
        ("qwertyuiop12", "连着"),
        ("lkjhgfdsa7!x", "连着"),
        ("李明李明abc123x", "姓名"),
        ("", "10 个字符"),
    ],
)
def test_weak_ones_are_told_why(password: str, part: str) -> None:
    assert any(part in reason for reason in weaknesses(password, LOGIN, "李明"))

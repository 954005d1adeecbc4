import json

import pytest

from core.domain.errors import DataError
from web.wechat.config import load_channels

GOOD = {"token": "AToken01", "aes_key": "b" * 43, "app_id": "wx01", "secret": "hush-hush"}


def problems(source: str) -> list[str]:
    with pytest.raises(DataError) as caught:
        load_channels(source)
    return caught.value.problems


def test_from_text_and_from_file(tmp_path):
    text = json.dumps({"neimenggu": GOOD})
    (tmp_path / "channels.json").write_text(text, encoding="utf-8")
    assert load_channels(text) == load_channels(str(tmp_path / "channels.json"))
    channel = load_channels(text)["neimenggu"]
    assert (channel.name, channel.mode, channel.base_url) == (
        "neimenggu",
        "safe",
        "https://api.weixin.qq.com",
    )
    assert load_channels(" ") == {}


def test_secrets_are_not_shown():
    shown = repr(load_channels(json.dumps({"a": GOOD}))["a"])
    assert not any(GOOD[name] in shown for name in ("token", "aes_key", "secret"))


def test_all_mistakes_at_once_without_secrets():
    found = problems(json.dumps({"a": {**GOOD, "aes_key": "short-secret", "colour": 1}, "B": GOOD, "c": {}}))
    text = "\n".join(found)
    assert "通道 a：aes_key 格式不对" in text
    assert "通道 a：colour 不认识的项" in text
    assert "通道名 B" in text
    assert text.count("通道 c：") == 4
    assert "short-secret" not in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base_url": "http://api.weixin.qq.com"}, "https://"),
        ({"base_url": "http://127.0.0.1.example.org"}, "https://"),
        ({"base_url": "ftp://127.0.0.1"}, "https://"),
        ({"base_url": "https://user@example.org"}, "https://"),
        ({"mode": "plain"}, "只可用于本机"),
        ({"mode": "compatible"}, "safe 或 plain"),
    ],
)
def test_unsafe_settings_are_refused(change: dict[str, str], said: str):
    assert said in problems(json.dumps({"a": {**GOOD, **change}}))[0]


def test_broken_sources(tmp_path):
    assert "不是规范的 JSON" in problems('{"a": ')[0]
    assert "重复的项 a" in problems('{"a": {}, "a": {}}')[0]
    assert "无法读取" in problems(str(tmp_path / "none.json"))[0]

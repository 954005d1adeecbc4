import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message as peer_parse

from web.wechat.errors import WeChatError
from web.wechat.messages import (
    MAX_BODY_BYTES,
    Event,
    Image,
    Message,
    Other,
    Text,
    Voice,
    clean,
    parse_envelope,
    parse_message,
    read_fields,
    render,
    text_reply,
)

HEAD: dict[str, str | int] = {"ToUserName": "gh_1", "FromUserName": "oUser1", "CreateTime": 1714037059}


def body(kind: str, **fields: str | int) -> bytes:
    return render({**HEAD, "MsgType": kind, **fields}, "xml").encode()


def code_of(data: bytes) -> str:
    with pytest.raises(WeChatError) as caught:
        parse_message(data)
    return caught.value.code


def test_kinds():
    at = ("oUser1", "gh_1", 1714037059)
    assert parse_message(body("text", Content="你好", MsgId=1)) == Text(*at, "message:1", content="你好")
    image = parse_message(body("image", PicUrl="http://x/", MediaId="m", MsgId=2))
    assert image == Image(*at, "message:2", pic_url="http://x/", media_id="m")
    voice = parse_message(body("voice", MediaId="m", Format="amr", Recognition="", MsgId=3))
    assert voice == Voice(*at, "message:3", media_id="m", format="amr", recognition="")
    assert parse_message(body("video", MsgId=4)) == Other(*at, "message:4", kind="video")
    event = parse_message(body("event", Event="subscribe", EventKey="qrscene_7"))
    key = "event:oUser1:1714037059:subscribe"
    assert event == Event(*at, key, event="subscribe", event_key="qrscene_7")


def test_json_says_the_same_as_xml():
    data = {**HEAD, "MsgType": "text", "Content": "你好", "MsgId": 23456789012345678}
    assert parse_message(json.dumps(data).encode()) == parse_message(
        body("text", Content="你好", MsgId="23456789012345678")
    )


@pytest.mark.parametrize(
    "missing", ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId"]
)
def test_each_missing_field_is_named(missing: str):
    data = {**HEAD, "MsgType": "text", "Content": "a", "MsgId": 1}
    del data[missing]
    with pytest.raises(WeChatError) as caught:
        parse_message(json.dumps(data).encode())
    assert missing in caught.value.fields


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<xml>",
        b"<other/>",
        b"[]",
        b"{",
        b'{"a":' * 12000,
        b"\xff\xfe<xml/>",
        b"<xml>" + b"<a>" * 9000 + b"</a>" * 9000 + b"</xml>",
        json.dumps({**HEAD, "MsgType": "text", "MsgId": 1, "Content": "\ud800"}).encode(),
        json.dumps({**HEAD, "MsgType": "text", "MsgId": 1, "Content": "\0"}).encode(),
        b'{"n": ' + b"9" * 5000 + b"}",
        b'<?xml version="1.0" encoding="no-such-code"?><xml/>',
    ],
)
def test_malformed(data: bytes):
    assert code_of(data) == "wechat_malformed"


@pytest.mark.parametrize(
    ("declaration", "content"),
    [
        ('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>', "&b;"),
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "&a;"),
        ('<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd"> %a;]>', ""),
        ('<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd">', ""),
    ],
)
def test_entities_and_declarations_are_refused(declaration: str, content: str):
    """The message is complete: nothing but the declaration is wrong with it."""
    whole = body("text", Content="?", MsgId=1).decode().replace("<![CDATA[?]]>", content)
    assert code_of((declaration + whole).encode()) == "wechat_malformed"


def test_too_large():
    assert code_of(b" " * (MAX_BODY_BYTES + 1)) == "wechat_too_large"


@given(st.binary(max_size=400))
def test_random_bytes(data: bytes):
    for parse in (parse_message, parse_envelope):
        with contextlib.suppress(WeChatError):
            parse(data)


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8)
)
names = st.sampled_from(["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId", "Event"])
kinds = st.sampled_from(["text", "event", "image", "voice", "link"])


@given(st.dictionaries(names, scalars | st.lists(scalars, max_size=2)), kinds)
def test_random_fields(fields: dict[str, object], kind: str):
    data = json.dumps({**HEAD, "MsgType": kind, "MsgId": 1, **fields}).encode()
    with contextlib.suppress(WeChatError):
        message = parse_message(data)
        assert message.openid.isascii()
        assert message.key.encode()


@given(st.text(st.characters(codec=None)))
def test_no_reply_breaks_out_of_its_element(text: str):
    message = Text("oUser1", "gh_1", 1, "message:1", content="")
    for form in ("xml", "json"):
        fields, found = read_fields(text_reply(message, text, 5, form).encode())
        assert found == form
        assert set(fields) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}
        # XML reads \r as a line's end
        assert fields["Content"].replace("\r", "\n") == clean(text).replace("\r\n", "\n").replace(
            "\r", "\n"
        ) or (form == "json" and fields["Content"] == clean(text))


def test_the_peer_reads_our_xml_as_one_message():
    text = "a]]></Content><MsgType>event</MsgType><Content><![CDATA[]]>"
    message: Message = Text("oUser1", "gh_1", 1, "message:1", content="")
    xml = text_reply(message, text, 5, "xml").replace("</xml>", "<MsgId>1</MsgId></xml>")
    assert peer_parse(xml).content == text

"""What WeChat delivers, as frozen objects; and the replies it accepts. XML and JSON, as the operator chose.

Bodies come from outside: entities, DTDs, deep nesting, missing and wrong fields raise `WeChatError`, and
nothing else ever.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from web.wechat.errors import WeChatError

Format = Literal["xml", "json"]
MAX_BODY_BYTES = 64 * 1024  # a text has at most a few kilobytes; encrypted and base64 a little more

_OPENID = re.compile(r"[A-Za-z0-9_@.\-]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,12}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_EVENT = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
# What XML 1.0 cannot carry; PostgreSQL cannot store NUL either
_FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Message:
    """What all deliveries share. `created_at` is in seconds UTC; `to_user` is the public account."""

    openid: str
    to_user: str
    created_at: int
    key: str
    """The same for each delivery of one message: MsgId; for events user, time and event (WeChat's advice)."""


@dataclass(frozen=True, slots=True)
class Text(Message):
    """Words of the user."""

    content: str


@dataclass(frozen=True, slots=True)
class Image(Message):
    """A picture; `media_id` is fetched within three days."""

    pic_url: str
    media_id: str


@dataclass(frozen=True, slots=True)
class Voice(Message):
    """Speech; `recognition` is WeChat's own transcript, empty since 2023."""

    media_id: str
    format: str
    recognition: str


@dataclass(frozen=True, slots=True)
class Event(Message):
    """subscribe, unsubscribe, SCAN, CLICK, VIEW …; `event_key` is the menu key or the scene."""

    event: str
    event_key: str


@dataclass(frozen=True, slots=True)
class Other(Message):
    """A kind we do not read: video, location, link …"""

    kind: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outer body of safe mode: only `encrypted` is to be trusted, once its signature holds."""

    encrypted: str
    format: Format


def parse_envelope(body: bytes) -> Envelope:
    """Read the outer body of a delivery in safe mode; raises `wechat_malformed`, `wechat_too_large`."""
    fields, body_format = read_fields(body)
    return Envelope(encrypted=_need(fields, "Encrypt"), format=body_format)


def parse_message(body: bytes) -> Message:
    """Read a decrypted (or plain) body; raises `wechat_malformed`, `wechat_too_large`."""
    fields, _ = read_fields(body)
    kind = _need(fields, "MsgType", _EVENT).lower()
    openid = _need(fields, "FromUserName", _OPENID)
    to_user = _need(fields, "ToUserName", _OPENID)
    created_at = int(_need(fields, "CreateTime", _NUMBER))
    if kind == "event":
        event = _need(fields, "Event", _EVENT)
        key = f"event:{openid}:{created_at}:{event}"
        return Event(openid, to_user, created_at, key, event=event, event_key=fields.get("EventKey", ""))
    if kind == "text":
        return Text(
            openid, to_user, created_at, _id_key(fields), content=_need(fields, "Content", empty=True)
        )
    if kind == "image":
        pic_url, media_id = fields.get("PicUrl", ""), _need(fields, "MediaId")
        return Image(openid, to_user, created_at, _id_key(fields), pic_url=pic_url, media_id=media_id)
    if kind == "voice":
        media_id, audio = _need(fields, "MediaId"), fields.get("Format", "")
        words = fields.get("Recognition", "").strip()
        key = _id_key(fields)
        return Voice(openid, to_user, created_at, key, media_id=media_id, format=audio, recognition=words)
    key = _id_key(fields) if "MsgId" in fields else f"other:{openid}:{created_at}:{kind}"
    return Other(openid, to_user, created_at, key, kind=kind)


def read_fields(body: bytes) -> tuple[dict[str, str], Format]:
    """The top-level scalar fields of an XML or JSON body, and which of the two it was."""
    if len(body) > MAX_BODY_BYTES:
        raise WeChatError("消息过大，未处理。", code="wechat_too_large")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _malformed("正文不是 UTF-8") from error
    if text.lstrip().startswith("{"):
        return _json_fields(text), "json"
    return _xml_fields(text), "xml"


def clean(text: str) -> str:
    """`text` without the characters that XML 1.0 (and so WeChat) cannot carry."""
    return _FORBIDDEN.sub("", text)


def text_reply(message: Message, text: str, created_at: int, body_format: Format) -> str:
    """A passive text reply to `message`; `created_at` in seconds UTC."""
    values: dict[str, str | int] = {
        "ToUserName": message.openid,
        "FromUserName": message.to_user,
        "CreateTime": created_at,
    }
    return render({**values, "MsgType": "text", "Content": text}, body_format)


def render(values: dict[str, str | int], body_format: Format) -> str:
    """`values` as WeChat's XML or JSON body; no value can break out of its element."""
    cleaned = {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}
    if body_format == "json":
        return json.dumps(cleaned, ensure_ascii=False)
    return (
        "<xml>" + "".join(f"<{name}>{_content(value)}</{name}>" for name, value in cleaned.items()) + "</xml>"
    )


def _content(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    # "]]>" would end the section and let the rest be read as elements: split it over two sections
    return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _xml_fields(text: str) -> dict[str, str]:
    try:
        root = fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise _malformed("正文不是规范的 XML") from error
    if root.tag != "xml":
        raise _malformed("缺少 xml 根元素")
    return {child.tag: child.text or "" for child in root if len(child) == 0}


def _json_fields(text: str) -> dict[str, str]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _malformed("正文不是规范的 JSON") from error
    if not isinstance(data, dict):
        raise _malformed("正文不是 JSON 对象")
    scalars = {name: value for name, value in data.items() if isinstance(value, str | int | float)}
    fields = {name: value if isinstance(value, str) else str(value) for name, value in scalars.items()}
    if any(_FORBIDDEN.search(value) for value in fields.values()):
        raise _malformed("正文含有不允许的字符")
    return fields


def _need(
    fields: dict[str, str], name: str, shape: re.Pattern[str] | None = None, *, empty: bool = False
) -> str:
    value = fields.get(name)
    if value is None or (not value and not empty):
        raise _malformed(f"缺少 {name}", name)
    if shape is not None and not shape.fullmatch(value):
        raise _malformed(f"{name} 的格式不对", name)
    return value


def _id_key(fields: dict[str, str]) -> str:
    return "message:" + _need(fields, "MsgId", _MESSAGE_ID)


def _malformed(what: str, field: str | None = None) -> WeChatError:
    fields = {field: what} if field else {}
    return WeChatError(f"消息格式不正确：{what}，未处理。", code="wechat_malformed", fields=fields)

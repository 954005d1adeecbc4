"""Channels are data: JSON in `CAIGOU_WECHAT_CHANNELS`, either the text itself or the path of a file.

{"neimenggu": {"token": "…", "aes_key": "…", "app_id": "wx…", "secret": "…"}}
"""

import json
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from core.domain.errors import DataError
from web.wechat.crypto import MessageCrypto

_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,31}")
_SENTENCES = {
    "missing": "缺少",
    "extra_forbidden": "不认识的项",
    "string_pattern_mismatch": "格式不对",
    "string_too_short": "太短",
    "string_too_long": "太长",
    "string_type": "应为字符串",
    "literal_error": "只能是 safe 或 plain",
}


class Channel(BaseModel):
    """One public account. Secrets are kept out of `repr` and of error texts."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str
    token: str = Field(repr=False, pattern=r"^[A-Za-z0-9]{3,32}$")
    aes_key: str = Field(repr=False, pattern=r"^[A-Za-z0-9]{43}$")
    app_id: str = Field(min_length=1, max_length=64)
    secret: str = Field(repr=False, min_length=1, max_length=128)
    base_url: str = "https://api.weixin.qq.com"
    proxy: str | None = Field(default=None, repr=False)
    greeting: str | None = Field(default=None, min_length=1, max_length=600)
    mode: Literal["safe", "plain"] = "safe"
    """plain exists for a counterpart on loopback only: there the signature does not cover the body."""

    @field_validator("base_url")
    @classmethod
    def _no_secret_in_the_clear(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.query or parts.fragment or parts.username or not parts.hostname:
            raise ValueError("应为 https:// 开头的地址")
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
            raise ValueError("应为 https:// 开头的地址（http:// 只可用于本机）")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _plain_stays_at_home(self) -> Self:
        if self.mode == "plain" and not _is_loopback(urlsplit(self.base_url).hostname or ""):
            raise ValueError("mode 为 plain 时正文不受签名保护，只可用于本机联调；正式环境请用 safe")
        return self

    @property
    def crypto(self) -> MessageCrypto:
        """Signs, checks, encrypts and decrypts for this channel."""
        return MessageCrypto(self.token, self.aes_key, self.app_id)


def load_channels(source: str) -> dict[str, Channel]:
    """Channels by name from JSON text or the path of a JSON file; an empty `source` gives none.

    Raises `DataError` with every mistake found; values never appear in it, since they are secrets.
    """
    if not source.strip():
        return {}
    origin = "CAIGOU_WECHAT_CHANNELS"
    try:
        if not source.lstrip().startswith("{"):
            origin = source
            source = Path(source).read_text(encoding="utf-8")
        data = json.loads(source, object_pairs_hook=_no_duplicates)
    except OSError as error:
        raise DataError([f"{origin}: 无法读取（{error.strerror}）"]) from error
    except json.JSONDecodeError as error:
        # `from None`: the error carries the whole document, secrets included
        raise DataError([f"{origin}:{error.lineno}: 不是规范的 JSON"]) from None
    except ValueError as error:
        raise DataError([f"{origin}: {error}"]) from None
    return _channels(data, origin)


def _channels(data: object, origin: str) -> dict[str, Channel]:
    if not isinstance(data, dict):
        raise DataError([f"{origin}: 应为以通道名为键的 JSON 对象"])
    channels: dict[str, Channel] = {}
    problems: list[str] = []
    for name, values in data.items():
        if not _NAME.fullmatch(name):
            problems.append(f"{origin}: 通道名 {name} 应以小写字母开头，只含小写字母、数字、- 和 _")
        elif not isinstance(values, dict) or "name" in values:
            problems.append(f"{origin}: 通道 {name} 应为 JSON 对象，且不另写 name")
        else:
            try:
                channels[name] = Channel.model_validate({**values, "name": name})
            except ValidationError as error:
                problems += [f"{origin}: 通道 {name}：{_sentence(e)}" for e in _details(error)]
    if problems:
        raise DataError(problems)
    return channels


def _details(error: ValidationError) -> list[tuple[str, str, str]]:
    """(field, kind, message) of each mistake."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return [(".".join(str(part) for part in e["loc"]), e["type"], e["msg"]) for e in details]


def _sentence(detail: tuple[str, str, str]) -> str:
    field, kind, message = detail
    if kind == "value_error":
        return f"{field} {message.removeprefix('Value error, ')}".strip()
    return f"{field} {_SENTENCES.get(kind, '值不对')}"


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen = dict(pairs)
    if len(seen) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError("重复的项 " + "、".join(sorted({n for n in names if names.count(n) > 1})))
    return seen


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""Idempotency: the same key brings the same result and does nothing twice."""

import hashlib
import json
from typing import Any

from core.domain.accounts import Account
from core.domain.errors import InvalidError
from core.service.ports import Transaction
from core.service.system import System

_KEY_LIMIT = 80


def digest(request: object) -> str:
    """Stable digest of a request's content."""
    text = json.dumps(request, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def earlier(tx: Transaction, actor: Account, key: str, request: object) -> Any | None:
    """Result that this key brought before; InvalidError when it was used for something else."""
    if not 0 < len(key) <= _KEY_LIMIT:
        raise InvalidError(
            f"操作编号要在 1 到 {_KEY_LIMIT} 个字符之间", code="bad_key", fields={"key": "长度不对"}
        )
    known = tx.records.remembered(actor.id, key)
    if known is None:
        return None
    if known[0] != digest(request):
        raise InvalidError(
            "这个操作编号已经用于另一个操作，请换一个", code="key_reused", fields={"key": "重复使用"}
        )
    return known[1]


def keep(tx: Transaction, actor: Account, key: str, request: object, result: Any, system: System) -> None:
    """Remember the result under the key, in the same transaction as the act itself."""
    tx.records.remember(actor.id, key, digest(request), result, system.clock())

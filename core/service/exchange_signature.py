"""Signatures on messages between systems: HMAC-SHA256 with a secret that the two sides share.

A signature covers who it is meant for (a message to the mall cannot be turned round and given back as one from it),
the time, a nonce, the idempotency key and the body. Repeating a signed message is harmless: its key is signed with
it, and a key acts once. The time limit only bounds how long a stolen message can bother a receiver.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime

from core.domain.errors import AuthenticationError

KEY, TIME, NONCE, SIGNATURE = "Idempotency-Key", "X-Caigou-Time", "X-Caigou-Nonce", "X-Caigou-Signature"
_TIME = re.compile(r"[0-9]{1,12}\Z")
TOLERANCE = 300  # seconds that the two clocks may differ
PLATFORM = "platform"  # whom messages from other systems are meant for; they add a colon and their name


def sign(secret: bytes, audience: str, key: str, body: bytes, now: datetime) -> dict[str, str]:
    """Headers to send along with `body` to `audience`."""
    time, nonce = str(int(now.timestamp())), secrets.token_hex(16)
    return {KEY: key, TIME: time, NONCE: nonce, SIGNATURE: _mac(secret, audience, time, nonce, key, body)}


def verify(secret: bytes, audience: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The idempotency key of a genuine message; AuthenticationError codes: bad_signature, stale_signature."""
    found = {name.lower(): value for name, value in headers.items()}
    key, time, nonce, given = (found.get(name.lower(), "") for name in (KEY, TIME, NONCE, SIGNATURE))
    expected = _mac(secret, audience, time, nonce, key, body)
    if not key or not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
        raise AuthenticationError("签名不对，没有办理", code="bad_signature")
    if not _TIME.match(time) or abs(int(time) - now.timestamp()) > TOLERANCE:
        raise AuthenticationError(
            f"签名时间与这边的时钟相差超过 {TOLERANCE // 60} 分钟，没有办理，请核对服务器时间",
            code="stale_signature",
        )
    return key


def _mac(secret: bytes, audience: str, time: str, nonce: str, key: str, body: bytes) -> str:
    # Each part is hashed first, so that no part can run over into its neighbour.
    parts = (audience.encode(), time.encode(), nonce.encode(), key.encode(errors="replace"), body)
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    return hmac.new(secret, digests, hashlib.sha256).hexdigest()

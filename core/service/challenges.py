"""Proof that somebody holds a certificate's key: the server's own text, signed once, within two minutes."""

import base64
import binascii
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from core.domain.certificates import KeyCertificate
from core.domain.errors import AuthenticationError, InvalidError
from core.service.accounts import digest
from core.service.system import System

Purpose = Literal["sign_in", "bind"]
LABELS: dict[str, str] = {"sign_in": "登录", "bind": "绑定"}
# Whoever signs can see what for, and a signature over it means nothing anywhere else.
PATTERN = re.compile(r"caigou-v1:(sign_in|bind):[A-Za-z0-9_-]{43}\Z")
_LONGEST_PROOF = 32 * 1024


@dataclass(frozen=True)
class Challenge:
    """What is to be signed, as UTF-8 bytes."""

    text: str
    expires_at: datetime


def issue(system: System, purpose: Purpose) -> Challenge:
    """A new challenge; only its hash is kept."""
    now = system.clock()
    text = f"caigou-v1:{purpose}:{secrets.token_urlsafe(32)}"
    expires = now + timedelta(seconds=system.rules.challenge_seconds)
    with system.database.write() as tx:
        tx.identities.forget_one_time(before=now)
        tx.identities.issue(digest(text), f"challenge:{purpose}", None, {}, expires)
    return Challenge(text, expires)


def proven(system: System, purpose: Purpose, challenge: str, proof: str) -> KeyCertificate:
    """The certificate whose key signed `challenge`; the challenge is used up whatever comes of it.

    `proof` is base64 of the JSON object {"certificate": DER, "signature": …}, both base64.
    Errors: AuthenticationError challenge_gone, signature_wrong; InvalidError bad_proof, certificate_unusable.
    """
    text = challenge.strip()
    with system.database.write() as tx:
        taken = tx.identities.take(digest(text), f"challenge:{purpose}")
    if taken is None or taken.expires_at <= system.clock():
        raise AuthenticationError(
            "这段验证文字已经用过，或超过了 2 分钟，请重新取一段再签", code="challenge_gone"
        )
    der, signature = _parts(proof)
    held = system.certificates.read(der)
    fault = system.certificates.why_not(der, system.clock())
    if fault:
        raise InvalidError(fault, code="certificate_unusable", fields={"proof": fault})
    if not system.certificates.signed(der, text.encode(), signature):
        raise AuthenticationError(
            "签名和验证文字对不上，请确认签的是页面上现在这一段", code="signature_wrong"
        )
    return held


def pack(der: bytes, signature: bytes) -> str:
    """`proof` of a certificate and a signature."""
    parts = {"certificate": base64.b64encode(der).decode(), "signature": base64.b64encode(signature).decode()}
    return base64.b64encode(json.dumps(parts).encode()).decode()


def _parts(proof: str) -> tuple[bytes, bytes]:
    try:
        parts = json.loads(base64.b64decode("".join(proof[:_LONGEST_PROOF].split()), validate=True))
        certificate, signature = parts["certificate"], parts["signature"]
        return base64.b64decode(certificate, validate=True), base64.b64decode(signature, validate=True)
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise InvalidError(
            "签名结果不完整，请把命令输出的一整段都粘贴过来", code="bad_proof", fields={"proof": "不完整"}
        ) from error

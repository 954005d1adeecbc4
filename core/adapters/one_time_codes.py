"""Codes of RFC 6238 with pyotp; secrets lie in the database encrypted."""

import base64
import hmac
from datetime import datetime

import pyotp
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ISSUER = "政府采购助手"
_DRIFT = (0, -1, 1)  # steps: clocks of telephones are half a minute off at times


class TotpCodes:
    """Implements `core.service.identity_ports.OneTimeCodes`."""

    def __init__(self, key: bytes) -> None:
        """`key` is the installation's secret; with another one, all have to enrol anew."""
        derived = HKDF(SHA256(), length=32, salt=None, info=b"second factor").derive(key)
        self._box = Fernet(base64.urlsafe_b64encode(derived))

    def new_secret(self) -> str:
        """A fresh secret, encrypted."""
        return self._box.encrypt(pyotp.random_base32().encode()).decode()

    def plain(self, secret: str) -> str:
        """The secret for typing in."""
        return self._box.decrypt(secret.encode()).decode()

    def address(self, secret: str, login: str) -> str:
        """`otpauth://…` for an app to scan."""
        return pyotp.TOTP(self.plain(secret)).provisioning_uri(name=login, issuer_name=ISSUER)

    def step(self, secret: str, code: str, now: datetime) -> int | None:
        """Time step that `code` belongs to, one to either side of now; None for a wrong one."""
        totp = pyotp.TOTP(self.plain(secret))
        for drift in _DRIFT:
            if hmac.compare_digest(totp.at(now, counter_offset=drift).encode(), code.encode()):
                return totp.timecode(now) + drift
        return None

"""The key of audit checkpoints (Ed25519) and the folder of daily ones, under the installation's `var`."""

import base64
import binascii
from datetime import date
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from core.adapters.written_once import OWNER_ONLY, write_once
from core.domain.errors import InvalidError

KEY, PUBLIC, FOLDER = "audit-key.pem", "audit-key.pub", "checkpoints"


class FileKey:
    """Implements `core.service.checkpoints.CheckpointKey`; made on first use, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        """The key of the installation whose `var` is `folder`; the public half is written beside it."""
        path = folder / KEY
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        loaded = load_pem_private_key(path.read_bytes(), None)
        if not isinstance(loaded, Ed25519PrivateKey):
            raise InvalidError(
                f"{path} 不是 Ed25519 密钥，请从备份恢复", code="bad_key", fields={"file": str(path)}
            )
        self._key = loaded
        beside = folder / PUBLIC
        if not beside.exists():
            beside.write_text(f"{self.public}\n", encoding="ascii")

    @property
    def public(self) -> str:
        """Base64 of the 32 bytes."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def sign(self, body: bytes) -> str:
        """Base64 of the signature."""
        return base64.b64encode(self._key.sign(body)).decode()

    def genuine(self, public: str, body: bytes, signature: str) -> bool:
        """Whether the owner of `public` signed `body`."""
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
            key.verify(base64.b64decode(signature, validate=True), body)
        except (InvalidSignature, ValueError, binascii.Error):
            return False
        return True


def _make(path: Path) -> None:
    body = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_once(path, body, mode=OWNER_ONLY)


class DailyShelf:
    """Implements `core.service.checkpoints.Shelf`: `audit-2026-11-20.json` and so on."""

    def __init__(self, folder: Path) -> None:
        """Under the `var` of an installation."""
        self._folder = folder / FOLDER

    def has(self, day: date) -> bool:
        """Whether there is one of that day."""
        return self._file(day).exists()

    def latest(self) -> str | None:
        """The newest one."""
        found = sorted(self._folder.glob("audit-*.json"))
        return found[-1].read_text(encoding="utf-8") if found else None

    def keep(self, day: date, text: str) -> None:
        """Write it; the first of several workers wins."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_once(self._file(day), text.encode())

    def _file(self, day: date) -> Path:
        return self._folder / f"audit-{day}.json"

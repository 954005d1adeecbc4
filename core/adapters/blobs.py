"""Files by content hash: written whole or not at all, never overwritten."""

import hashlib
import os
import tempfile
from pathlib import Path

from core.domain.errors import NotFoundError


class FileBlobs:
    """Implements `core.service.ports.Blobs` in a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder; it is made when first needed."""
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Keep `content`; its SHA-256 in hex is its name."""
        name = hashlib.sha256(content).hexdigest()
        target = self._folder / name[:2] / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=target.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(target)
        return name

    def get(self, sha256: str) -> bytes:
        """Content by name; NotFoundError when it is gone or no longer what it was."""
        target = self._folder / sha256[:2] / sha256
        content = target.read_bytes() if target.exists() else b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise NotFoundError("文件不在了或已损坏，请联系管理员", code="file_missing")
        return content

"""The installation's secret: cookies, WeChat's hashes and second factors hang on it."""

import os
from pathlib import Path

from core.adapters.written_once import own_secret


def secret_key(folder: Path) -> bytes:
    """CAIGOU_SECRET_KEY, else 32 bytes in `folder`, made on first start and readable by the owner only."""
    given = os.environ.get("CAIGOU_SECRET_KEY")
    return given.encode() if given else own_secret(folder / "secret-key")

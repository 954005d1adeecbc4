"""The installation's secret: cookies, WeChat's hashes and second factors hang on it."""

import os
import secrets
from pathlib import Path


def secret_key(folder: Path) -> bytes:
    """CAIGOU_SECRET_KEY, else 32 bytes in `folder`, made on first start and readable by the owner only."""
    given = os.environ.get("CAIGOU_SECRET_KEY")
    if given:
        return given.encode()
    path = folder / "secret-key"
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return path.read_bytes()
    fresh = path.with_name(f".secret-key-{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_bytes(secrets.token_bytes(32))
    try:
        os.link(fresh, path)  # whole or not at all, and the first of several processes wins
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes()

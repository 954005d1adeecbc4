"""Files that several processes may want to make at once: one of them does, and nobody ever sees half of one."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

OWNER_ONLY = 0o600


def write_once(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Make the file, whole or not at all. Where it is there already, or somebody is faster, theirs stays."""
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    fresh.touch(mode=mode)
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(
                file.fileno()
            )  # a name without its content, after a power cut, would be an empty key for good
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()


def own_secret(path: Path) -> bytes:
    """32 random bytes that only the owner can read, made on first use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_once(path, secrets.token_bytes(32), mode=OWNER_ONLY)
    return path.read_bytes()

"""What the key libraries on this desk show: each library is read once for a run, in a child of its own."""

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from core.adapters.token_lock import BusyError, alone, store
from diagnostics import child
from diagnostics.library_file import Architecture, architecture

CHILD = Path(__file__).with_name("pkcs11_child.py")
MAX_MODULES = 8
KEY_READING = ("cryptography", "pkcs11", "pydantic")  # modules that reading a key needs
How = Literal["ok", "missing", "architecture", "error", "crash", "hang", "exit", "busy"]


@dataclass(frozen=True)
class ErrorData:
    """Type and text of an error inside the child; the text is often empty."""

    type: str
    detail: str = ""


@dataclass(frozen=True)
class TokenData:
    """A token's description and the names of its flags."""

    label: str
    manufacturer: str
    model: str
    serial: str
    flags: list[str]


@dataclass(frozen=True)
class CertificateData:
    """A public certificate; only `error` is set where it could not be read."""

    id: str | None = None
    subject: str | None = None
    issuer: str | None = None
    issuer_names: str | None = None
    authority: bool = False
    der: str | None = None
    serial: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    usage: list[str] | None = None
    key: str | None = None
    sha256: str | None = None
    error: ErrorData | None = None


@dataclass(frozen=True)
class PublicKeyData:
    """A public key object: its id and fingerprint."""

    id: str | None = None
    key: str | None = None
    error: ErrorData | None = None


@dataclass(frozen=True)
class SlotData:
    """One slot; `token` is None where it is empty."""

    slot: int
    token: TokenData | None = None
    certificates: list[CertificateData] = field(default_factory=list)
    public_keys: list[PublicKeyData] = field(default_factory=list)
    error: ErrorData | None = None

    @property
    def ready(self) -> bool:
        """An initialised token is in it."""
        return self.token is not None and "TOKEN_INITIALIZED" in self.token.flags


@dataclass(frozen=True)
class ModuleDocument:
    """The child's document."""

    slots: list[SlotData]
    error: ErrorData | None = None


@dataclass(frozen=True)
class ModuleReading:
    """How reading one library ended. `detail`: error type, signal or exit code; `stage`: how far it came."""

    path: Path
    how: How
    architecture: Architecture
    detail: str = ""
    stage: str = ""
    slots: tuple[SlotData, ...] = ()
    duration_ms: int = 0

    @property
    def tokens(self) -> tuple[SlotData, ...]:
        """Slots with an initialised token."""
        return tuple(slot for slot in self.slots if slot.ready)


class Inventory:
    """Libraries to read, read on first use; later probes of the same run share the readings."""

    def __init__(self, modules: Sequence[Path]) -> None:
        """`modules`: at most the first MAX_MODULES are read."""
        self.modules = tuple(modules[:MAX_MODULES])
        self._lock = Lock()
        self._readings: tuple[ModuleReading, ...] | None = None

    def readings(self, limit_s: float) -> tuple[ModuleReading, ...]:
        """Readings in the order of the libraries, each within `limit_s` seconds."""
        with self._lock:
            if self._readings is None:
                with ThreadPoolExecutor(max_workers=MAX_MODULES) as pool:
                    self._readings = tuple(pool.map(lambda path: read(path, limit_s), self.modules))
            return self._readings

    def tokens(self, limit_s: float) -> tuple[SlotData, ...]:
        """Initialised tokens of all libraries; one key seen through two libraries counts once."""
        seen: dict[tuple[str, str], SlotData] = {}
        for reading in self.readings(limit_s):
            for slot in reading.tokens:
                if slot.token:
                    seen.setdefault((slot.token.manufacturer, slot.token.serial), slot)
        return tuple(seen.values())

    def certificates(self, limit_s: float, *, authorities: bool = False) -> tuple[CertificateData, ...]:
        """Readable public certificates, each once: the holder's own, or those of authorities."""
        found = [item for slot in self.tokens(limit_s) for item in slot.certificates if item.sha256]
        return tuple({item.sha256: item for item in found if item.authority is authorities}.values())


def read(path: Path, limit_s: float, *, load_only: bool = False) -> ModuleReading:
    """Read one library: the file's header here, everything else in a child.

    `load_only` for a library that is not PKCS#11: it is loaded and nothing in it is called.
    """
    if not path.is_file():
        return ModuleReading(path, "missing", "unknown")
    built_for = architecture(path)
    bits = "64" if sys.maxsize > 2**32 else "32"
    if built_for in ("32", "64") and built_for != bits:
        return ModuleReading(path, "architecture", built_for)
    if not os.access(path, os.R_OK):
        return ModuleReading(path, "error", built_for, "PermissionError")
    arguments = [*_command(), *(["--load-only"] if load_only else []), str(path)]
    started = time.monotonic()
    try:
        # Half of the time may go into waiting: what follows must still be able to read the key.
        with alone(store(path, os.environ), limit_s / 2) as lock:
            outcome = child.run_json(arguments, limit_s - (time.monotonic() - started), (lock,))
    except BusyError:
        return ModuleReading(path, "busy", built_for, duration_ms=round((time.monotonic() - started) * 1000))
    return _reading(path, built_for, outcome)


def _reading(path: Path, built_for: Architecture, outcome: child.Outcome) -> ModuleReading:
    if outcome.document is None:
        how: How = "exit" if outcome.how == "document" else outcome.how
        return ModuleReading(
            path, how, built_for, outcome.detail, outcome.stage, duration_ms=outcome.duration_ms
        )
    try:
        document = _validated(outcome.document)
    except ValueError:
        return ModuleReading(path, "error", built_for, "BadDocument", outcome.stage)
    if document.error:
        return ModuleReading(path, "error", built_for, document.error.type, outcome.stage)
    return ModuleReading(path, "ok", built_for, "", outcome.stage, tuple(document.slots), outcome.duration_ms)


def _command() -> list[str]:
    """How this Python starts the child: by its file, or through the single-file build it lies in."""
    if CHILD.is_file():
        return [str(CHILD)]
    archive = next(folder for folder in CHILD.parents if folder.is_file())
    return [str(archive), "pkcs11-child"]


def _validated(document: dict[str, Any]) -> ModuleDocument:
    """ValueError for anything but the child's document; what we do not know in it is ignored."""
    return _adapter().validate_python(document)  # type: ignore[no-any-return]


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter  # not needed where no library can be read

    return TypeAdapter(ModuleDocument)


def find_modules(names: Sequence[str], folders: Sequence[Path]) -> list[Path]:
    """Existing libraries of these file names in these folders, each name once."""
    found = []
    for name in names:
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if path:
            found.append(path)
    return found


def system_folders() -> list[Path]:
    """Where Windows keeps libraries of the two word sizes; nothing elsewhere."""
    root = os.environ.get("SystemRoot")  # noqa: SIM112 – Windows spells it so
    return [Path(root) / "System32", Path(root) / "SysWOW64"] if root else []

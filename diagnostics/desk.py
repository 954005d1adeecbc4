"""The machine behind a port: Windows services, profile folders, processes and TCP ports."""

import os
import platform
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import psutil

Presence = Literal["running", "stopped", "absent", "denied", "error"]


@dataclass(frozen=True)
class ServiceState:
    """A service as seen; `automatic` is None where it could not be read."""

    presence: Presence
    automatic: bool | None = None


class Services(Protocol):
    """Windows services by service name (not display name)."""

    def state(self, name: str) -> ServiceState:
        """State of one service; never raises."""
        ...


class PsutilServices:
    """Services through psutil, whose calls raise NoSuchProcess, AccessDenied or a bare OSError."""

    def __init__(self, get: Any) -> None:
        """`get`: psutil.win_service_get, which exists on Windows only."""
        self._get = get

    def state(self, name: str) -> ServiceState:
        """Presence first; a start type that may not be read does not hide that the service runs."""
        try:
            service = self._get(name)
            running = service.status() == "running"
        except psutil.NoSuchProcess:
            return ServiceState("absent")
        except psutil.AccessDenied:
            return ServiceState("denied")
        except OSError:
            return ServiceState("error")
        automatic: bool | None = None
        with suppress(psutil.Error, OSError):
            automatic = service.start_type() == "automatic"
        return ServiceState("running" if running else "stopped", automatic)


def _services() -> Services | None:
    get = getattr(psutil, "win_service_get", None)
    return PsutilServices(get) if get else None


def _roaming() -> Path | None:
    folder = os.environ.get("APPDATA")
    return Path(folder) if folder else None


def _windows() -> str | None:
    return platform.release() if sys.platform == "win32" else None


def _browsers() -> list[Path]:
    """`User Data` folders of Chrome on this machine."""
    local = os.environ.get("LOCALAPPDATA")
    folders = [Path(local) / "Google/Chrome/User Data"] if local else []
    folders.append(Path.home() / ".config/google-chrome")
    return [folder for folder in folders if folder.is_dir()]


@dataclass(frozen=True)
class Desk:
    """What can be asked of this machine; None where it is not Windows."""

    services: Services | None = field(default_factory=_services)
    roaming: Path | None = field(default_factory=_roaming)
    windows: str | None = field(default_factory=_windows)
    browsers: Sequence[Path] = field(default_factory=_browsers)

    def process_runs(self, program: str) -> bool:
        """Whether a process of this program name runs (case and `.exe` do not matter)."""
        wanted = program.lower().removesuffix(".exe")
        for process in psutil.process_iter(["name"]):
            if (process.info["name"] or "").lower().removesuffix(".exe") == wanted:
                return True
        return False

    def listens(self, port: int, limit_s: float) -> bool:
        """Whether something accepts TCP connections on this port of loopback."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=limit_s):
            return True
        return False

"""The machine behind a port: Windows services, profile folders, processes and start entries."""

import importlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from diagnostics.actions import ABSENT, DENIED, Actions, SystemActions, system_program
from diagnostics.inventory import Inventory

RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
PROVIDERS_KEY = r"SOFTWARE\Microsoft\Cryptography\Defaults\Provider"
SC_LIMIT_S = 2
_NUMBER = re.compile(rb"^[ \t]+[^\s:][^:\r\n]*:\s+(\d+)\s", re.MULTILINE)
_RUNNING, _AUTOMATIC = "4", "2"
Presence = Literal["running", "stopped", "absent", "denied", "error"]


@dataclass(frozen=True)
class ServiceState:
    """A service as seen; `automatic` is None where it could not be read."""

    presence: Presence
    automatic: bool | None = None


@dataclass(frozen=True)
class Component:
    """A local program; `listens` is None where its sockets may not be read or it does not run."""

    running: bool
    listens: bool | None


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
        import psutil

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


class ScServices:
    """Services through sc.exe, where psutil is not installed. It answers in numbers and in the language of Windows."""

    def __init__(self, sc: Path) -> None:
        """`sc`: the program."""
        self._sc = sc

    def state(self, name: str) -> ServiceState:
        """What cannot be read is an error, never a service that does not run."""
        code, state = self._second("query", name)
        if code in (DENIED, ABSENT):
            return ServiceState("denied" if code == DENIED else "absent")
        if code != 0 or state is None:
            return ServiceState("error")
        _, start = self._second("qc", name)
        return ServiceState(
            "running" if state == _RUNNING else "stopped", None if start is None else start == _AUTOMATIC
        )

    def _second(self, verb: str, name: str) -> tuple[int, str | None]:
        """The exit code, and the second number of the answer: behind the type comes the state, or the start type."""
        command = [str(self._sc), verb, name]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SC_LIMIT_S, check=False)  # noqa: S603 – a list, no shell; names are the region's data
        except (OSError, subprocess.TimeoutExpired):
            return -1, None
        numbers = _NUMBER.findall(done.stdout)
        return done.returncode, numbers[1].decode() if len(numbers) > 1 else None


def _services() -> Services | None:
    try:
        import psutil
    except ImportError:
        sc = system_program("sc.exe")
        return ScServices(sc) if sc else None
    get = getattr(psutil, "win_service_get", None)
    return PsutilServices(get) if get else None


def _roaming() -> Path | None:
    folder = os.environ.get("APPDATA")
    return Path(folder) if folder else None


def _windows() -> str | None:
    return platform.release() if sys.platform == "win32" else None


def _start_entries() -> Callable[[], list[str]] | None:
    return _registry_start_entries if sys.platform == "win32" else None


def _registry_start_entries() -> list[str]:
    """Command lines of the user's and the machine's Run keys."""
    winreg: Any = importlib.import_module("winreg")
    entries = []
    for hive in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
        with suppress(OSError), winreg.OpenKey(hive, RUN_KEY) as key:
            entries += [str(winreg.EnumValue(key, index)[1]) for index in range(winreg.QueryInfoKey(key)[1])]
    return entries


def _providers() -> Callable[[], dict[str, Path]] | None:
    return _registry_providers if sys.platform == "win32" else None


def _registry_providers() -> dict[str, Path]:
    """Cryptographic service providers by name, with the library each one consists of."""
    winreg: Any = importlib.import_module("winreg")
    found = {}
    with suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, PROVIDERS_KEY) as key:
        for index in range(winreg.QueryInfoKey(key)[0]):
            name = winreg.EnumKey(key, index)
            with suppress(OSError), winreg.OpenKey(key, name) as entry:
                image = Path(os.path.expandvars(winreg.QueryValueEx(entry, "Image Path")[0]))
                root = Path(os.environ.get("SystemRoot", "")) / "System32"  # noqa: SIM112 – Windows spells it so
                found[name] = image if image.is_absolute() else root / image
    return found


def _browsers() -> list[Path]:
    """`User Data` folders of Chrome on this machine."""
    local = os.environ.get("LOCALAPPDATA")
    folders = [Path(local) / "Google/Chrome/User Data"] if local else []
    folders.append(Path.home() / ".config/google-chrome")
    return [folder for folder in folders if folder.is_dir()]


@dataclass(frozen=True)
class Desk:
    """What can be asked of this machine; None where it is not Windows.

    `keys` stands in for reading the key libraries: a run then shares what was read before.
    """

    services: Services | None = field(default_factory=_services)
    roaming: Path | None = field(default_factory=_roaming)
    windows: str | None = field(default_factory=_windows)
    browsers: Sequence[Path] = field(default_factory=_browsers)
    start_entries: Callable[[], list[str]] | None = field(default_factory=_start_entries)
    providers: Callable[[], Mapping[str, Path]] | None = field(default_factory=_providers)
    keys: Inventory | None = None
    actions: Actions = field(default_factory=SystemActions)

    def component(self, program: str) -> Component:
        """Whether a program of this name runs and serves (case and `.exe` do not matter).

        Listening is read from the process, so that no port number has to be known.
        """
        import psutil

        wanted = program.lower().removesuffix(".exe")
        running, listens = False, None
        for process in psutil.process_iter(["name"]):
            if (process.info["name"] or "").lower().removesuffix(".exe") != wanted:
                continue
            running = True
            with suppress(psutil.Error, OSError):
                states = {connection.status for connection in process.net_connections("tcp")}
                listens = bool(listens) or psutil.CONN_LISTEN in states
        return Component(running, listens)

    def starts_at_boot(self, program: str) -> bool | None:
        """Whether one of this user's start entries names the program; None where that cannot be known."""
        if self.start_entries is None:
            return None
        wanted = program.lower().removesuffix(".exe")
        return any(wanted in entry.lower() for entry in self.start_entries())

"""What may be changed on this machine, each only after the user said yes: a port, and the system behind it."""

import os
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from core.domain.errors import ForbiddenError, NotFoundError, UnavailableError

LIMIT_S = 15
# Exit codes of sc.exe are Windows error numbers.
DENIED, ALREADY_RUNNING, ABSENT = 5, 1056, 1060
# What we started goes on when we end; the handles are kept to reap what ends before us.
_STARTED: list[subprocess.Popen[bytes]] = []


class Actions(Protocol):
    """Changes to a machine; each raises a DomainError whose message tells the user what to do instead."""

    def make_automatic(self, service: str) -> None:
        """Let a Windows service start with the machine."""
        ...

    def start_service(self, service: str) -> None:
        """Ask a Windows service to start; one that runs already is fine. Returns before it runs."""
        ...

    def start_program(self, program: Path) -> None:
        """Start a program that goes on when we end."""
        ...

    def open_page(self, page: str) -> None:
        """Show a web page, a setting of Windows (`ms-settings:`) or of Chrome (`chrome://`)."""
        ...


class SystemActions:
    """The real machine. `sc` and `chrome` stand for Windows' service control and the browser."""

    def __init__(self, sc: Path | None = None, chrome: Path | None = None) -> None:
        """Both are looked for in their usual places if not given."""
        self._sc = sc or system_program("sc.exe")
        self._chrome = chrome or _chrome()

    def make_automatic(self, service: str) -> None:
        """`sc config NAME start= auto`, whose blank after the sign is Windows' own."""
        self._control("config", service, "start=", "auto")

    def start_service(self, service: str) -> None:
        """`sc start NAME`."""
        self._control("start", service)

    def _control(self, verb: str, service: str, *more: str) -> None:
        if self._sc is None:
            raise UnavailableError("这台电脑不是 Windows，没有可启动的服务")
        command = [str(self._sc), verb, service, *more]
        try:
            code = subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=False).returncode  # noqa: S603 – a list, no shell; names are the region's data
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnavailableError(f"服务 {service} 没有响应，请重启电脑后再试") from error
        if code == DENIED:
            raise ForbiddenError(f"没有权限启动服务 {service}，请右键点本程序，选“以管理员身份运行”")
        if code == ABSENT:
            raise NotFoundError(f"没有安装服务 {service}，请重新安装平台提供的签章控件")
        if code not in (0, ALREADY_RUNNING):
            raise UnavailableError(f"服务 {service} 启动不了（代码 {code}），请重启电脑后再试")

    def start_program(self, program: Path) -> None:
        """Without our input and output, in a session of its own."""
        if not program.is_file():
            raise NotFoundError(f"没有找到 {program.name}，请重新安装平台提供的签章控件")
        self._detached([str(program)])

    def open_page(self, page: str) -> None:
        """Chrome's own pages need Chrome itself; everything else goes to the system."""
        if page.startswith("chrome://"):
            if self._chrome is None:
                raise NotFoundError(f"没有找到谷歌浏览器，请在浏览器地址栏输入 {page}")
            self._detached([str(self._chrome), page])
        elif page.startswith("ms-settings:"):
            if sys.platform != "win32":
                raise UnavailableError("这台电脑不是 Windows，请在系统设置里打开日期和时间")
            os.startfile(page)  # noqa: S606 – a page of the system's own settings
        elif not webbrowser.open(page):
            raise UnavailableError(f"打不开浏览器，请自己打开 {page}")

    def _detached(self, command: Sequence[str]) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 – a list, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise UnavailableError(f"{Path(command[0]).name} 启动不了，请手工启动") from error
        _STARTED[:] = [each for each in _STARTED if each.poll() is None] + [process]


def system_program(name: str) -> Path | None:
    """A program of Windows itself; None elsewhere."""
    root = os.environ.get("SystemRoot")  # noqa: SIM112 – Windows spells it so
    path = Path(root) / "System32" / name if root else None
    return path if path and path.is_file() else None


def _chrome() -> Path | None:
    for variable in ("ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"):
        folder = os.environ.get(variable)
        path = Path(folder) / "Google/Chrome/Application/chrome.exe" if folder else None
        if path and path.is_file():
            return path
    found = shutil.which("google-chrome")
    return Path(found) if found else None

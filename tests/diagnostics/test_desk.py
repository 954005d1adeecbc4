"""Services through a stand-in that raises as psutil does; the seal component as a real process."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

import diagnostics
from diagnostics.desk import Desk, PsutilServices, ScServices, ServiceState

NAMES = ("rsyncAgent", "rsyncClient", "UKEYMONITER")


@dataclass
class WindowsService:
    """psutil.WindowsService as documented: status(), start_type(); either may raise."""

    running: str = "running"
    start: str | Exception = "automatic"

    def status(self) -> str:
        return self.running

    def start_type(self) -> str:
        if isinstance(self.start, Exception):
            raise self.start
        return self.start


def windows(bare_desk: Desk, release: str = "10", **services: WindowsService | Exception) -> Desk:
    def get(name: str) -> WindowsService:
        found = services.get(name, psutil.NoSuchProcess(pid=None, name=name))
        if isinstance(found, Exception):
            raise found
        return found

    return replace(bare_desk, services=PsutilServices(get), windows=release)


def check(desk: Desk, probe: str = "service", **facts: object) -> diagnostics.Report:
    return diagnostics.run("neimenggu", only=[probe], desk=desk, facts=facts, offline=True)


@pytest.mark.covers("nm-10")
def test_all_services_run(bare_desk: Desk) -> None:
    report = check(windows(bare_desk, **{name: WindowsService() for name in NAMES}))
    assert report.of("service").status == "ok"


@pytest.mark.covers("nm-10")
@pytest.mark.parametrize(("release", "icon"), [("7", "“计算机”"), ("10", "“此电脑”"), ("11", "“此电脑”")])
def test_a_stopped_service_with_the_way_of_this_windows(bare_desk: Desk, release: str, icon: str) -> None:
    services = {name: WindowsService() for name in NAMES} | {"UKEYMONITER": WindowsService("stopped")}
    report = check(windows(bare_desk, release, **services))
    cause = report.root_cause
    assert cause is not None
    assert (cause.finding, cause.topic) == ("service_stopped", "nm-10")
    assert "UKEYMONITER" in cause.summary
    assert "未插入KEY" in cause.summary
    assert "rsyncAgent" not in cause.summary
    assert icon in (cause.remedy or "")


@pytest.mark.covers("nm-10")
def test_absent_manual_and_unreadable_services(bare_desk: Desk) -> None:
    running = {name: WindowsService() for name in NAMES}
    assert check(windows(bare_desk)).of("service").finding == "service_absent"
    manual = running | {"rsyncAgent": WindowsService(start="manual")}
    assert check(windows(bare_desk, **manual)).of("service").finding == "service_manual"
    denied = running | {"rsyncAgent": psutil.AccessDenied()}
    assert check(windows(bare_desk, **denied)).of("service").finding == "service_unreadable"
    raw = running | {"rsyncAgent": OSError(1060, "raw")}
    assert check(windows(bare_desk, **raw)).of("service").finding == "service_unreadable"


# As sc.exe prints them; labels differ by the language of Windows, their order and the numbers do not.
QUERY = "\nSERVICE_NAME: x\n        TYPE               : 10  WIN32_OWN_PROCESS\n        {label}  : {state}  {word}\n"
QUERY += "                                (STOPPABLE, PAUSABLE)\n        WIN32_EXIT_CODE    : 0  (0x0)\n"
CONFIG = (
    "[SC] QueryServiceConfig SUCCESS\n\nSERVICE_NAME: x\n        TYPE               : 10  WIN32_OWN_PROCESS\n"
)
CONFIG += (
    "        {label}         : {start}   AUTO_START  (DELAYED)\n        ERROR_CONTROL      : 1   NORMAL\n"
)


@pytest.mark.covers("nm-10")
@pytest.mark.parametrize(
    ("query", "config", "code", "expected"),
    [
        (QUERY.format(label="STATE", state=4, word="RUNNING"), CONFIG.format(label="START_TYPE", start=2), 0,
         ServiceState("running", automatic=True)),
        (QUERY.format(label="状态", state=1, word="STOPPED"), CONFIG.format(label="启动类型", start=3), 0,
         ServiceState("stopped", automatic=False)),
        ("[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\n", "", 1060 & 0xFF, ServiceState("error")),
        ("gibberish", "gibberish", 0, ServiceState("error")),
        ("", "", 5, ServiceState("denied")),
        (QUERY.format(label="STATE", state=4, word="RUNNING"), "", 0, ServiceState("running")),
    ],
)  # fmt: skip
def test_services_without_psutil(
    tmp_path: Path, query: str, config: str, code: int, expected: ServiceState
) -> None:
    """A stand-in for sc.exe; its exit codes beyond 255 need Windows, see below."""
    (tmp_path / "query").write_text(query, encoding="gbk")
    (tmp_path / "qc").write_text(config, encoding="gbk")
    sc = tmp_path / "sc.exe"
    sc.write_text(f'#!/bin/sh\ncat "{tmp_path}/$1"\nexit {code}\n')
    sc.chmod(0o755)
    assert ScServices(sc).state("rsyncAgent") == expected
    assert ScServices(tmp_path / "none.exe").state("rsyncAgent") == ServiceState("error")


def test_a_service_that_is_absent_without_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = subprocess.CompletedProcess([], 1060, b"")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: absent)
    assert ScServices(Path("sc.exe")).state("rsyncAgent") == ServiceState("absent")


def test_a_start_type_that_may_not_be_read_is_no_warning(bare_desk: Desk) -> None:
    services = {name: WindowsService(start=psutil.AccessDenied()) for name in NAMES}
    assert check(windows(bare_desk, **services)).of("service").status == "ok"


def test_elsewhere_there_is_nothing_to_check(bare_desk: Desk) -> None:
    assert check(bare_desk).of("service").finding == "service_nowhere"
    assert check(bare_desk, "kg_local").of("kg_local").finding == "kg_nowhere"


PROGRAM = "KGClientTools"  # the kernel keeps 15 characters of a process name
SERVE = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(flush=True); sys.stdin.read()"
IDLE = "import sys; print(flush=True); sys.stdin.read()"


@pytest.fixture
def component(tmp_path: Path, bare_desk: Desk) -> Iterator[Callable[..., Desk]]:
    """`component(script)` installs the program, lets it run if a script is given, and returns the desk."""
    folder = tmp_path / "Kinggrid" / "iSignature_V9"
    processes: list[subprocess.Popen[bytes]] = []

    def start(script: str | None = None, *, entries: list[str] | None = None) -> Desk:
        folder.mkdir(parents=True)
        (folder / f"{PROGRAM}.exe").touch()
        if script:
            link = tmp_path / PROGRAM
            link.symlink_to(Path(sys.executable).resolve())
            process = subprocess.Popen(
                [link, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            processes.append(process)
            assert process.stdout is not None
            process.stdout.readline()
        return replace(
            bare_desk, roaming=tmp_path, start_entries=None if entries is None else lambda: entries
        )

    yield start
    for process in processes:
        process.communicate()


def test_the_component_is_absent(tmp_path: Path, bare_desk: Desk) -> None:
    report = check(replace(bare_desk, roaming=tmp_path), "kg_local")
    assert report.of("kg_local").finding == "kg_absent"


@pytest.mark.covers("nm-11")
@pytest.mark.parametrize(
    ("script", "entries", "finding"),
    [
        (None, [], "kg_stopped"),
        (IDLE, [], "kg_not_serving"),
        (SERVE, ['"C:\\Program Files\\other.exe"'], "kg_not_at_boot"),
        (SERVE, ['"C:\\x\\kgclienttools.exe" /s'], "kg_running"),
        (SERVE, None, "kg_running"),
    ],
)
def test_the_component_as_a_real_process(
    component: Callable[..., Desk], script: str | None, entries: list[str] | None, finding: str
) -> None:
    result = check(component(script, entries=entries), "kg_local").of("kg_local")
    assert result.finding == finding
    if result.status in ("fail", "warn"):
        assert result.topic == "nm-11"


@pytest.mark.covers("nm-11-1")
def test_a_missing_component_is_told_from_a_missing_key(
    component: Callable[..., Desk], empty_softhsm: Path
) -> None:
    def run(desk: Desk) -> diagnostics.Report:
        return diagnostics.run(
            "neimenggu", only=["kg_local", "ukey"], module=empty_softhsm, desk=desk, offline=True
        )

    desk = component(SERVE)
    key_missing = run(desk)
    assert key_missing.root_cause is not None
    assert key_missing.root_cause.probe == "ukey"
    stopped = windows(desk, **{name: WindowsService("stopped") for name in NAMES})
    both = run(stopped)
    assert both.root_cause is not None
    assert both.root_cause.probe == "service"
    assert both.of("kg_local").blocked_by == "service"

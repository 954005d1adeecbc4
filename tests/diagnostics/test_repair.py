"""Repairs end to end: a stand-in for sc.exe that keeps state on disk, and a real program as the component."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import psutil
import pytest

import diagnostics
from core.domain.errors import DomainError, ForbiddenError, NotFoundError, UnavailableError
from diagnostics import __main__ as command
from diagnostics import actions, catalogue, repair
from diagnostics.actions import SystemActions
from diagnostics.desk import Desk, PsutilServices
from diagnostics.repair import Repaired
from tests.diagnostics.conftest import NOW
from tests.diagnostics.test_desk import NAMES, WindowsService
from tests.support.commands import Done, call
from tests.support.need import program

# What sc.exe does, in its exit codes: config and start of services in a JSON file.
SC = """#!{python}
import json, sys
from pathlib import Path
file = Path({state!r})
services = json.loads(file.read_text())
verb, name, *more = sys.argv[1:]
if name not in services: sys.exit(1060)
service = services[name]
if service.get("denied"): sys.exit(5)
if verb == "config":
    assert more == ["start=", "auto"]
    service["start"] = "automatic"
elif service.get("broken"): sys.exit(1053)
elif service["status"] == "running": sys.exit(1056 % 256)
else: service["status"] = "running"
file.write_text(json.dumps(services))
"""


@dataclass
class Machine:
    """A Windows desk whose services live in `state`."""

    desk: Desk
    state: Path

    def services(self) -> dict[str, dict[str, object]]:
        return json.loads(self.state.read_text())

    def put(self, **services: dict[str, object]) -> None:
        normal = {name: {"status": "running", "start": "automatic"} for name in NAMES}
        self.state.write_text(json.dumps(normal | services))

    def check(self, names: list[str] | None = None) -> diagnostics.Report:
        return diagnostics.run("neimenggu", only=names, desk=self.desk, now=NOW, offline=True)

    def mend(self, *names: str) -> Repaired:
        before = self.check(list(names))
        return repair.carry_out(before, repair.plan(before), self.desk, self.check)


@pytest.fixture
def machine(tmp_path: Path, bare_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Machine:
    state, sc = tmp_path / "services.json", tmp_path / "sc.exe"
    sc.write_text(SC.format(python=sys.executable, state=str(state)))
    sc.chmod(0o755)

    def get(name: str) -> WindowsService:
        service = json.loads(state.read_text()).get(name)
        if service is None:
            raise psutil.NoSuchProcess(pid=None, name=name)
        return WindowsService(service["status"], service["start"])

    monkeypatch.setattr(repair, "WAIT_S", 0.3)
    changed = {"services": PsutilServices(get), "windows": "10", "actions": SystemActions(sc=sc)}
    made = Machine(replace(bare_desk, **changed), state)
    made.put()
    return made


@pytest.mark.covers("nm-10")
def test_a_stopped_service_is_started_made_automatic_and_checked_again(machine: Machine) -> None:
    machine.put(UKEYMONITER={"status": "stopped", "start": "manual"})
    repaired = machine.mend("service")
    assert [item.step.say for item in repaired.done] == ["把服务 UKEYMONITER 设为自动启动，并启动它"]
    assert machine.services()["UKEYMONITER"] == {"status": "running", "start": "automatic"}
    assert repaired.worked
    assert repaired.after.of("service").status == "ok"
    assert "修复有效" in repaired.say()


@pytest.mark.covers("nm-10")
def test_a_running_service_that_is_manual_is_only_made_automatic(machine: Machine) -> None:
    machine.put(rsyncAgent={"status": "running", "start": "manual"})
    sc = machine.desk.actions
    assert isinstance(sc, SystemActions)
    repaired = machine.mend("service")
    assert machine.services()["rsyncAgent"]["start"] == "automatic"
    assert repaired.after.of("service").finding == "service_running"


def test_without_rights_it_says_so_and_that_it_did_not_work(machine: Machine) -> None:
    machine.put(rsyncAgent={"status": "stopped", "start": "manual", "denied": True})
    repaired = machine.mend("service")
    assert not repaired.worked
    assert "管理员身份" in repaired.say()
    assert "没有解决问题" in repaired.say()
    assert repaired.after.exit_code == 1


def test_a_service_that_does_not_come_up(machine: Machine) -> None:
    machine.put(rsyncAgent={"status": "stopped", "start": "manual", "broken": True})
    repaired = machine.mend("service")
    assert not repaired.worked
    assert repaired.done[0].problem is not None


def test_what_has_no_repair_has_no_steps(machine: Machine) -> None:
    machine.state.write_text("{}")
    report = machine.check(["service"])
    assert report.of("service").finding == "service_absent"
    assert repair.plan(report) == ()
    untouched = repair.carry_out(report, (), machine.desk, machine.check)
    assert (untouched.worked, untouched.after) == (False, report)


@pytest.fixture
def component(tmp_path: Path) -> Iterator[Path]:
    """The component's program, not running yet; every instance is ended afterwards."""
    client = catalogue.load("neimenggu").region.seal_client
    assert client is not None
    folder = tmp_path.joinpath("appdata", *client.folder.split("/"))
    folder.mkdir(parents=True)
    built = folder / client.program
    source = Path(__file__).with_name("component.c")
    subprocess.run([program("gcc", "gcc libc6-dev"), source, "-o", built], check=True)
    yield built
    for process in psutil.process_iter(["exe"]):
        if process.info["exe"] == str(built):
            process.kill()
    for started in actions._STARTED:
        started.wait(10)


@pytest.mark.covers("nm-11")
def test_the_component_is_started_and_serves(machine: Machine, component: Path, tmp_path: Path) -> None:
    machine.desk = replace(machine.desk, roaming=tmp_path / "appdata")
    assert machine.check(["kg_local"]).of("kg_local").finding == "kg_stopped"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repair, "WAIT_S", 8.0)
        repaired = machine.mend("kg_local")
    assert repaired.worked
    assert repaired.after.of("kg_local").finding == "kg_running"


class Pages:
    """A desk where pages open; keeps which."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def open_page(self, page: str) -> None:
        self.opened.append(page)

    make_automatic = start_service = start_program = open_page


@pytest.mark.parametrize(
    ("facts", "page"),
    [
        ({"reference_time": NOW - timedelta(hours=2)}, "ms-settings:dateandtime"),
        ({"token_expires_at": NOW - timedelta(hours=1)}, "http://www.ccgp-neimenggu.gov.cn/"),
        (
            {"browser_version": "147.0.1", "browser_permission": "denied"},
            "chrome://settings/content",
        ),
    ],
)
def test_a_page_is_opened_and_the_user_finishes_it(
    bare_desk: Desk, facts: dict[str, object], page: str
) -> None:
    pages, paused = Pages(), []
    desk = replace(bare_desk, actions=pages)
    check = partial(diagnostics.run, "neimenggu", desk=desk, now=NOW, offline=True)
    before = check(facts=facts)
    repaired = repair.carry_out(
        before, repair.plan(before), desk, lambda names: check(only=names), paused.append
    )
    assert pages.opened == [page]
    assert len(paused) == 1
    assert repaired.done[0].step.manual
    assert repaired.after.root_cause is None


def test_the_system_refuses_with_a_sentence(tmp_path: Path) -> None:
    none = SystemActions(sc=None, chrome=None)
    for act, error in (
        (lambda: none.start_service("x"), UnavailableError),
        (lambda: none.start_program(tmp_path / "none.exe"), NotFoundError),
        (lambda: none.open_page("ms-settings:dateandtime"), UnavailableError),
    ):
        with pytest.raises(DomainError) as caught:
            act()
        assert isinstance(caught.value, error)
        assert "请" in caught.value.message or "没有" in caught.value.message


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    file = tmp_path / "text.exe"
    file.write_text("no program")
    with pytest.raises(UnavailableError):
        SystemActions().start_program(file)


@pytest.mark.parametrize(("code", "error"), [(5, ForbiddenError), (1, UnavailableError)])
def test_exit_codes_of_the_service_control(tmp_path: Path, code: int, error: type[DomainError]) -> None:
    sc = tmp_path / "sc.exe"
    sc.write_text(f"#!/bin/sh\nexit {code}\n")
    sc.chmod(0o755)
    with pytest.raises(error):
        SystemActions(sc=sc).start_service("rsyncAgent")


@pytest.fixture
def ask(machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable:
    """`ask(answer, …)` runs the repair command with these answers to its questions."""
    monkeypatch.setattr(command, "Desk", lambda: machine.desk)

    def asked(*arguments: str, answers: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        repair = ("repair", "--region", "neimenggu", "--offline", "--only", "service")
        return call(command.main, capsys, *repair, *arguments)

    return asked


def test_nothing_is_changed_without_a_yes(machine: Machine, ask: Callable) -> None:
    machine.put(rsyncAgent={"status": "stopped", "start": "manual"})
    code, out, err = ask(answers="n\n")
    assert (code, out) == (1, "")
    assert "把服务 rsyncAgent 设为自动启动" in err
    assert machine.services()["rsyncAgent"]["status"] == "stopped"


def test_yes_repairs_and_the_exit_code_is_that_of_the_second_check(machine: Machine, ask: Callable) -> None:
    machine.put(rsyncAgent={"status": "stopped", "start": "manual"})
    code, out, _ = ask(answers="y\n")
    assert code == 0
    assert "修复有效" in out
    machine.put(rsyncClient={"status": "stopped", "start": "manual"})
    code, out, _ = ask("--yes", "--json")
    document = json.loads(out)
    assert (code, document["worked"]) == (0, True)
    assert document["before"]["root_cause"]["finding"] == "service_stopped"

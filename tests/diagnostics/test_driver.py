import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import psutil
import pytest

import diagnostics
from core.adapters.token_lock import alone
from diagnostics import child, library_file
from diagnostics.inventory import Inventory, find_modules, read
from tests.diagnostics.conftest import NOW, MockBuilder, issue
from tests.diagnostics.test_cert_dates import MakeKey

KEY_PROBES = ["driver", "ukey", "pin_state", "cert_dates"]


def check(module: Path) -> diagnostics.Report:
    return diagnostics.run("neimenggu", only=KEY_PROBES, module=module, now=NOW, offline=True)


@pytest.mark.parametrize(
    ("fault", "finding", "words"),
    [
        ("FAULT_SEGFAULT", "driver_crash", "SIGSEGV"),
        ("FAULT_TOKEN", "driver_crash", "停在“读KEY信息”"),
        ("FAULT_EXIT", "driver_exit", "退出码 0"),
    ],
)
def test_a_library_that_ends_the_process_is_the_finding(
    mock_module: MockBuilder, fault: str, finding: str, words: str
) -> None:
    report = check(mock_module(fault))
    assert report.root_cause is not None
    assert report.root_cause.finding == finding
    assert words in report.root_cause.summary
    assert [report.of(name).blocked_by for name in KEY_PROBES[1:]] == ["driver"] * 3
    assert report.exit_code == 1


def test_a_library_that_hangs_is_ended(mock_module: MockBuilder) -> None:
    reading = read(mock_module("FAULT_HANG"), limit_s=1)
    assert (reading.how, reading.stage) == ("hang", "load")


def test_a_hang_ends_as_a_finding_of_the_whole_run(
    mock_module: MockBuilder, limit: Callable[..., None]
) -> None:
    limit(driver=1.0)
    report = check(mock_module("FAULT_HANG"))
    assert report.root_cause is not None
    assert report.root_cause.finding == "driver_hang"


def test_a_key_that_another_program_uses_is_no_fault_of_the_key(mock_module: MockBuilder) -> None:
    module = mock_module("HEALTHY")
    with alone(module, 5):
        report = check(module)
    assert report.root_cause is None
    driver = report.of("driver")
    assert (driver.status, driver.finding) == ("unknown", "driver_busy")
    assert "别的程序" in driver.summary
    assert [report.of(name).status for name in KEY_PROBES[1:]] == ["skip"] * 3
    assert check(module).of("driver").finding == "driver_works"


def test_grandchildren_of_a_hanging_library_are_gone_too(
    mock_module: MockBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "pid"
    monkeypatch.setenv("MOCK_NOTE", str(note))
    assert read(mock_module("FAULT_GRANDCHILD"), limit_s=1).how == "hang"
    with suppress(psutil.NoSuchProcess):
        grandchild = psutil.Process(int(note.read_text()))
        until = time.monotonic() + 10
        while grandchild.is_running() and grandchild.status() != "zombie":
            assert time.monotonic() < until, "the grandchild outlived its group"
            time.sleep(0.01)


def test_what_a_library_prints_does_not_mix_with_the_document(mock_module: MockBuilder) -> None:
    assert read(mock_module("FAULT_NOISE"), limit_s=5).how == "ok"


def test_one_faulty_slot_does_not_hide_the_key_in_the_next(mock_module: MockBuilder) -> None:
    report = check(mock_module("HEALTHY"))
    assert report.of("ukey").finding == "ukey_ready"
    assert "尾号 0001" in report.of("ukey").summary
    assert report.of("pin_state").finding == "pin_fine"


def test_a_device_error_is_named(mock_module: MockBuilder) -> None:
    report = check(mock_module("FAULT_DEVICE"))
    assert report.root_cause is not None
    assert report.root_cause.finding == "ukey_error"
    assert "DeviceError" in report.root_cause.summary


@pytest.mark.parametrize(
    ("flag", "status", "finding"),
    [
        ("0x40000", "fail", "pin_locked"),
        ("0x20000", "warn", "pin_final_try"),
        ("0x10000", "warn", "pin_count_low"),
    ],
)
def test_pin_state_is_read_from_flags(mock_module: MockBuilder, flag: str, status: str, finding: str) -> None:
    result = check(mock_module(f"PIN_FLAG={flag}")).of("pin_state")
    assert (result.status, result.finding) == (status, finding)


def test_a_missing_library_and_one_that_is_none(tmp_path: Path) -> None:
    assert check(tmp_path / "none.so").of("driver").finding == "driver_missing"
    text = tmp_path / "text.so"
    text.write_text("not a library")
    result = check(text).of("driver")
    assert result.finding == "driver_error"
    assert "PKCS11Error，停在“加载”" in result.summary


def test_no_key_in_the_machine(empty_softhsm: Path) -> None:
    report = check(empty_softhsm)
    assert report.root_cause is not None
    assert report.root_cause.probe == "ukey"


def test_a_library_of_the_other_word_size_is_never_loaded(tmp_path: Path) -> None:
    library = tmp_path / "vendor.dll"
    library.write_bytes(pe(0x014C))
    result = check(library).of("driver")
    assert result.finding == "driver_architecture"
    assert "32 位" in result.summary


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"", "unknown"),
        (b"\x7fELF\x01", "32"),
        (b"\x7fELF\x02", "64"),
        (b"\x7fELF", "unknown"),
        (b"MZ" + b"\0" * 58 + b"\xff\xff\xff\xff", "unknown"),
    ],
)
def test_word_size_from_the_header(header: bytes, expected: str) -> None:
    assert library_file.parse(header) == expected


def test_word_size_of_windows_libraries() -> None:
    assert [library_file.parse(pe(machine)) for machine in (0x014C, 0x8664, 0xAA64)] == ["32", "64", "64"]


def pe(machine: int) -> bytes:
    return (
        b"MZ"
        + b"\0" * 58
        + (64).to_bytes(4, "little")
        + b"PE\0\0"
        + machine.to_bytes(2, "little")
        + bytes(64)
    )


def test_a_broken_library_beside_a_working_one_is_a_warning(
    make_key: MakeKey, mock_module: MockBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = [mock_module("FAULT_SEGFAULT"), make_key(issue())]
    monkeypatch.setattr("diagnostics.runner._modules", lambda *_: modules)
    report = diagnostics.run("neimenggu", only=KEY_PROBES, now=NOW, offline=True)
    assert report.of("driver").finding == "driver_aside"
    assert report.of("cert_dates").status == "ok"
    assert report.exit_code == 0


def test_the_child_by_its_name_prints_one_document(make_key: MakeKey) -> None:
    issued = issue(serial=0xABC)
    module = make_key(issued, issue(private=True, identity="02"))
    finished = subprocess.run(
        [sys.executable, "-m", "diagnostics.pkcs11_child", str(module)],
        capture_output=True,
        text=True,
        check=True,
    )
    document = json.loads(finished.stdout)
    assert document["complete"] is True
    slot = next(slot for slot in document["slots"] if slot["token"]["label"] == "demo")
    (certificate,) = slot["certificates"]
    assert certificate["serial"] == "abc"
    assert certificate["subject"] == "演示采购单位"
    assert certificate["issuer"] == "Demo CA"
    assert certificate["sha256"] == hashlib.sha256(issued.der).hexdigest()
    assert datetime.fromisoformat(certificate["not_after"]) == issued.certificate.not_valid_after_utc


def test_the_child_wants_one_library() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "diagnostics.pkcs11_child"], capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stdout) == (2, "")


def test_each_library_is_read_once_for_a_run(make_key: MakeKey) -> None:
    inventory = Inventory([make_key(issue())])
    assert inventory.readings(5) is inventory.readings(5)


def test_our_secrets_do_not_reach_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "environment.py"
    script.write_text("import json, os; print(json.dumps({'complete': True, 'names': sorted(os.environ)}))")
    monkeypatch.setenv("CAIGOU_SECRET_KEY", "made-up")
    outcome = child.run_json([str(script)], 10)
    assert outcome.document is not None
    assert "CAIGOU_SECRET_KEY" not in outcome.document["names"]
    assert "PATH" in outcome.document["names"] or not os.environ.get("PATH")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"slots": []}', '{"complete": "yes"}', "[" * 100_000])
def test_only_a_complete_document_counts(tmp_path: Path, text: str) -> None:
    script = tmp_path / "child.py"
    script.write_text(f"print({text!r})")
    outcome = child.run_json([str(script)], 10)
    assert (outcome.how, outcome.document) == ("exit", None)


def test_libraries_are_found_by_name_in_order(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / "one.dll").touch()
    (second / "two.dll").touch()
    found = find_modules(["one.dll", "two.dll", "three.dll"], [first, second])
    assert found == [first / "one.dll", second / "two.dll"]

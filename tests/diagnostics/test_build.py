"""The single file, run by a Python that has nothing but its standard library, and by one that has more."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.errors import DataError
from diagnostics import __main__ as command
from diagnostics import catalogue
from diagnostics.build import build
from diagnostics.result import schema
from tests.diagnostics.authority import site
from tests.diagnostics.conftest import issue
from tests.diagnostics.test_catalogue import edit
from tests.diagnostics.test_cert_dates import MakeKey

BARE = [sys._base_executable, "-I", "-S"]  # -S: nor what is installed for the machine's own Python
KEY_PROBES = {
    "driver",
    "ukey",
    "pin_state",
    "cert_dates",
    "cert_use",
    "cert_issuer",
    "cert_binding",
    "revocation",
}
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("build") / "zhenduan.pyz"
    assert command.main(["build", str(target)]) == 0
    return target


def call(interpreter: list[str], file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*interpreter, str(file), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=file.parent,
        env={name: os.environ[name] for name in ("PATH", "SOFTHSM2_CONF") if name in os.environ},
    )


def test_a_bare_python_runs_it_and_it_says_what_it_left_out(file: Path) -> None:
    done = call(BARE, file, "run", "--region", "neimenggu", "--offline", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    left_out = {
        item["probe"]: item["summary"] for item in document["results"] if item["finding"] == "left_out"
    }
    assert set(left_out) == KEY_PROBES | {"kg_local", "pdf_sign"}
    assert "pkcs11" in left_out["driver"]
    assert "psutil" in left_out["kg_local"]
    assert f"另有 {len(left_out)} 项检查这里没有做" in document["say"]
    printed = call(BARE, file, "run", "--region", "neimenggu", "--offline").stdout
    assert "没有做的检查：" in printed
    assert "KEY驱动" in printed.splitlines()[-1]


def test_what_needs_only_the_standard_library_is_done_for_real(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(catalogue.FOLDER, folder)
    with site() as server:
        server.send("/", b"", status=503)
        edit(folder / "shanxi.yaml", "https://login.sxzfcg.zcygov.cn/user-login/#/login", server.url + "/")
        build(tmp_path / "own.pyz", folder)
        done = call(BARE, tmp_path / "own.pyz", "run", "--region", "shanxi", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["root_cause"]["finding"] == "site_error"
    assert document["root_cause"]["topic"] == "sx-login"
    found = {item["probe"]: item["finding"] for item in document["results"]}
    assert found["clock"] == "clock_right"


def test_reports_and_explanations_come_out_of_the_file_too(file: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    expired = ["--token-expires", "2020-01-01T00:00:00Z", "--offline", "--region", "anhui"]
    done = call(BARE, file, "report", *expired, "--html", str(page))
    assert done.returncode == 1, done.stderr
    assert "登录凭证已过期" in page.read_text(encoding="utf-8")
    assert "token_expired" in call(BARE, file, "explain", "token", "--region", "anhui").stdout
    assert call(BARE, file, "run", "--region", "atlantis").returncode == 2
    assert json.loads(call(BARE, file, "schema").stdout) == schema()
    again = call(BARE, file, "build", "x.pyz")
    assert (again.returncode, "在项目里" in again.stderr) == (2, True)


def test_with_the_libraries_installed_it_reads_a_real_key(file: Path, make_key: MakeKey) -> None:
    module = make_key(issue(timedelta(days=-3650), timedelta(days=36500)))
    arguments = ["run", "--region", "neimenggu", "--offline", "--json", "--module", str(module)]
    done = call([sys.executable, "-I"], file, *arguments)
    found = {item["probe"]: item["finding"] for item in json.loads(done.stdout)["results"]}
    assert found["driver"] == "driver_works"
    assert found["cert_dates"] == "cert_valid"
    assert found["pdf_sign"] == "left_out"


def test_equal_sources_give_equal_files_without_caches_or_the_rest_of_the_project(
    file: Path, tmp_path: Path
) -> None:
    build(tmp_path / "again.pyz")
    assert (tmp_path / "again.pyz").read_bytes() == file.read_bytes()
    names = zipfile.ZipFile(file).namelist()
    assert not [name for name in names if "__pycache__" in name or name.endswith((".yaml", ".pyc"))]
    assert {name.split("/")[0] for name in names} == {"__main__.py", "core", "diagnostics"}
    adapters = {name for name in names if name.startswith("core/adapters")}
    assert adapters == {"core/adapters/__init__.py", "core/adapters/token_lock.py"}


def test_a_faulty_catalogue_is_not_packed(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(catalogue.FOLDER, folder)
    edit(folder / "base.yaml", "offset_s: {gt: 300}", "offset_x: {gt: 300}")
    with pytest.raises(DataError):
        build(tmp_path / "bad.pyz", folder)
    assert not (tmp_path / "bad.pyz").exists()
    assert command.main(["build", str(tmp_path / "none" / "x.pyz")]) == 2

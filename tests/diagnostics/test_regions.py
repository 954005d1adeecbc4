"""What each region's data makes of the same desk: facts where its notes tell them, reasons where they do not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import diagnostics
from diagnostics import catalogue
from diagnostics.desk import Desk
from tests.diagnostics.conftest import NOW, MockBuilder, issue
from tests.diagnostics.test_cert_dates import MakeKey


def test_five_regions_have_data() -> None:
    assert catalogue.regions() == ["anhui", "fujian", "neimenggu", "shanxi", "xuchang"]


@pytest.mark.parametrize("name", ["xuchang", "fujian"])
def test_what_the_notes_do_not_tell_is_unknown_with_its_reason(name: str, bare_desk: Desk) -> None:
    only = ["site_tls", "service", "kg_local"]
    report = diagnostics.run(name, only=only, desk=bare_desk, now=NOW)
    for probe in only:
        result = report.of(probe)
        assert result.status == "unknown"
        assert "资料没有给出" in result.summary
    assert report.exit_code == 0


@pytest.mark.covers("sx-login")
def test_the_login_site_of_shanxi_is_the_one_its_entry_names(
    monkeypatch: pytest.MonkeyPatch, bare_desk: Desk
) -> None:
    url = catalogue.load("shanxi").region.login_url
    assert url == "https://login.sxzfcg.zcygov.cn/user-login/#/login"

    def nowhere(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr("socket.getaddrinfo", nowhere)
    result = diagnostics.run("shanxi", only=["site_tls"], desk=bare_desk).of("site_tls")
    assert (result.finding, result.topic) == ("site_dns", "sx-login")
    assert "login.sxzfcg.zcygov.cn" in result.summary


@pytest.mark.covers("sx-ca")
@pytest.mark.parametrize(
    ("issuer", "finding"),
    [
        ("山西CA", "issuer_listed"),
        ("BJCA Document Signing CA", "issuer_listed"),
        ("iTrusChina Class 2 CA", "issuer_listed"),
        ("颐信 CA", "issuer_listed"),
        ("别处 CA", "issuer_refused"),
    ],
)
def test_shanxi_takes_four_vendors_and_refuses_others(make_key: MakeKey, issuer: str, finding: str) -> None:
    module = make_key(issue(issuer=issuer))
    report = diagnostics.run("shanxi", only=["cert_issuer"], module=module, now=NOW, offline=True)
    result = report.of("cert_issuer")
    assert (result.finding, result.topic) == (finding, "sx-ca")
    if finding == "issuer_refused":
        assert report.root_cause is result
        assert "北京CA、山西CA、天威、颐信" in result.summary


@pytest.mark.covers("sx-ca")
@pytest.mark.parametrize(("role", "status"), [("财政监管单位", "ok"), ("采购人", "fail"), (None, "fail")])
def test_only_finance_supervision_needs_no_key(empty_softhsm: Path, role: str | None, status: str) -> None:
    facts = {"role": role} if role else {}
    report = diagnostics.run(
        "shanxi", only=["ukey"], module=empty_softhsm, facts=facts, now=NOW, offline=True
    )
    assert report.of("ukey").status == status


@pytest.fixture
def anhui(bare_desk: Desk) -> Callable[..., diagnostics.Result]:
    """`anhui(library, name=…)` checks the driver of a desk where that provider is registered."""

    def check(library: Path | None, name: str = "HaiKeyCSP v3.0") -> diagnostics.Result:
        registered = {"Microsoft Base Cryptographic Provider v1.0": Path("rsaenh.dll")}
        if library:
            registered[name] = library
        desk = replace(bare_desk, providers=lambda: registered)
        return diagnostics.run("anhui", only=["driver"], desk=desk, now=NOW, offline=True).of("driver")

    return check


@pytest.mark.covers("ah-2.1")
def test_the_driver_of_anhui_is_missing(anhui: Callable[..., diagnostics.Result]) -> None:
    result = anhui(None)
    assert (result.status, result.finding, result.topic) == ("warn", "driver_provider_absent", "ah-2.1")


@pytest.mark.covers("ah-2.1")
@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        ("HEALTHY", "driver_provider_loads"),
        ("FAULT_LOAD_SEGFAULT", "driver_crash"),
        ("FAULT_LOAD_EXIT", "driver_exit"),
    ],
)
def test_the_driver_of_anhui_is_loaded_for_real(
    anhui: Callable[..., diagnostics.Result], mock_module: MockBuilder, fault: str, finding: str
) -> None:
    result = anhui(mock_module(fault))
    assert (result.finding, result.topic) == (finding, "ah-2.1")


@pytest.mark.covers("ah-2.1")
def test_the_driver_of_anhui_is_registered_but_not_there(
    anhui: Callable[..., diagnostics.Result], tmp_path: Path
) -> None:
    assert anhui(tmp_path / "gone.dll").finding == "driver_missing"
    text = tmp_path / "text.dll"
    text.write_text("not a library")
    assert anhui(text).finding == "driver_error"


def test_providers_of_other_vendors_are_no_substitute(
    anhui: Callable[..., diagnostics.Result], mock_module: MockBuilder
) -> None:
    assert anhui(mock_module("HEALTHY"), name="Other CSP").finding == "driver_provider_absent"

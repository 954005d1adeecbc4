"""A real signature with a SoftHSM key through the core's signer; the PIN is used once or not at all."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import diagnostics
from core.adapters.signer import Pkcs11Signer
from core.adapters.softhsm import DemoSeal, DemoToken, Provisioned, provision
from core.domain.errors import InvalidError
from diagnostics import __main__ as command
from diagnostics.consent import Consent
from tests.diagnostics.conftest import MockBuilder

PIN = "24681357"
Keyed = Callable[..., Provisioned]


@pytest.fixture
def keyed(softhsm_module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keyed:
    def make(*seals: str) -> Provisioned:
        made = provision(
            tmp_path / "hsm", [DemoToken("demo", "演示采购单位", PIN, [DemoSeal(name) for name in seals])]
        )
        monkeypatch.setenv("SOFTHSM2_CONF", made.environment["SOFTHSM2_CONF"])
        bundle = tmp_path / "trust.pem"
        bundle.write_bytes(made.roots.read_bytes() + made.intermediates.read_bytes())
        return made

    return make


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """PINs that reached the signer."""
    seen: list[str] = []
    real = Pkcs11Signer.sign

    def counted(self: Pkcs11Signer, *arguments: object, pin: str, **others: object) -> object:
        seen.append(pin)
        return real(self, *arguments, pin=pin, **others)

    monkeypatch.setattr(Pkcs11Signer, "sign", counted)
    return seen


def check(
    made: Provisioned, tmp_path: Path, consent: Consent | None, *, trust: bool = True
) -> diagnostics.Report:
    return diagnostics.run(
        "neimenggu",
        only=["pdf_sign"],
        module=made.module,
        trust=tmp_path / "trust.pem" if trust else None,
        consent=consent,
        offline=True,
    )


def test_with_consent_one_page_is_signed_and_validated(
    keyed: Keyed, tmp_path: Path, attempts: list[str]
) -> None:
    report = check(keyed("公章"), tmp_path, Consent(PIN))
    assert report.of("cert_issuer").finding == "issuer_trusted"
    result = report.of("pdf_sign")
    assert (result.status, result.finding) == ("ok", "sign_works")
    assert attempts == [PIN]
    assert PIN not in str(report.to_dict())


def test_without_consent_nothing_is_signed(keyed: Keyed, tmp_path: Path, attempts: list[str]) -> None:
    result = check(keyed("公章"), tmp_path, None).of("pdf_sign")
    assert (result.status, result.finding) == ("skip", "sign_no_consent")
    assert attempts == []


def test_a_wrong_pin_is_tried_once_and_never_again(keyed: Keyed, tmp_path: Path, attempts: list[str]) -> None:
    made, consent = keyed("公章"), Consent("00000000")
    first = check(made, tmp_path, consent)
    assert first.root_cause is not None
    assert first.root_cause.finding == "sign_pin_wrong"
    # The key now reports the failed try: neither the used consent nor a fresh one with the right PIN is tried.
    assert check(made, tmp_path, consent).of("pdf_sign").finding == "sign_risky"
    assert check(made, tmp_path, Consent(PIN)).of("pdf_sign").finding == "sign_risky"
    assert attempts == ["00000000"]


def test_a_consent_gives_its_pin_once() -> None:
    consent = Consent(PIN)
    assert PIN not in repr(consent)
    assert [consent.take(), consent.take()] == [PIN, None]


def test_without_authorities_to_check_against_nothing_is_signed(
    keyed: Keyed, tmp_path: Path, attempts: list[str]
) -> None:
    result = check(keyed("公章"), tmp_path, Consent(PIN), trust=False).of("pdf_sign")
    assert (result.status, result.finding) == ("unknown", "sign_no_trust")
    assert attempts == []


def test_of_several_seals_one_has_to_be_named(keyed: Keyed, tmp_path: Path, attempts: list[str]) -> None:
    made = keyed("公章", "财务专用章")
    assert check(made, tmp_path, Consent(PIN)).of("pdf_sign").finding == "sign_several"
    assert attempts == []
    assert check(made, tmp_path, Consent(PIN, "财务专用章")).of("pdf_sign").finding == "sign_works"


@pytest.mark.parametrize("flag", ["0x10000", "0x20000"])
def test_a_key_that_reports_failed_tries_is_left_alone(
    mock_module: MockBuilder, tmp_path: Path, attempts: list[str], flag: str
) -> None:
    (tmp_path / "trust.pem").write_bytes(b"")
    report = diagnostics.run(
        "neimenggu",
        only=["pdf_sign"],
        module=mock_module(f"PIN_FLAG={flag}"),
        trust=tmp_path / "trust.pem",
        consent=Consent(PIN),
        offline=True,
    )
    assert report.of("pdf_sign").finding == "sign_risky"
    assert attempts == []


def test_the_command_takes_the_pin_from_standard_input_once(
    keyed: Keyed,
    tmp_path: Path,
    attempts: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = keyed("公章")
    arguments = ["run", "--region", "neimenggu", "--offline", "--only", "pdf_sign", "--sign-test", "--json"]
    arguments += ["--module", str(made.module), "--trust", str(tmp_path / "trust.pem")]
    monkeypatch.setattr(sys, "stdin", io.StringIO(PIN + "\n"))
    assert command.main(arguments) == 0
    printed = capsys.readouterr().out
    found = {item["probe"]: item["finding"] for item in json.loads(printed)["results"]}
    assert found["pdf_sign"] == "sign_works"
    assert PIN not in printed
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert command.main(arguments) == 2
    assert attempts == [PIN]
    wrong = subprocess.run(
        [sys.executable, "-m", "diagnostics", *arguments],
        input="00000000\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        json.loads(wrong.stdout)["root_cause"]["finding"] == "sign_pin_wrong"
    )  # what is logged goes elsewhere


def test_authorities_that_are_not_there_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match=r"none\.pem"):
        diagnostics.run("neimenggu", trust=tmp_path / "none.pem", offline=True)

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import example, given, settings
from hypothesis import strategies as st

import diagnostics
from diagnostics.pkcs11_child import describe_certificate
from tests.diagnostics.conftest import NOW, Issued, issue
from tests.support.need import program

MakeKey = Callable[..., Path]
DAY = timedelta(days=1)


def check(module: Path) -> diagnostics.Report:
    return diagnostics.run("neimenggu", only=["cert_dates"], module=module, now=NOW, offline=True)


def test_a_valid_certificate(make_key: MakeKey) -> None:
    report = check(make_key(issue(-DAY, 200 * DAY)))
    result = report.of("cert_dates")
    assert (result.status, result.finding) == ("ok", "cert_valid")
    assert "还有 200 天" in result.summary
    assert report.root_cause is None
    assert report.exit_code == 0
    assert "200 天" in report.say()


@pytest.mark.parametrize(
    ("ends", "status", "finding"),
    [
        (timedelta(days=31), "ok", "cert_valid"),
        (timedelta(days=30), "warn", "cert_expiring"),
        (timedelta(seconds=1), "warn", "cert_expiring"),
        (timedelta(seconds=-1), "fail", "cert_expired"),
        (timedelta(days=-40), "fail", "cert_expired"),
    ],
)
def test_where_the_end_lies(make_key: MakeKey, ends: timedelta, status: str, finding: str) -> None:
    result = check(make_key(issue(-300 * DAY, ends))).of("cert_dates")
    assert (result.status, result.finding) == (status, finding)


def test_an_expired_certificate_is_the_root_cause_with_date_and_remedy(make_key: MakeKey) -> None:
    report = check(make_key(issue(-300 * DAY, -40 * DAY, serial=0xABCDEF123456)))
    assert report.root_cause is not None
    assert report.root_cause.probe == "cert_dates"
    assert report.exit_code == 1
    said = report.say()
    assert "2026-01-21" in said
    assert "尾号 3456" in said
    assert "延期" in said
    assert "abcdef" not in str(report.to_dict()).lower()


def test_not_yet_valid(make_key: MakeKey) -> None:
    result = check(make_key(issue(3 * DAY, 300 * DAY))).of("cert_dates")
    assert (result.status, result.finding) == ("fail", "cert_not_yet")
    assert "2026-03-05" in result.summary


def test_a_renewed_certificate_beside_the_old_one_is_a_warning(make_key: MakeKey) -> None:
    module = make_key(issue(-400 * DAY, -30 * DAY), issue(-35 * DAY, 300 * DAY, identity="02"))
    result = check(module).of("cert_dates")
    assert (result.status, result.finding) == ("warn", "cert_old_beside_new")
    assert {fact.item for fact in result.evidence} == {1, 2}


def test_an_expired_signing_certificate_is_not_excused_by_the_encryption_one(make_key: MakeKey) -> None:
    module = make_key(issue(-400 * DAY, -30 * DAY), issue(usage="encrypt", identity="02"))
    result = check(module).of("cert_dates")
    assert (result.status, result.finding) == ("fail", "cert_expired")
    assert "签名证书" in result.summary


def test_a_private_certificate_is_unseen_not_absent(make_key: MakeKey) -> None:
    report = check(make_key(issue(private=True)))
    result = report.of("cert_dates")
    assert (result.status, result.finding) == ("unknown", "cert_unseen")
    assert "未见公开证书" in report.say()
    assert report.exit_code == 0


def test_two_keys_are_both_judged(make_key: MakeKey) -> None:
    make_key(issue(), label="first")
    module = make_key(issue(-300 * DAY, -DAY, subject="另一单位"), label="second")
    result = check(module).of("cert_dates")
    assert (result.status, result.finding) == ("fail", "cert_expired")


def test_garbage_in_the_place_of_a_certificate(make_key: MakeKey) -> None:
    class Garbage(Issued):
        @property
        def der(self) -> bytes:
            return b"\x30\x82\xff\xff not a certificate"

    result = check(make_key(Garbage(issue().certificate))).of("cert_dates")
    assert (result.status, result.finding) == ("unknown", "cert_unreadable")


@pytest.fixture
def sm2(tmp_path: Path) -> Issued:
    openssl = program("openssl", "openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [openssl, "genpkey", "-algorithm", "SM2", "-out", key], check=True, capture_output=True, text=True
    )
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-new", "-sm3", "-sigopt", "distid:1234567812345678", "-key", key),
            *("-utf8", "-subj", "/CN=演示采购单位", "-addext", "keyUsage=digitalSignature", "-days", "365"),
            *("-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return Issued(x509.load_pem_x509_certificate(certificate.read_bytes()))


def test_an_sm2_certificate_is_read_without_its_key(make_key: MakeKey, sm2: Issued) -> None:
    described = describe_certificate(sm2.der)
    assert described["key"] is None
    assert described["usage"] == ["digital_signature"]
    now = sm2.certificate.not_valid_after_utc - 10 * DAY
    report = diagnostics.run("neimenggu", only=["cert_dates"], module=make_key(sm2), now=now, offline=True)
    assert report.of("cert_dates").finding == "cert_expiring"
    assert "10 天" in report.say()


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(min_value=0, max_value=400))
@example(b"\x01", 11)  # a version that does not exist
@example(b"\x80", 14)  # a negative serial number, which cryptography warns of
def test_damaged_certificates_raise_nothing_but_value_errors(noise: bytes, at: int) -> None:
    der = VALID[:at] + noise + VALID[at + len(noise) :]
    try:
        described = describe_certificate(der)
    except ValueError:
        return
    assert described["not_after"]


VALID = issue().der

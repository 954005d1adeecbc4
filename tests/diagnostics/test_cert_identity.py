from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

import diagnostics
from diagnostics.probes.cert_binding import _numbers
from tests.diagnostics.conftest import NOW, issue, public_key_object

MakeKey = Callable[..., Path]
SERIAL = 0x4F3A9C11D2E8


def check(module: Path, **facts: object) -> diagnostics.Report:
    return diagnostics.run(
        "neimenggu", only=["cert_binding"], module=module, now=NOW, offline=True, facts=facts
    )


def test_the_key_fits_its_certificate(make_key: MakeKey) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    report = check(make_key(issue(key=key), objects=(public_key_object(key, "01"),)))
    assert report.of("cert_use").finding == "use_fits"


def test_another_key_under_the_same_id(make_key: MakeKey) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    report = check(make_key(issue(), objects=(public_key_object(other, "01"),)))
    assert report.root_cause is not None
    assert report.root_cause.finding == "use_mismatch"


def test_without_a_public_key_it_is_unverified_never_invalid(make_key: MakeKey) -> None:
    result = check(make_key(issue())).of("cert_use")
    assert (result.status, result.finding) == ("ok", "use_unverified")


def test_encryption_only(make_key: MakeKey) -> None:
    report = check(make_key(issue(usage="encrypt")))
    assert report.root_cause is not None
    assert report.root_cause.finding == "use_encryption_only"


@pytest.mark.covers("nm-6")
@pytest.mark.parametrize(
    "bound", [f"{SERIAL:x}", f"{SERIAL:X}", f"00{SERIAL:x}", str(SERIAL), "4F:3A:9C:11:D2:E8"]
)
def test_the_bound_serial_in_any_spelling(make_key: MakeKey, bound: str) -> None:
    report = check(make_key(issue(serial=SERIAL)), bound_serial=bound)
    assert report.of("cert_binding").finding == "binding_fits"


@pytest.mark.covers("nm-7")
def test_whose_certificate_is_in_the_key_and_to_whom_it_is_bound(make_key: MakeKey) -> None:
    module = make_key(issue(subject="张三", serial=SERIAL))
    report = check(module, bound_serial="1234567890ab", bound_account="15010000112301")
    assert report.root_cause is not None
    assert (report.root_cause.finding, report.root_cause.topic) == ("binding_elsewhere", "nm-7")
    said = report.say()
    for words in ("张*", "尾号 d2e8", "尾号 2301", "尾号 90ab", "解绑"):
        assert words in said
    assert "张三" not in str(report.to_dict())


@pytest.mark.covers("nm-7")
def test_whose_certificate_is_in_the_key_where_no_bound_one_is_known(make_key: MakeKey) -> None:
    result = check(make_key(issue(subject="张三", serial=SERIAL))).of("cert_binding")
    assert (result.status, "张*" in result.summary, "尾号 d2e8" in result.summary) == ("ok", True, True)


def test_a_key_without_public_certificates_is_said_before_what_a_region_does_not_tell(
    make_key: MakeKey,
) -> None:
    report = diagnostics.run(
        "shanxi", module=make_key(), now=NOW, offline=True, facts={"reference_time": NOW.isoformat()}
    )
    assert report.of("cert_dates").finding == "cert_unseen"
    assert "未见公开证书" in report.say()


@pytest.mark.covers("nm-6")
def test_another_certificate_than_the_bound_one(make_key: MakeKey) -> None:
    report = check(make_key(issue(serial=SERIAL)), bound_serial="99")
    assert report.root_cause is not None
    assert (report.root_cause.finding, report.root_cause.topic) == ("binding_other", "nm-6")


@pytest.mark.parametrize("usage", ["sign", "encrypt"])
def test_the_bound_one_of_two_certificates_is_found(make_key: MakeKey, usage: str) -> None:
    module = make_key(issue(serial=7), issue(serial=SERIAL, usage=usage, identity="02"))
    assert check(module, bound_serial=str(SERIAL)).of("cert_binding").finding == "binding_fits"


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=2**159))
def test_every_spelling_contains_the_number(number: int) -> None:
    for spelling in (f"{number:x}", f"{number:X}", f"{number:d}", f"0x{number:x}"):
        assert number in _numbers(spelling)


def test_what_is_no_number_means_nothing() -> None:
    assert _numbers("序列号") == set()

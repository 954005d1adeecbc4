"""Chains of a real authority with an intermediate, held pair by pair; SM2 made by openssl."""

import importlib.util
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

import diagnostics
from diagnostics import chain, signatures
from diagnostics.chain import Authorities
from tests.diagnostics.authority import DAY, Authority, pem
from tests.diagnostics.conftest import NOW, Issued
from tests.diagnostics.test_cert_dates import MakeKey
from tests.support.need import program

Trust = Callable[..., Path]


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """`trust(certificate, …)` writes them to a PEM file."""

    def write(*certificates: x509.Certificate) -> Path:
        file = tmp_path / "trust.pem"
        file.write_bytes(pem(*certificates))
        return file

    return write


def check(module: Path, trust: Path | None) -> diagnostics.Result:
    report = diagnostics.run(
        "neimenggu", only=["cert_issuer"], module=module, trust=trust, now=NOW, offline=True
    )
    return report.of("cert_issuer")


def test_a_chain_through_an_intermediate_that_lies_in_the_key(make_key: MakeKey, trust: Trust) -> None:
    root = Authority.root(NOW)
    between = root.intermediate()
    module = make_key(Issued(between.issue()), Issued(between.certificate, id="02"))
    result = check(module, trust(root.certificate))
    assert (result.status, result.finding) == ("ok", "issuer_trusted")
    assert "演示 CA" in result.summary


def test_without_the_intermediate_it_is_unknown_never_invalid(make_key: MakeKey, trust: Trust) -> None:
    root = Authority.root(NOW)
    result = check(make_key(Issued(root.intermediate().issue())), trust(root.certificate))
    assert (result.status, result.finding) == ("unknown", "issuer_unknown")


def test_without_trust_and_without_a_list_it_is_unknown_with_the_reason(make_key: MakeKey) -> None:
    result = check(make_key(Issued(Authority.root(NOW).issue())), None)
    assert (result.status, result.finding) == ("unknown", "issuer_untold")
    assert "没有列出接受的厂商" in result.summary


def test_a_certificate_someone_else_signed_in_the_name_of_the_authority(
    make_key: MakeKey, trust: Trust
) -> None:
    real = Authority.root(NOW)
    # The forger's certificate names the real key, as a careful forger would have it.
    forger = Authority(real.certificate, Authority.root(NOW).key, NOW)
    good = real.issue()
    forged = (
        x509.CertificateBuilder()
        .subject_name(good.subject)
        .issuer_name(real.certificate.subject)
        .public_key(forger.key.public_key())
        .serial_number(77)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 90 * DAY)
        .add_extension(
            good.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value, critical=False
        )
        .sign(forger.key, hashes.SHA256())
    )
    result = check(make_key(Issued(forged)), trust(real.certificate))
    assert (result.status, result.finding) == ("fail", "issuer_forged")


def test_an_authority_with_a_new_key_under_the_old_name_is_unknown(make_key: MakeKey, trust: Trust) -> None:
    old, new = Authority.root(NOW), Authority.root(NOW)
    result = check(make_key(Issued(new.issue())), trust(old.certificate))
    assert result.finding == "issuer_unknown"


@pytest.mark.parametrize(
    ("ends", "ca", "finding"), [(-DAY, True, "issuer_expired"), (DAY, False, "issuer_no_authority")]
)
def test_an_issuer_that_may_not_issue(
    make_key: MakeKey,
    trust: Trust,
    ends: timedelta,
    ca: bool,  # noqa: FBT001 – a column of the table
    finding: str,
) -> None:
    root = Authority.root(NOW)
    between = root.intermediate(ends=ends, ca=ca)
    result = check(make_key(Issued(between.issue())), trust(root.certificate, between.certificate))
    assert (result.status, result.finding) == ("fail", finding)


def test_a_loop_of_authorities_ends() -> None:
    one = Authority.root(NOW, "一")
    other = Authority.root(NOW, "二")
    # Each certifies the other, and neither leads to what is trusted.
    crossed = [one._issue("二", other.key, (NOW - DAY, NOW + DAY), uses=set(), ca=True)]
    crossed.append(other._issue("一", one.key, (NOW - DAY, NOW + DAY), uses=set(), ca=True))
    trusted = [Authority.root(NOW, "三").certificate]
    assert chain.state(one.issue(), Authorities(trusted, crossed), NOW) == "incomplete"


@pytest.fixture(scope="module")
def sm2(tmp_path_factory: pytest.TempPathFactory) -> tuple[x509.Certificate, x509.Certificate]:
    """An SM2 authority and a certificate it signed, by openssl."""
    openssl = program("openssl", "openssl")
    folder = tmp_path_factory.mktemp("sm2")

    def call(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], check=True, capture_output=True, cwd=folder)

    distid = "distid:1234567812345678"
    for name in ("ca", "unit"):
        call("genpkey", "-algorithm", "SM2", "-out", f"{name}.key")
    (folder / "ext").write_text("basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n")
    call(
        *("req", "-x509", "-new", "-sm3", "-sigopt", distid, "-key", "ca.key", "-utf8"),
        *("-subj", "/CN=演示国密 CA", "-days", "3650", "-out", "ca.pem"),
    )
    call(
        *("req", "-new", "-sm3", "-sigopt", distid, "-key", "unit.key", "-utf8"),
        *("-subj", "/CN=演示采购单位", "-out", "unit.csr"),
    )
    call(
        *("x509", "-req", "-sm3", "-in", "unit.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "300"),
        *("-sigopt", distid, "-vfyopt", distid, "-extfile", "ext", "-out", "unit.pem"),
    )
    read = [(folder / f"{name}.pem").read_bytes() for name in ("ca", "unit")]
    return x509.load_pem_x509_certificate(read[0]), x509.load_pem_x509_certificate(read[1])


def sm2_run(
    make_key: MakeKey, trust: Trust, sm2: tuple[x509.Certificate, x509.Certificate]
) -> diagnostics.Result:
    now = sm2[1].not_valid_before_utc + DAY
    report = diagnostics.run(
        "neimenggu",
        only=["cert_issuer"],
        module=make_key(Issued(sm2[1])),
        trust=trust(sm2[0]),
        now=now,
        offline=True,
    )
    return report.of("cert_issuer")


def test_sm2_without_gmssl_is_unverified_never_invalid(
    make_key: MakeKey,
    trust: Trust,
    sm2: tuple[x509.Certificate, x509.Certificate],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "gmssl" else real(name))
    result = sm2_run(make_key, trust, sm2)
    assert (result.status, result.finding) == ("unknown", "issuer_sm2")
    assert "未验证（国密）" in result.summary


def test_sm2_with_gmssl_is_verified_pairwise(
    make_key: MakeKey, trust: Trust, sm2: tuple[x509.Certificate, x509.Certificate]
) -> None:
    assert sm2_run(make_key, trust, sm2).finding == "issuer_trusted"


def test_sm2_with_gmssl_refuses_a_changed_certificate(sm2: tuple[x509.Certificate, x509.Certificate]) -> None:
    body = bytearray(sm2[1].tbs_certificate_bytes)
    body[-1] ^= 1
    assert signatures.signed(sm2[0], signatures.SM2_WITH_SM3, None, sm2[1].signature, bytes(body)) is False
    assert signatures.issued(sm2[1], sm2[1]) is False


@pytest.mark.parametrize("first", [0x04, 0x40, 0x00])
def test_sm2_keys_that_begin_with_04_are_not_shortened(first: int) -> None:
    """gmssl strips characters, not a prefix: 1 key in 256 would fail."""
    sm2 = importlib.import_module("gmssl.sm2")
    table = sm2.CryptSM2(private_key="", public_key="00" * 64)
    for private in range(1, 3000):
        point = table._kg(private, table.ecc_table["g"])
        if point.startswith(f"{first:02x}"):
            break
    else:
        pytest.fail("no such key among the first")
    signer = sm2.CryptSM2(private_key=f"{private:064x}", public_key=point)
    signer.public_key = point
    made = signer.sign_with_sm3(b"content", "1234")
    assert signatures._verify_point(point, int(made[:64], 16), int(made[64:], 16), b"content")
    assert not signatures._verify_point(point, int(made[:64], 16), int(made[64:], 16), b"other")

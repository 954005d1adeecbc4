import os
import re
import resource
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader
from structlog.testing import capture_logs

from core.adapters import softhsm as demo
from core.adapters.certificate_pdf import render
from core.adapters.seal_trust import Trust
from core.adapters.signer import Pkcs11Signer, _result, ask_module
from core.domain.errors import DomainError, InvalidError, UnavailableError
from core.service.sealing_ports import (
    CertificateIndicator,
    CertificateLine,
    CertificateReview,
    FilingCertificate,
    SignedPdf,
    Signer,
)
from tests.support.need import program, softhsm_module

NOW = datetime.now(UTC)
UNIT = "河湾示例区第三中学"
TOKEN = "河湾三中"
PIN = "73915026"
WHY = "采购计划备案"
SEALS = (
    demo.DemoSeal("公章"),
    demo.DemoSeal("财务专用章"),
    demo.DemoSeal("合同专用章"),
    demo.DemoSeal("旧公章", NOW - timedelta(days=900), NOW - timedelta(days=1)),
    demo.DemoSeal("新公章", NOW + timedelta(days=10)),
    demo.DemoSeal("加密章", encryption_only=True),
)


@dataclass
class Proxy:
    """SoftHSM behind a module that notes calls and misbehaves on demand."""

    signer: Pkcs11Signer
    log: Path

    def calls(self, name: str) -> int:
        return self.log.read_text(errors="replace").count(f"{name} pid=") if self.log.exists() else 0


def plan() -> FilingCertificate:
    return FilingCertificate(
        region="内蒙古自治区",
        heading="采购计划备案书",
        plan_number="NM-2026-0001",
        title="教学设备采购",
        unit=UNIT,
        kind="项目采购",
        lines=[CertificateLine("台式计算机", "A02010104", Decimal(2), "台", 500_000, 1_000_000)],
        indicators=[CertificateIndicator("2026-001", "公用经费", 1_000_000)],
        total_fen=1_000_000,
        reviewers=[CertificateReview("单位初审", "赵某某", NOW)],
        created_at=NOW,
    )


PDF = render(plan())


def import_mismatched(made: demo.Provisioned, folder: Path) -> None:
    """A certificate beside another key than its own."""
    theirs, ours = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    issued = demo._authority(folder / "authority", datetime.now(UTC)).issue(
        theirs.public_key(), UNIT, demo.DemoSeal("错配章")
    )
    request = {
        "op": "import",
        "token": TOKEN,
        "pin": PIN,
        "label": "错配章",
        "id": b64encode(b"mismatch").decode(),
        "private_key": b64encode(
            ours.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        ).decode(),
        "public_key": b64encode(ours.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode(),
        "certificate": b64encode(issued.public_bytes(Encoding.DER)).decode(),
    }
    ask_module(made.module, made.environment, request, limit=30)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> demo.Provisioned:
    softhsm_module()
    folder = tmp_path_factory.mktemp("seals")
    made = demo.provision(folder, [demo.DemoToken(TOKEN, UNIT, PIN, SEALS)])
    import_mismatched(made, folder)
    return made


@pytest.fixture(scope="module")
def signer(made: demo.Provisioned) -> Pkcs11Signer:
    trust = Trust(made.roots, made.intermediates)
    return Pkcs11Signer(made.module, trust, environment=made.environment, limit=60)


@pytest.fixture(scope="module")
def signed(signer: Pkcs11Signer) -> SignedPdf:
    return signer.sign(PDF, token_label=TOKEN, seal="公章", pin=PIN, reason=WHY, location="内蒙古")


@pytest.fixture(scope="module")
def proxy_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("proxy") / "proxy.so"
    source = Path(__file__).with_name("proxy_module.c")
    compiler = program("gcc", "gcc")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture
def proxy(
    made: demo.Provisioned, proxy_library: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Proxy:
    """Its mode comes as the fixture's parameter; hanging modes get a short limit."""
    mode = getattr(request, "param", "")
    log = tmp_path / "calls.log"
    environment = {
        **made.environment,
        "PROXY_REAL": str(made.module),
        "PROXY_LOG": str(log),
        "PROXY_MODE": mode,
    }
    limit = 3.0 if mode.startswith("hang") else 60.0
    trust = Trust(made.roots, made.intermediates)
    return Proxy(Pkcs11Signer(proxy_library, trust, environment=environment, limit=limit), log)


def sign_with(signer: Signer, seal: str = "公章", pin: str = PIN, token: str = TOKEN) -> SignedPdf:
    return signer.sign(PDF, token_label=token, seal=seal, pin=pin, reason=WHY)


def test_seals_are_listed_without_login(proxy: Proxy) -> None:
    seals = {seal.label: seal for seal in proxy.signer.seals(TOKEN)}
    assert [label for label, seal in seals.items() if seal.usable] == ["公章", "合同专用章", "财务专用章"]
    assert all((seal.why_not is None) == seal.usable for seal in seals.values())
    assert "到期" in str(seals["旧公章"].why_not)
    assert "才生效" in str(seals["新公章"].why_not)
    assert "加密证书" in str(seals["加密章"].why_not)
    assert "不是一对" in str(seals["错配章"].why_not)
    assert UNIT in seals["公章"].subject
    assert proxy.calls("C_Login") == 0


@pytest.mark.covers("nm-9")
@pytest.mark.parametrize("label", ["公章", "财务专用章", "合同专用章"])
def test_each_seal_signs_and_the_signature_is_good(signer: Pkcs11Signer, label: str) -> None:
    chosen = next(seal for seal in signer.seals(TOKEN) if seal.label == label)
    done = sign_with(signer, chosen.serial.lower())
    assert done.seal == chosen
    assert done.sha256 == sha256(done.content).hexdigest()
    assert done.content.startswith(PDF)
    verdict = signer.validate(done.content)
    assert verdict.ok
    assert verdict == done.validation
    assert (verdict.signed, verdict.intact, verdict.valid, verdict.trusted) == (True, True, True, True)
    assert verdict.serial == chosen.serial
    assert abs(done.signed_at - datetime.now(UTC)) < timedelta(hours=1)


def test_the_signature_says_why_and_where_and_shows_the_seal(signed: SignedPdf) -> None:
    (signature,) = PdfFileReader(BytesIO(signed.content)).embedded_regular_signatures
    assert signature.sig_object["/Reason"] == WHY
    assert signature.sig_object["/Location"] == "内蒙古"
    assert signature.sig_object["/Name"] == UNIT
    left, bottom, right, top = (float(each) for each in signature.sig_field["/Rect"])
    assert right - left > 100
    assert top - bottom > 100


def poppler(folder: Path, paper: SignedPdf) -> str:
    """What another program says of the signatures."""
    (folder / "a.pdf").write_bytes(paper.content)
    command = [program("pdfsig", "poppler-utils"), "-nocert", folder / "a.pdf"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def test_poppler_agrees(signed: SignedPdf, tmp_path: Path) -> None:
    said = poppler(tmp_path, signed)
    assert "Signature is Valid" in said
    assert "Total document signed" in said


@pytest.mark.covers("nm-9")
def test_signing_anew_starts_from_the_unsigned_file(signer: Pkcs11Signer, signed: SignedPdf) -> None:
    with pytest.raises(InvalidError) as caught:
        signer.sign(signed.content, token_label=TOKEN, seal="财务专用章", pin=PIN, reason=WHY)
    assert caught.value.code == "already_signed"
    again = sign_with(signer, "财务专用章")
    assert len(PdfFileReader(BytesIO(again.content)).embedded_signatures) == 1


@pytest.mark.covers("nm-26")
def test_two_parties_seal_one_paper_and_both_signatures_stay_good(
    signer: Pkcs11Signer, tmp_path: Path
) -> None:
    paper = render(replace(plan(), supplier="北疆办公设备有限公司"))
    first = signer.sign(paper, token_label=TOKEN, seal="公章", pin=PIN, reason=WHY, parties=2)
    second = signer.sign(first.content, token_label=TOKEN, seal="合同专用章", pin=PIN, reason=WHY, parties=2)
    assert second.content.startswith(first.content)
    assert (second.validation.ok, second.validation.seals) == (True, 2)
    assert second.validation.serial == second.seal.serial != first.seal.serial
    assert poppler(tmp_path, second).count("Signature is Valid") == 2
    with pytest.raises(InvalidError) as caught:
        signer.sign(second.content, token_label=TOKEN, seal="公章", pin=PIN, reason=WHY, parties=2)
    assert caught.value.code == "already_signed"
    broken = first.content.replace(b"%%EOF", b"%%EOG", 1)
    with pytest.raises(InvalidError, match="前一方的签章有问题"):
        signer.sign(broken, token_label=TOKEN, seal="合同专用章", pin=PIN, reason=WHY, parties=2)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_always_found(signer: Pkcs11Signer, signed: SignedPdf, data: st.DataObject) -> None:
    (signature,) = PdfFileReader(BytesIO(signed.content)).embedded_regular_signatures
    start, length, after, rest = (int(each) for each in signature.sig_object["/ByteRange"])
    places = st.one_of(st.integers(start, start + length - 1), st.integers(after, after + rest - 1))
    place = data.draw(places)
    changed = bytearray(signed.content)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert not signer.validate(bytes(changed)).ok


@settings(max_examples=20, deadline=None)
@given(added=st.binary(min_size=1, max_size=40))
def test_bytes_added_afterwards_are_found(signer: Pkcs11Signer, signed: SignedPdf, added: bytes) -> None:
    assert not signer.validate(signed.content + added).ok


@settings(max_examples=30, deadline=None)
@given(
    junk=st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda each: b"%PDF-1.7\n" + each))
)
def test_validation_never_raises(signer: Pkcs11Signer, junk: bytes) -> None:
    verdict = signer.validate(junk)
    assert not verdict.ok
    assert not verdict.signed


def test_an_unsigned_file_is_not_ok(signer: Pkcs11Signer) -> None:
    assert signer.validate(PDF).problem == "文件上没有签章"


def test_a_signature_of_an_unknown_authority_is_not_trusted(
    made: demo.Provisioned, signed: SignedPdf, tmp_path: Path
) -> None:
    demo._make_authority(tmp_path / "other", datetime.now(UTC))
    trust = Trust(tmp_path / "other" / "root.pem", tmp_path / "other" / "intermediate.pem")
    stranger = Pkcs11Signer(made.module, trust, environment=made.environment, limit=60)
    verdict = stranger.validate(signed.content)
    assert (verdict.intact, verdict.valid, verdict.trusted, verdict.ok) == (True, True, False, False)
    seal = next(seal for seal in stranger.seals(TOKEN) if seal.label == "公章")
    assert "认可" in str(seal.why_not)


def test_the_certificate_may_run_out_after_signing(made: demo.Provisioned, signed: SignedPdf) -> None:
    later = signed.seal.not_after + timedelta(days=1)
    trust = Trust(made.roots, made.intermediates)
    signer = Pkcs11Signer(made.module, trust, environment=made.environment, clock=lambda: later)
    verdict = signer.validate(signed.content)
    assert (verdict.intact, verdict.valid, verdict.trusted) == (True, True, False)


@pytest.mark.parametrize("label", ["旧公章", "新公章", "加密章", "错配章", "没有这枚"])
def test_an_unfit_seal_is_refused_before_the_pin_is_used(proxy: Proxy, label: str) -> None:
    with pytest.raises(InvalidError) as caught:
        sign_with(proxy.signer, label)
    assert caught.value.code == "seal_unusable"
    assert label in caught.value.message
    assert proxy.calls("C_Login") == 0


def test_a_wrong_pin_is_used_once_and_never_again(proxy: Proxy) -> None:
    with pytest.raises(InvalidError) as caught:
        sign_with(proxy.signer, pin="00000000")
    assert caught.value.code == "pin_wrong"
    assert "不要连续试" in caught.value.message
    assert proxy.calls("C_Login") == 1
    assert proxy.calls("C_Sign") == 0


def test_an_empty_pin_does_not_reach_the_token(proxy: Proxy) -> None:
    with pytest.raises(InvalidError) as caught:
        sign_with(proxy.signer, pin="")
    assert caught.value.code == "pin_wrong"
    assert not proxy.log.exists()


@pytest.mark.parametrize(
    ("proxy", "code", "logins"),
    [("locked", "pin_locked", 1), ("flag-locked", "pin_locked", 0), ("final", "pin_wrong", 1)],
    indirect=["proxy"],
)
def test_the_state_of_the_pin_is_told(proxy: Proxy, code: str, logins: int) -> None:
    with pytest.raises(InvalidError) as caught:
        sign_with(proxy.signer)
    assert caught.value.code == code
    assert proxy.calls("C_Login") == logins
    if code == "pin_wrong":
        assert "最后一次" in caught.value.message


FAULTS = [
    ("crash:C_Initialize", "module_crashed"),
    ("exit:C_Initialize", "module_crashed"),
    ("fail:C_Initialize", "module_crashed"),
    ("hang:C_Initialize", "module_timeout"),
    ("crash:C_Login", "module_crashed"),
    ("crash:C_Sign", "module_crashed"),
    ("exit:C_Sign", "module_crashed"),
    ("fail:C_Sign", "module_crashed"),
    ("hang:C_Sign", "module_timeout"),
]


@pytest.mark.parametrize(("proxy", "code"), FAULTS, indirect=["proxy"])
def test_a_faulty_module_never_harms_us(proxy: Proxy, code: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        sign_with(proxy.signer)
    assert caught.value.code == code
    for pid in re.findall(r"pid=(\d+)", proxy.log.read_text(errors="replace")):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


@pytest.mark.parametrize("proxy", ["print:C_Initialize"], indirect=True)
def test_what_a_module_prints_is_not_taken_for_the_answer(proxy: Proxy) -> None:
    assert len(proxy.signer.seals(TOKEN)) == 7


@pytest.mark.parametrize("proxy", ["badsig"], indirect=True)
def test_a_bad_signature_is_thrown_away(proxy: Proxy) -> None:
    with pytest.raises(InvalidError) as caught:
        sign_with(proxy.signer)
    assert caught.value.code == "signature_invalid"
    assert proxy.calls("C_Sign") == 1


@pytest.fixture
def core_dumps_allowed() -> Iterator[None]:
    """As far as the machine lets us; a child inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def test_the_pin_and_our_secrets_stay_out_of_sight(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, core_dumps_allowed: None
) -> None:
    monkeypatch.setenv("CAIGOU_SECRET_KEY", "not-for-vendors")
    with capture_logs() as logs:
        sign_with(proxy.signer)
        with pytest.raises(InvalidError):
            sign_with(proxy.signer, pin="00000000")
    seen = proxy.log.read_text(errors="replace")
    assert "signer_child.py" in seen
    assert "PROXY_MODE" in seen
    assert PIN not in seen
    assert "not-for-vendors" not in seen
    assert "core=0" in seen
    assert PIN not in repr(logs)
    assert "00000000" not in repr(logs)


def test_one_thread_touches_the_module(proxy: Proxy) -> None:
    sign_with(proxy.signer)
    notes = re.findall(r"C_\w+ pid=(\d+) tid=(\d+)", proxy.log.read_text(errors="replace"))
    assert proxy.calls("C_Sign") == 1
    assert all(pid == tid for pid, tid in notes)


def test_a_token_that_is_not_there(signer: Pkcs11Signer) -> None:
    with pytest.raises(UnavailableError) as caught:
        signer.seals("没有这把")
    assert caught.value.code == "token_missing"


@pytest.mark.parametrize("content", [None, b"not a library"])
def test_a_module_that_is_not_there_or_no_module(
    made: demo.Provisioned, tmp_path: Path, content: bytes | None
) -> None:
    library = tmp_path / "vendor.so"
    if content is not None:
        library.write_bytes(content)
    signer = Pkcs11Signer(library, Trust(made.roots, made.intermediates), limit=60)
    with pytest.raises(UnavailableError) as caught:
        signer.seals(TOKEN)
    assert caught.value.code == "module_missing"


def test_a_file_that_is_no_pdf_is_refused_before_the_token(proxy: Proxy) -> None:
    with pytest.raises(InvalidError) as caught:
        proxy.signer.sign(b"hello", token_label=TOKEN, seal="公章", pin=PIN, reason=WHY)
    assert caught.value.code == "signature_invalid"
    assert not proxy.log.exists()


def test_our_own_mistake_is_not_blamed_on_the_module(made: demo.Provisioned) -> None:
    with pytest.raises(RuntimeError, match="KeyError"):
        ask_module(made.module, made.environment, {"op": "no such"}, limit=60)


@given(st.integers(0, 17))
def test_half_an_answer_is_a_crash(length: int) -> None:
    with pytest.raises(DomainError) as caught:
        _result(b'{"result": ["a"]}'[:length] if length < 17 else b"0", "seals", "x.so", 0)
    assert caught.value.code == "module_crashed"

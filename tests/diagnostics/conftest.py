import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from diagnostics import catalogue
from diagnostics.desk import Desk
from tests.support import need
from tests.support.need import program

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
PIN = "12345678"
MockBuilder = Callable[..., Path]


@dataclass(frozen=True)
class Issued:
    """A certificate and the object to provision for it."""

    certificate: x509.Certificate
    private: bool = False
    id: str = "01"

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def to_object(self) -> dict[str, object]:
        return {"der": self.der.hex(), "id": self.id, "private": self.private}


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def issue(
    begins: timedelta = timedelta(days=-100),
    ends: timedelta = timedelta(days=265),
    *,
    subject: str = "演示采购单位",
    issuer: str = "Demo CA",
    usage: str = "sign",
    private: bool = False,
    serial: int | None = None,
    identity: str = "01",
    key: ec.EllipticCurvePrivateKey | None = None,
) -> Issued:
    """A certificate valid from NOW+begins to NOW+ends; usage "sign" or "encrypt"."""
    signs = usage == "sign"
    own = key or ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(own.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(NOW + begins)
        .not_valid_after(NOW + ends)
        .add_extension(
            x509.KeyUsage(
                digital_signature=signs,
                content_commitment=signs,
                key_encipherment=not signs,
                data_encipherment=not signs,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return Issued(certificate, private, identity)


def public_key_object(key: ec.EllipticCurvePrivateKey, identity: str) -> dict[str, object]:
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {"spki": spki.hex(), "id": identity}


@pytest.fixture
def softhsm_module() -> Path:
    return need.softhsm_module()


@pytest.fixture
def make_key(softhsm_module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """`make_key(issued, …, objects=[…])` puts a real token into a SoftHSM of its own; returns the library."""
    tool = program("softhsm2-util", "softhsm2")
    home = tmp_path / "softhsm"
    (home / "tokens").mkdir(parents=True)
    conf = home / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {home / 'tokens'}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))

    def make(*issued: Issued, objects: tuple[dict[str, object], ...] = (), label: str = "demo") -> Path:
        subprocess.run(
            [tool, "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", PIN],
            check=True,
            capture_output=True,
        )
        subprocess.run(
            [sys.executable, str(Path(__file__).with_name("provision.py")), str(softhsm_module), label, PIN],
            input=json.dumps([*(item.to_object() for item in issued), *objects]),
            text=True,
            check=True,
            capture_output=True,
        )
        return softhsm_module

    return make


@pytest.fixture
def empty_softhsm(softhsm_module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SoftHSM with no token: its library shows one blank slot."""
    (tmp_path / "none").mkdir()
    conf = tmp_path / "none.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'none'}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    return softhsm_module


@pytest.fixture(scope="session")
def mock_module(tmp_path_factory: pytest.TempPathFactory) -> MockBuilder:
    """`mock_module("FAULT_HANG")` compiles the mock library with these definitions."""
    compiler = program("gcc", "gcc libc6-dev")
    folder = tmp_path_factory.mktemp("mock")
    source = Path(__file__).with_name("mock_pkcs11.c")

    def build(*definitions: str) -> Path:
        target = folder / ("_".join(definitions).replace("=", "_") + "_mock.so")
        if not target.exists():
            flags = [f"-D{definition}" for definition in definitions]
            subprocess.run([compiler, "-w", "-shared", "-fPIC", *flags, source, "-o", target], check=True)
        return target

    return build


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("CAIGOU_")]:
        monkeypatch.delenv(variable)


@pytest.fixture
def bare_desk() -> Desk:
    """A machine that is not Windows and has no browser."""
    return Desk(services=None, roaming=None, windows=None, browsers=())


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`region(login_url=…)` changes values of the region."""

    def put(**values: object) -> None:
        real = catalogue.load("neimenggu")
        changed = replace(real, region=replace(real.region, **values))
        monkeypatch.setattr(catalogue, "load", lambda _: changed)

    return put


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`limit(probe=seconds, whole=seconds)` changes time limits."""

    def put(whole: float | None = None, **limits: float) -> None:
        real = catalogue.load("neimenggu")
        probes = {
            name: replace(data, limit_s=limits.get(name, data.limit_s)) for name, data in real.probes.items()
        }
        changed = replace(real, run_limit_s=whole or real.run_limit_s, probes=probes)
        monkeypatch.setattr(catalogue, "load", lambda _: changed)

    return put

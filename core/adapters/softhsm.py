"""Demonstration tokens in SoftHSM: a small authority (root, intermediate) and each unit's seals.

Everything here, the PINs too, is demonstration data. Real units bring tokens of their own authority.
"""

import base64
import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from core.adapters.signer import ask_module
from core.adapters.token_lock import BusyError, alone, store
from core.domain.errors import UnavailableError

_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/*/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)
_LIMIT = 30.0  # seconds for one request to SoftHSM
_MAKING_S = 300.0  # seconds to wait for another process that makes tokens
_LABEL_BYTES = 32  # PKCS#11: CK_TOKEN_INFO.label
_AUTHORITY_YEARS = 20
_SEAL_YEARS = 5
_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class DemoSeal:
    """A seal to make; without dates it is valid from yesterday for five years."""

    label: str
    not_before: datetime | None = None
    not_after: datetime | None = None
    encryption_only: bool = False


@dataclass(frozen=True)
class DemoToken:
    """A unit's token with its seals; `label` takes at most 32 bytes of UTF-8."""

    label: str
    unit: str
    pin: str = field(repr=False)
    seals: Sequence[DemoSeal] = (DemoSeal("公章"), DemoSeal("财务专用章"), DemoSeal("合同专用章"))


@dataclass(frozen=True)
class Provisioned:
    """What a `Pkcs11Signer` and its `Trust` need."""

    module: Path
    environment: Mapping[str, str]
    roots: Path
    intermediates: Path


def find_module() -> Path:
    """SoftHSM's library in Debian's and other usual places; UnavailableError `module_missing` without."""
    for place in _PLACES:
        for found in sorted(Path("/").glob(place[1:])):
            return found
    raise UnavailableError(
        "没有安装 SoftHSM，演示用的印章不能制作。请安装：apt-get install softhsm2", code="module_missing"
    )


def provision(directory: Path, tokens: Sequence[DemoToken], *, now: datetime | None = None) -> Provisioned:
    """Make what is missing of `tokens` under `directory`, valid from the day before `now`; what is there stays as it is.

    Several processes may ask at once: one makes, the others find it made. UnavailableError `module_busy` where that
    takes minutes, `module_missing` where SoftHSM is not installed; InvalidError
    `pin_wrong` where a token was made with another PIN (delete `directory` to start anew).
    """
    module = find_module()
    made = Provisioned(
        module,
        {"SOFTHSM2_CONF": str(directory / "softhsm2.conf")},
        directory / "authority" / "root.pem",
        directory / "authority" / "intermediate.pem",
    )
    (directory / "tokens").mkdir(parents=True, exist_ok=True, mode=0o700)
    if _whole(directory, tokens):
        return made
    making = directory / "making.lock"
    making.touch()
    try:
        with alone(making, _MAKING_S):
            _make(made, directory, tokens, now or datetime.now(UTC))
            _mark(directory).write_text(_asked(tokens), encoding="ascii")
    except BusyError:
        raise UnavailableError(
            "别的程序正在制作演示用的印章，等了很久还没有完成。请先结束那个程序再试", code="module_busy"
        ) from None
    return made


def _mark(directory: Path) -> Path:
    return directory / "made"


def _asked(tokens: Sequence[DemoToken]) -> str:
    return hashlib.sha256(repr([astuple(token) for token in tokens]).encode()).hexdigest()


def _whole(directory: Path, tokens: Sequence[DemoToken]) -> bool:
    """Whether exactly these were made already: looking into each token takes a process, and every start some seconds."""
    mark, found = _mark(directory), list((directory / "tokens").iterdir())
    return mark.exists() and mark.read_text("ascii") == _asked(tokens) and len(found) >= len(tokens)


def _make(made: Provisioned, directory: Path, tokens: Sequence[DemoToken], now: datetime) -> None:
    (directory / "softhsm2.conf").write_text(
        f"directories.tokendir = {(directory / 'tokens').resolve()}\n"
        "objectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        encoding="utf-8",
    )
    authority = _authority(directory / "authority", now)
    present = set(ask_module(made.module, made.environment, {"op": "tokens"}, limit=_LIMIT))
    for token in tokens:
        if token.label not in present:
            _initialise(made, token)
        _fill(made, authority, token)


def _initialise(made: Provisioned, token: DemoToken) -> None:
    """An empty token with the unit's PIN.

    SoftHSM's tool takes PINs as arguments only, so it gets throw-away ones; the child sets the real PIN.
    """
    if len(token.label.encode()) > _LABEL_BYTES:
        raise ValueError(f"token label longer than {_LABEL_BYTES} bytes: {token.label}")
    tool = shutil.which("softhsm2-util")
    if tool is None:
        raise UnavailableError(
            "没有安装 softhsm2-util，演示用的印章不能制作。请安装：apt-get install softhsm2",
            code="module_missing",
        )
    officer = secrets.token_hex(8)
    labelled = ["--init-token", "--free", "--label", token.label]
    with alone(store(made.module, made.environment), _LIMIT):
        subprocess.run(  # noqa: S603 - a list, no shell
            [tool, *labelled, "--so-pin", officer, "--pin", secrets.token_hex(8)],
            env={**os.environ, **made.environment},
            check=True,
            capture_output=True,
        )
    request = {"op": "set_pin", "token": token.label, "so_pin": officer, "pin": token.pin}
    ask_module(made.module, made.environment, request, limit=_LIMIT)


def _fill(made: Provisioned, authority: "_Authority", token: DemoToken) -> None:
    listed = ask_module(made.module, made.environment, {"op": "seals", "token": token.label}, limit=_LIMIT)
    present = {entry["label"] for entry in listed}
    for seal in token.seals:
        if seal.label in present:
            continue
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = authority.issue(key.public_key(), token.unit, seal)
        request = {
            "op": "import",
            "token": token.label,
            "pin": token.pin,
            "label": seal.label,
            "id": _text(secrets.token_bytes(8)),
            "private_key": _text(
                key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
            ),
            "public_key": _text(key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)),
            "certificate": _text(certificate.public_bytes(Encoding.DER)),
        }
        ask_module(made.module, made.environment, request, limit=_LIMIT)


@dataclass(frozen=True)
class _Authority:
    """The intermediate authority that issues the seals."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    now: datetime

    def issue(self, key: rsa.RSAPublicKey, unit: str, seal: DemoSeal) -> x509.Certificate:
        begin = seal.not_before or self.now - timedelta(days=1)
        end = seal.not_after or begin + timedelta(days=365 * _SEAL_YEARS)
        uses = ("key_encipherment", "data_encipherment")
        if not seal.encryption_only:
            uses = ("digital_signature", "content_commitment")
        subject = _subject(unit, f"{unit}{seal.label}")
        builder = _builder(subject, self.certificate.subject, key, (begin, end))
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(*uses), critical=True).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
        )
        return builder.sign(self.key, hashes.SHA256())


def _authority(folder: Path, now: datetime) -> _Authority:
    """The authority in `folder`, made on first use; its key is written last and marks it whole."""
    key_file = folder / "intermediate.key"
    if not key_file.exists():
        _make_authority(folder, now)
    key = load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{key_file} holds no RSA key")
    return _Authority(x509.load_pem_x509_certificate((folder / "intermediate.pem").read_bytes()), key, now)


def _make_authority(folder: Path, now: datetime) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    valid = (now - timedelta(days=2), now + timedelta(days=365 * _AUTHORITY_YEARS))
    root_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    root_name = _subject("演示证书机构", "演示根证书")
    # The root's key is not kept: it signs this one intermediate and nothing else.
    root = _sign_authority(_builder(root_name, root_name, root_key.public_key(), valid), root_key, length=1)
    name = _subject("演示证书机构", "演示印章签发证书")
    intermediate = _sign_authority(_builder(name, root_name, key.public_key(), valid), root_key, length=0)
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "intermediate.pem").write_bytes(intermediate.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    part = folder / "intermediate.key.part"
    part.touch(mode=0o600)
    part.write_bytes(secret)
    part.replace(folder / "intermediate.key")


def _sign_authority(
    builder: x509.CertificateBuilder, key: rsa.RSAPrivateKey, *, length: int
) -> x509.Certificate:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=length), critical=True)
    builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.add_extension(issuer, critical=False).sign(key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, valid: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _KEY_USAGES})


def _subject(organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

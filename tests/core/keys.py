"""Keys and certificates without a token: an authority of the tests' own, and what its keys sign."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from core.adapters.seal_trust import Trust
from core.service.challenges import pack

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@lru_cache(maxsize=8)
def rsa_key(index: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Making one takes long, so tests share a few."""
    del index
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _name(organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


@dataclass(frozen=True)
class Key:
    """A certificate with its key."""

    certificate: x509.Certificate
    private: Private

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def serial(self) -> str:
        return f"{self.certificate.serial_number:X}"

    def sign(self, text: str) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(text.encode(), ec.ECDSA(hashes.SHA256()))

    def proof(self, text: str) -> str:
        """As `sign-challenge` prints it."""
        return pack(self.der, self.sign(text))


class Authority:
    """A root that issues keys; its name is one that the region's vendors spell."""

    def __init__(self, organisation: str = "演示证书机构") -> None:
        self.organisation = organisation
        self.key = rsa_key(0)

    @cached_property
    def root(self) -> x509.Certificate:
        name = _name(self.organisation, "测试根证书")
        return self._build(name, self.key, (-10, 3650), lambda usage: usage(key_cert_sign=True), ca=True)

    def trust(self, folder: Path) -> Trust:
        path = folder / "root.pem"
        path.write_bytes(self.root.public_bytes(Encoding.PEM))
        return Trust(path)

    def issue(
        self,
        common: str = "青原市示范中学",
        *,
        days: tuple[int, int] = (-1, 365),
        signs: bool = True,
        private: Private | None = None,
        serial: int | None = None,
    ) -> Key:
        """A key with its certificate, valid from `days[0]` to `days[1]` days from now."""
        private = private or rsa_key(1)
        use = "digital_signature" if signs else "key_encipherment"
        certificate = self._build(
            _name("青原市示范中学", common), private, days, lambda usage: usage(**{use: True}), serial=serial
        )
        return Key(certificate, private)

    def _build(
        self,
        subject: x509.Name,
        private: Private,
        days: tuple[int, int],
        use: Callable[[Callable[..., x509.KeyUsage]], x509.KeyUsage],
        *,
        ca: bool = False,
        serial: int | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_name(self.organisation, "测试根证书"))
            .public_key(private.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(use(_usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        return builder.sign(self.key, hashes.SHA256())


def _usage(**wanted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})

"""An authority of the tests' own, and its OCSP responder and revocation list over real HTTP on loopback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from tests.support.servers import running

LOOPBACK = "127.0.0.1"
DAY = timedelta(days=1)
SIGNING, ENCRYPTION = {"digital_signature", "content_commitment"}, {"key_encipherment", "data_encipherment"}
ISSUING = {"key_cert_sign", "crl_sign"}
Key = ec.EllipticCurvePrivateKey
BITS = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def common(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


@dataclass
class Authority:
    """Signs with `key` as `certificate`; `base_url` is where its responder and list are."""

    certificate: x509.Certificate
    key: Key
    now: datetime
    base_url: str = ""
    revoked: dict[int, datetime] = field(default_factory=dict)

    @classmethod
    def root(cls, now: datetime, name: str = "演示根", key: Key | None = None) -> "Authority":
        key = key or new_key()
        certificate = _certificate(
            name, key, name, key, (now - 9 * DAY, now + 9 * DAY), ca=True, uses=ISSUING
        )
        return cls(certificate, key, now)

    def intermediate(
        self, name: str = "演示 CA", ends: timedelta = 9 * DAY, *, ca: bool = True
    ) -> "Authority":
        key = new_key()
        certificate = self._issue(name, key, (self.now - 9 * DAY, self.now + ends), ca=ca, uses=ISSUING)
        return Authority(certificate, key, self.now, self.base_url)

    def issue(
        self,
        subject: str = "演示采购单位",
        key: Key | None = None,
        *,
        begins: timedelta = -100 * DAY,
        ends: timedelta = 265 * DAY,
        uses: set[str] = SIGNING,
        serial: int | None = None,
    ) -> x509.Certificate:
        dates = (self.now + begins, self.now + ends)
        return self._issue(subject, key or new_key(), dates, uses=uses, serial=serial, url=self.base_url)

    def responder(self) -> "Authority":
        """One appointed by this authority to answer OCSP."""
        key = new_key()
        dates = (self.now - DAY, self.now + DAY)
        certificate = self._issue("OCSP", key, dates, uses={"digital_signature"}, appointed=True)
        return Authority(certificate, key, self.now)

    def crl(self, age: timedelta = timedelta(hours=1), lasts: timedelta = DAY, padding: int = 0) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(self.now - age).next_update(self.now - age + lasts)
        others = dict.fromkeys(range(1, padding + 1), self.now - DAY)
        for serial, at in (self.revoked | others).items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def answer(
        self,
        request: bytes,
        certificate: x509.Certificate,
        *,
        age: timedelta = timedelta(hours=1),
        nonce: bytes | None = None,
        echo: bool = True,
        responder: "Authority | None" = None,
    ) -> bytes:
        """An OCSP answer about `certificate`; `nonce` instead of the one asked with."""
        signer = responder or self
        revoked = self.revoked.get(certificate.serial_number)
        builder = ocsp.OCSPResponseBuilder().add_response(
            certificate,
            self.certificate,
            hashes.SHA1(),  # noqa: S303 – how OCSP names certificates
            ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
            self.now - age,
            self.now - age + DAY,
            revoked,
            None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, signer.certificate)
        if responder:
            builder = builder.certificates([responder.certificate])
        asked = ocsp.load_der_ocsp_request(request).extensions.get_extension_for_class(x509.OCSPNonce)
        if echo:
            builder = builder.add_extension(x509.OCSPNonce(nonce or asked.value.nonce), critical=False)
        return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _issue(
        self,
        subject: str,
        key: Key,
        dates: tuple[datetime, datetime],
        *,
        uses: set[str],
        ca: bool = False,
        serial: int | None = None,
        url: str = "",
        appointed: bool = False,
    ) -> x509.Certificate:
        return _certificate(
            *(subject, key, self.certificate.subject, self.key, dates),
            ca=ca,
            uses=uses,
            serial=serial,
            url=url,
            appointed=appointed,
        )


def _certificate(
    subject: str,
    key: Key,
    issuer: str | x509.Name,
    issuer_key: Key,
    dates: tuple[datetime, datetime],
    *,
    ca: bool,
    uses: set[str],
    serial: int | None = None,
    url: str = "",
    appointed: bool = False,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(common(subject))
        .issuer_name(issuer if isinstance(issuer, x509.Name) else common(issuer))
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{bit: bit in uses for bit in BITS}), critical=True)
    )
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(own, critical=False)
    if appointed:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False
        )
    if url:
        place = x509.UniformResourceIdentifier(f"{url}/ocsp")
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{url}/crl")], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


Reply = Callable[[BaseHTTPRequestHandler, bytes], None]


@dataclass
class Site:
    """A server whose replies a test sets by path; `asked` counts what came."""

    url: str
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def send(self, path: str, content: bytes | Callable[[bytes], bytes], status: int = 200) -> None:
        def reply(handler: BaseHTTPRequestHandler, body: bytes) -> None:
            sent = content if isinstance(content, bytes) else content(body)
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(sent)))
            handler.end_headers()
            handler.wfile.write(sent)

        self.replies[path] = reply

    def redirect(self, path: str, target: str) -> None:
        def reply(handler: BaseHTTPRequestHandler, _: bytes) -> None:
            handler.send_response(302)
            handler.send_header("Location", target)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        self.replies[path] = reply


@contextmanager
def site() -> Iterator[Site]:
    """A real HTTP server on loopback; what has no reply is 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = found.replies.get(self.path)
            if reply is None:
                self.send_error(404)
            else:
                reply(self, body)

        do_POST = do_HEAD = do_GET  # noqa: N815 – the standard library's names

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """The client breaks off where a test is about that."""

    server = Quiet((LOOPBACK, 0), Handler)
    found = Site(f"http://{LOOPBACK}:{server.server_port}")
    with running(server):
        yield found

"""Real sites on loopback: certificates of an own CA, servers that refuse, stay silent or answer wrongly."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import diagnostics
from tests.diagnostics.conftest import name
from tests.support.servers import running

LOOPBACK = "127.0.0.1"
DAY = timedelta(days=1)
Serve = Callable[..., str]


class Authority:
    """A CA of the test's own, and certificates from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign("Test CA", "Test CA", self.key, -DAY, 30 * DAY, authority=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def context(
        self, begins: timedelta = -DAY, ends: timedelta = DAY, address: str = LOOPBACK
    ) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign("site", "Test CA", key, begins, ends, address=address)
        file = self.folder / f"site-{certificate.serial_number}.pem"
        file.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(
        self,
        subject: str,
        issuer: str,
        key: ec.EllipticCurvePrivateKey,
        begins: timedelta,
        ends: timedelta,
        *,
        authority: bool = False,
        address: str = LOOPBACK,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that breaks off during the handshake is what these tests are about."""


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(status, context, location)` starts a site and returns its address."""
    with contextlib.ExitStack() as stack:

        def start(status: int = 200, context: ssl.SSLContext | None = None, location: str = "") -> str:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    self.send_response(status)
                    if location:
                        self.send_header("Location", location)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

                do_HEAD = do_GET  # noqa: N815 – the standard library's name

                def log_message(self, *_: object) -> None:
                    pass

            server = Quiet((LOOPBACK, 0), Handler)
            if context:
                server.socket = context.wrap_socket(
                    server.socket, server_side=True, do_handshake_on_connect=False
                )
            port = stack.enter_context(running(server))
            return f"{'https' if context else 'http'}://{LOOPBACK}:{port}/"

        yield start


def check(address: str, region: Callable[..., None]) -> diagnostics.Result:
    region(login_url=address)
    facts = {"reference_time": datetime.now(UTC)}
    return diagnostics.run("neimenggu", only=["site_tls"], facts=facts).of("site_tls")


@pytest.mark.covers("nm-1")
@pytest.mark.parametrize(
    ("code", "status", "finding"),
    [
        (200, "ok", "site_reached"),
        (403, "warn", "site_refuses_request"),
        (503, "fail", "site_error"),
    ],
)
def test_http(serve: Serve, region: Callable[..., None], code: int, status: str, finding: str) -> None:
    result = check(serve(code), region)
    assert (result.status, result.finding) == (status, finding)


@pytest.mark.covers("nm-1")
def test_a_good_certificate(authority: Authority, serve: Serve, region: Callable[..., None]) -> None:
    assert check(serve(200, authority.context()), region).finding == "site_reached"


@pytest.mark.covers("nm-1")
@pytest.mark.parametrize(
    ("arguments", "finding"),
    [
        ({"begins": -3 * DAY, "ends": -DAY}, "site_expired"),
        ({"begins": DAY, "ends": 3 * DAY}, "site_expired"),
        ({"address": "127.0.0.9"}, "site_wrong_name"),
    ],
)
def test_bad_certificates(
    authority: Authority,
    serve: Serve,
    region: Callable[..., None],
    arguments: dict[str, object],
    finding: str,
) -> None:
    result = check(serve(200, authority.context(**arguments)), region)
    assert (result.status, result.finding, result.topic) == ("fail", finding, "nm-1")


@pytest.mark.covers("nm-1")
def test_an_untrusted_certificate(
    authority: Authority,
    serve: Serve,
    region: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "other").file))
    assert check(serve(200, authority.context()), region).finding == "site_untrusted"


def test_no_tls_where_it_should_be(serve: Serve, region: Callable[..., None]) -> None:
    assert check(serve().replace("http:", "https:"), region).finding == "site_tls"


@pytest.mark.covers("nm-1")
def test_a_redirect_to_https_on_the_same_host_is_followed(
    authority: Authority, serve: Serve, region: Callable[..., None]
) -> None:
    secure = serve(200, authority.context(-3 * DAY, -DAY))
    assert check(serve(302, location=secure), region).finding == "site_expired"


def test_a_redirect_elsewhere_is_not(serve: Serve, region: Callable[..., None]) -> None:
    result = check(serve(302, location="https://localhost:1/"), region)
    assert result.finding == "site_reached"
    assert {fact.item for fact in result.evidence} == {1}


@pytest.mark.covers("nm-1")
def test_refused(region: Callable[..., None]) -> None:
    with socket.socket() as unused:
        unused.bind((LOOPBACK, 0))
        port = unused.getsockname()[1]
        assert check(f"http://{LOOPBACK}:{port}/", region).finding == "site_refused"


@pytest.mark.covers("nm-1")
def test_a_name_that_does_not_exist(region: Callable[..., None]) -> None:
    assert check("http://platform.invalid/", region).finding == "site_dns"


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-something\r\n", b"HTTP/1.1 "])
def test_something_that_is_no_site(region: Callable[..., None], answer: bytes) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=talk)
        thread.start()
        result = check(f"http://{LOOPBACK}:{server.getsockname()[1]}/", region)
        thread.join()
    assert result.finding == "site_no_answer"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_site_that_never_answers_ends_in_time(
    region: Callable[..., None], limit: Callable[..., None], scheme: str
) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        limit(site_tls=0.5)
        result = check(f"{scheme}://{LOOPBACK}:{server.getsockname()[1]}/", region)
    assert result.finding == "site_no_answer"


def test_the_sites_own_clock_is_a_reference(serve: Serve, region: Callable[..., None]) -> None:
    region(login_url=serve())
    wrong = datetime.now(UTC) + timedelta(hours=2)
    report = diagnostics.run("neimenggu", only=["token"], now=wrong)
    assert report.root_cause is not None
    assert report.root_cause.finding == "clock_ahead"
    right = diagnostics.run("neimenggu", only=["clock"])
    assert right.of("clock").finding == "clock_right"


def test_offline_looks_at_nothing(region: Callable[..., None]) -> None:
    region(login_url="http://platform.invalid/")
    report = diagnostics.run("neimenggu", only=["site_tls"], offline=True)
    assert report.of("site_tls").status == "skip"

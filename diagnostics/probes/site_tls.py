"""How far the way to the login site goes: DNS, TCP, TLS, HTTP; then HTTPS, if the same host leads there."""

import http.client
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import closing
from urllib.parse import SplitResult, urljoin, urlsplit

from diagnostics.probe import Context, FactSpec, Probe, Row

PORTS = {"http": 80, "https": 443}
# OpenSSL's X509_V_ERR_… numbers that have a cause of their own.
TLS_CAUSES = {9: "not_yet", 10: "expired", 62: "wrong_name", 64: "wrong_name"}
REDIRECTS = {301, 302, 303, 307, 308}


def gather(context: Context) -> Sequence[Row]:
    """One row for the login address, one more where it leads to HTTPS on the same host."""
    if context.offline:
        return [dict.fromkeys(PROBE.facts) | {"step": "offline"}]
    if context.region.login_url is None:
        return [dict.fromkeys(PROBE.facts) | {"step": "untold"}]
    until = time.monotonic() + context.remaining()
    address = urlsplit(context.region.login_url)
    row, location = _visit(address, until)
    target = urlsplit(urljoin(address.geturl(), location))
    if address.scheme == "http" and target.scheme == "https" and target.hostname == address.hostname:
        return [row, _visit(target, until)[0]]
    return [row]


def _visit(address: SplitResult, until: float) -> tuple[Row, str]:
    """What one address answers, and where it redirects to ("" if nowhere)."""
    host, port = address.hostname or "", address.port or PORTS[address.scheme]
    secure = address.scheme == "https"
    step, cause, code, location = "dns", None, None, ""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        step = "tcp"
        with closing(_connect([str(entry[4][0]) for entry in found], port, until)) as plain:
            step = "tls" if secure else "http"
            with closing(_secured(plain, host) if secure else plain) as stream:
                step = "http"
                code, location = _ask(stream, address)
        step = "done"
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = _cause(error)
    return {"site": host, "scheme": address.scheme, "step": step, "cause": cause, "code": code}, location


def _connect(addresses: Sequence[str], port: int, until: float) -> socket.socket:
    """First address that accepts; the last refusal if none does."""
    refusal: OSError = OSError("no address")
    for address in addresses:
        left = max(0.05, (until - time.monotonic()) * 0.8)
        try:
            return socket.create_connection((address, port), timeout=left)
        except OSError as error:
            refusal = error
    raise refusal


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _ask(stream: socket.socket, address: SplitResult) -> tuple[int, str]:
    # GET, because some sites refuse HEAD; the body is never read.
    connection = http.client.HTTPConnection(address.hostname or "")
    connection.sock = stream
    connection.request(
        "GET", address.path or "/", headers={"User-Agent": "diagnostics", "Connection": "close"}
    )
    with closing(connection.getresponse()) as response:
        location = response.getheader("Location", "") if response.status in REDIRECTS else ""
        return response.status, location


def _cause(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TLS_CAUSES.get(error.verify_code, "untrusted")
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "other"


PROBE = Probe(
    "site_tls",
    {
        "site": FactSpec("登录网站", str),
        "scheme": FactSpec("协议", str),
        "step": FactSpec("到哪一步", str),
        "cause": FactSpec("失败原因", str),
        "code": FactSpec("应答码", int),
    },
    gather,
)

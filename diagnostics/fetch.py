"""HTTP for addresses found in certificates: one deadline, a size limit, and no way into private networks.

A certificate names its own CRL and OCSP addresses, so whoever makes a certificate could point us anywhere. A
name is resolved once, the address found is judged, and the connection goes to that very address.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Literal
from urllib.parse import SplitResult, urljoin, urlsplit

PORTS = {"http": 80, "https": 443}
REDIRECTS = {301, 302, 303, 307, 308}
MAX_REDIRECTS = 3
CHUNK_BYTES = 64 * 1024
Kind = Literal["address", "private", "unreachable", "timeout", "too_large", "redirects", "status"]


class FetchError(Exception):
    """Why nothing was fetched, as one word."""

    def __init__(self, kind: Kind) -> None:
        """`kind` is all there is to tell."""
        super().__init__(kind)
        self.kind = kind


def fetch(
    url: str,
    *,
    until: float,
    limit_bytes: int,
    body: bytes | None = None,
    content_type: str = "",
    intranet_hosts: Collection[str] = (),
) -> bytes:
    """The content of `url` (GET, or POST of `body`), before `until` on the monotonic clock.

    Only `intranet_hosts` may answer from addresses that are not public, and a redirect never leads there.
    A POST follows no redirect. Raises FetchError.
    """
    location = ""
    for hop in range(MAX_REDIRECTS + 1):
        address = _split(url, location)
        places = _resolve(address, () if hop else intranet_hosts)
        with _connection(address, places, until) as stream:
            content, location = _exchange(stream, address, until, limit_bytes, body, content_type)
        if content is not None:
            return content
        if body is not None:
            break
        url = address.geturl()
    raise FetchError("redirects")


def _split(url: str, location: str) -> SplitResult:
    """Where `location` leads from `url`."""
    try:
        return urlsplit(urljoin(url, location))
    except ValueError as error:
        raise FetchError("address") from error


def _resolve(address: SplitResult, intranet_hosts: Collection[str]) -> list[tuple[str, int]]:
    try:
        host, port = address.hostname, address.port or PORTS[address.scheme]
    except (KeyError, ValueError) as error:
        raise FetchError("address") from error
    if not host:
        raise FetchError("address")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError("unreachable") from error
    places = [(str(entry[4][0]), port) for entry in found]
    if host not in intranet_hosts and not all(_public(place) for place, _ in places):
        raise FetchError("private")
    return places


def _public(place: str) -> bool:
    found = ipaddress.ip_address(place.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_global) and not found.is_multicast


@contextmanager
def _connection(address: SplitResult, places: list[tuple[str, int]], until: float) -> Iterator[socket.socket]:
    """A stream that is cut at the deadline, however slowly the other side drips."""
    plain = None
    for place in places:
        with suppress(OSError):
            plain = socket.create_connection(place, timeout=_left(until))
            break
    if plain is None:
        raise FetchError("timeout" if time.monotonic() >= until else "unreachable")
    cut = threading.Timer(_left(until), _shut, [plain])
    cut.daemon = True
    cut.start()
    try:
        with closing(_secured(plain, address)) as stream:
            yield stream
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = isinstance(error, TimeoutError) or time.monotonic() >= until
        raise FetchError("timeout" if late else "unreachable") from error
    finally:
        cut.cancel()
        plain.close()


def _secured(plain: socket.socket, address: SplitResult) -> socket.socket:
    if address.scheme == "http":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=address.hostname)


def _exchange(
    stream: socket.socket,
    address: SplitResult,
    until: float,
    limit_bytes: int,
    body: bytes | None,
    content_type: str,
) -> tuple[bytes | None, str]:
    """Content, or None and where it redirects to."""
    connection = http.client.HTTPConnection(address.netloc)
    connection.sock = stream
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    headers = {"User-Agent": "diagnostics", "Connection": "close"}
    if content_type:
        headers["Content-Type"] = content_type
    connection.request("GET" if body is None else "POST", target, body, headers)
    with closing(connection.getresponse()) as response:
        if response.status in REDIRECTS:
            return None, response.getheader("Location", "")
        if response.status // 100 != 2:  # noqa: PLR2004 – the class of success
            raise FetchError("status")
        return _read(response, until, limit_bytes), ""


def _read(response: http.client.HTTPResponse, until: float, limit_bytes: int) -> bytes:
    parts, size = [], 0
    while part := response.read(CHUNK_BYTES):
        size += len(part)
        if size > limit_bytes:
            raise FetchError("too_large")
        parts.append(part)
    if time.monotonic() >= until:  # cut off: what came is not the whole
        raise FetchError("timeout")
    return b"".join(parts)


def _left(until: float) -> float:
    return max(0.05, until - time.monotonic())


def _shut(stream: socket.socket) -> None:
    with suppress(OSError):
        stream.shutdown(socket.SHUT_RDWR)

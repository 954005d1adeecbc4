"""Simulated desks: faults drawn by a seed, put behind the ports only. Sites, TLS, OCSP and certificates are real.

Behind a port stand: Windows services, running programs, start entries, and what the child read from a key.
"""

import json
import os
import random
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

import diagnostics
from diagnostics import catalogue, inventory
from diagnostics.catalogue import Issuer
from diagnostics.desk import Component, Desk, PsutilServices
from diagnostics.inventory import Inventory, ModuleReading
from diagnostics.pkcs11_child import _fingerprint, describe_certificate
from tests.diagnostics.authority import (
    DAY,
    ENCRYPTION,
    LOOPBACK,
    SIGNING,
    Authority,
    Key,
    Site,
    new_key,
    pem,
    site,
)
from tests.diagnostics.test_desk import NAMES, WindowsService
from tests.diagnostics.test_site_tls import Authority as SiteAuthority
from tests.support.servers import running

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BOUND = "7b2211aa"


@dataclass
class State:
    """One desk, healthy as it is made; faults and noise change it."""

    number: int
    clock_off: timedelta = timedelta(0)
    login: str = "good"
    services: dict[str, WindowsService | Exception] = field(
        default_factory=lambda: {name: WindowsService() for name in NAMES}
    )
    installed: bool = True
    running: bool = True
    listens: bool | None = True
    at_boot: bool = True
    chrome: int | None = 147
    flag: str = "2"
    permission: int | None = 1
    how: str = "ok"
    slots: str = "key"
    aside: bool = False
    flags: set[str] = field(default_factory=set)
    pin_set: bool = True
    visible: bool = True
    begins: timedelta = -100 * DAY
    ends: timedelta = 265 * DAY
    old_beside: bool = False
    signing: bool = True
    key_fits: bool | None = True
    issuer: str = "ours"
    trusted: bool = True
    bound: str | None = BOUND
    account: str | None = None
    revoked: bool = False
    responder: str = "good"
    token_left: timedelta | None = 50 * MINUTE
    offline: bool = False


@dataclass(frozen=True)
class World:
    """What all desks share: sites by kind, and the authorities."""

    sites: dict[str, str]
    server: Site
    ours: Authority
    other: Authority
    trust: Path
    folder: Path
    keys: tuple[Key, Key]


class SimulatedDesk(Desk):
    """Programs are the port; everything else of a desk is real."""

    def component(self, program: str) -> Component:
        return PROGRAMS[self.roaming](program)


PROGRAMS: dict[Path | None, Callable[[str], Component]] = {}


class SimulatedKeys(Inventory):
    """Readings as the child would have made them; certificates are real and described by the child's code."""

    def __init__(self, *readings: ModuleReading) -> None:
        super().__init__([])
        self._made = readings

    def readings(self, _: float) -> tuple[ModuleReading, ...]:
        return self._made


@contextmanager
def world() -> Iterator[World]:
    """Sites on loopback that answer with the simulated time, and authorities of the desks."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(site())
        good = SiteAuthority(folder)
        (folder / "stranger").mkdir()
        stranger = SiteAuthority(folder / "stranger")
        stack.enter_context(patch.dict(os.environ, {"SSL_CERT_FILE": str(good.file)}))
        closed = stack.enter_context(socket.socket())
        closed.bind((LOOPBACK, 0))
        sites = {
            "good": stack.enter_context(_site(200)),
            "error": stack.enter_context(_site(503)),
            "expired": stack.enter_context(_site(200, good.context(-3 * DAY, -DAY))),
            "wrong_name": stack.enter_context(_site(200, good.context(address="127.0.0.9"))),
            "untrusted": stack.enter_context(_site(200, stranger.context())),
            "secure": stack.enter_context(_site(200, good.context())),
            "dns": "http://platform.invalid/",
            "refused": f"http://{LOOPBACK}:{closed.getsockname()[1]}/",
        }
        ours, other = Authority.root(NOW, "演示 CA"), Authority.root(NOW, "别处 CA")
        trust = folder / "trust.pem"
        trust.write_bytes(pem(ours.certificate))
        yield World(sites, server, ours, other, trust, folder, (new_key(), new_key()))


@contextmanager
def _site(status: int, context: ssl.SSLContext | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            self.send_header("Date", format_datetime(NOW, usegmt=True))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815 – the standard library's name

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A handshake that the client refuses is the point."""

    server = Quiet((LOOPBACK, 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with running(server) as port:
        yield f"{'https' if context else 'http'}://{LOOPBACK}:{port}/"


def check(state: State, around: World) -> diagnostics.Report:
    """The real runner on this desk."""
    real = catalogue.load("neimenggu")
    region = replace(
        real.region,
        login_url=around.sites[state.login],
        issuers=[Issuer("演示 CA", [])],
        intranet_hosts=[LOOPBACK],
    )
    desk = _desk(state, around)
    facts: dict[str, object] = {}
    if state.bound:
        facts["bound_serial"] = state.bound
    if state.account:
        facts["bound_account"] = state.account
    if state.token_left is not None:
        facts["token_expires_at"] = NOW + state.token_left
    # A loaded machine must not turn a slow answer into a verdict: limits are other tests' business.
    patient = {name: replace(data, limit_s=10.0) for name, data in real.probes.items()}
    changed = replace(real, region=region, probes=patient, run_limit_s=60.0)
    with patch.object(catalogue, "load", lambda _: changed):
        return diagnostics.run(
            "neimenggu",
            facts=facts,
            trust=around.trust if state.trusted else None,
            now=NOW + state.clock_off,
            offline=state.offline,
            desk=desk,
        )


def _desk(state: State, around: World) -> Desk:
    folder = around.folder / str(state.number)
    client = catalogue.load("neimenggu").region.seal_client
    assert client is not None
    place = folder.joinpath(*client.folder.split("/"))
    place.mkdir(parents=True)
    if state.installed:
        (place / client.program).touch()
    PROGRAMS[folder] = lambda _: Component(state.running, state.listens if state.running else None)

    def get(name: str) -> WindowsService:
        found = state.services.get(name, psutil.NoSuchProcess(pid=None, name=name))
        if isinstance(found, Exception):
            raise found
        return found

    return SimulatedDesk(
        services=PsutilServices(get),
        roaming=folder,
        windows="10",
        browsers=[_chrome(state, folder)] if state.chrome else [],
        start_entries=lambda: [f'"C:\\x\\{client.program}" /s'] if state.at_boot else [],
        providers=None,
        keys=_keys(state, around),
    )


def _chrome(state: State, folder: Path) -> Path:
    data = folder / "User Data"
    (data / "Default").mkdir(parents=True)
    (data / "Last Version").write_text(f"{state.chrome}.0.7000.12")
    flag = f"block-insecure-private-network-requests@{state.flag}"
    (data / "Local State").write_text(json.dumps({"browser": {"enabled_labs_experiments": [flag]}}))
    kind = "loopback_network" if (state.chrome or 0) >= 145 else "local_network_access"
    entry = {} if state.permission is None else {f"http://{LOOPBACK}:80,*": {"setting": state.permission}}
    content = {"profile": {"content_settings": {"exceptions": {kind: entry}}}}
    (data / "Default" / "Preferences").write_text(json.dumps(content))
    return data


def _keys(state: State, around: World) -> SimulatedKeys:
    path = Path("vendor.dll")
    aside = [ModuleReading(Path("other.dll"), "crash", "64", "SIGSEGV", "load")] if state.aside else []
    if state.how != "ok":
        detail = {"crash": "SIGSEGV", "exit": "0", "error": "GeneralError"}.get(state.how, "")
        return SimulatedKeys(ModuleReading(path, state.how, "64", detail, "load"))  # type: ignore[arg-type]
    slots: dict[str, list[dict[str, object]]] = {
        "absent": [{"slot": 0}],
        "blank": [{"slot": 0, "token": _token(state, {"RNG"})}],
        "error": [{"slot": 0, "error": {"type": "DeviceError"}}],
        "key": [{"slot": 0, "error": {"type": "DeviceError"}}, _full(state, around)],
    }
    document = inventory._validated({"slots": slots[state.slots]})
    return SimulatedKeys(*aside, ModuleReading(path, "ok", "64", slots=tuple(document.slots)))


def _token(state: State, flags: set[str]) -> dict[str, object]:
    serial = f"SIM{state.number:08d}"
    return {"label": "demo", "manufacturer": "Sim", "model": "K", "serial": serial, "flags": sorted(flags)}


def _full(state: State, around: World) -> dict[str, object]:
    flags = {"TOKEN_INITIALIZED", *state.flags} | ({"USER_PIN_INITIALIZED"} if state.pin_set else set())
    slot: dict[str, object] = {"slot": 1, "token": _token(state, flags)}
    if not state.visible:
        return slot
    own, stranger = around.keys
    made = [_issue(state, around, ENCRYPTION, "02", serial=None if state.signing else int(BOUND, 16))]
    if state.signing:
        made.append(_issue(state, around, SIGNING, "01", serial=int(BOUND, 16)))
    if state.old_beside:
        old = replace(state, begins=-500 * DAY, ends=-135 * DAY)
        made.append(_issue(old, around, SIGNING, "03"))
    slot["certificates"] = made
    if state.key_fits is not None:
        key = own if state.key_fits else stranger
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[-64:]
        slot["public_keys"] = [
            {"id": identity, "key": _fingerprint("ec", point)} for identity in ("01", "02")
        ]
    return slot


def _issue(
    state: State, around: World, uses: set[str], identity: str, serial: int | None = None
) -> dict[str, object]:
    base = f"{around.server.url}/{state.number}"
    authority = replace(around.other if state.issuer == "other" else around.ours, base_url=base, revoked={})
    made = authority.issue(key=around.keys[0], begins=state.begins, ends=state.ends, uses=uses, serial=serial)
    if state.issuer == "forged":
        made = _forged(made, around)
    _answers(state, around, authority, made, base)
    return {"id": identity, **describe_certificate(made.public_bytes(Encoding.DER))}


def _forged(real: x509.Certificate, around: World) -> x509.Certificate:
    """The same certificate, signed by someone else."""
    builder = x509.CertificateBuilder(
        real.issuer,
        real.subject,
        real.public_key(),
        real.serial_number,
        real.not_valid_before_utc.replace(tzinfo=None),
        real.not_valid_after_utc.replace(tzinfo=None),
        list(real.extensions),
    )
    return builder.sign(around.keys[1], hashes.SHA256())


def _answers(
    state: State, around: World, authority: Authority, certificate: x509.Certificate, base: str
) -> None:
    """OCSP and list of this desk. Each certificate's serial finds its own answer."""
    if state.revoked:
        authority.revoked[certificate.serial_number] = NOW - 5 * DAY
    at = base.removeprefix(around.server.url)
    known = ISSUED.setdefault(at, {})
    known[certificate.serial_number] = certificate
    age = 60 * DAY if state.responder == "stale" else timedelta(hours=1)

    def answer(body: bytes) -> bytes:
        serial = ocsp.load_der_ocsp_request(body).serial_number
        return authority.answer(body, known[serial], age=age)

    if state.responder in ("good", "stale"):
        around.server.send(f"{at}/ocsp", answer)
    if state.responder in ("list", "stale"):
        around.server.send(f"{at}/crl", authority.crl(age=age))


ISSUED: dict[str, dict[int, x509.Certificate]] = {}


def rng(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 – a simulation, reproducible by its seed

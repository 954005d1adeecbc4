"""OCSP and revocation lists over real HTTP on loopback: good, revoked, stale, replayed, forged, huge, hostile."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

import diagnostics
from diagnostics import fetch, revocation
from diagnostics.fetch import FetchError
from diagnostics.probes import revocation as probe
from tests.diagnostics.authority import DAY, LOOPBACK, Authority, Site, pem, site
from tests.diagnostics.conftest import NOW, Issued
from tests.diagnostics.test_cert_dates import MakeKey

SERIAL = 0x77AA5512


@pytest.fixture
def server(region: Callable[..., None]) -> Iterator[Site]:
    region(intranet_hosts=[LOOPBACK])
    with site() as found:
        yield found


@pytest.fixture
def authority(server: Site) -> Authority:
    made = Authority.root(NOW)
    made.base_url = server.url
    return made


@pytest.fixture
def certificate(authority: Authority) -> x509.Certificate:
    return authority.issue(serial=SERIAL)


@pytest.fixture
def check(
    make_key: MakeKey, authority: Authority, certificate: x509.Certificate, tmp_path: Path
) -> Callable[..., diagnostics.Report]:
    def run(*, offline: bool = False) -> diagnostics.Report:
        trust = tmp_path / "trust.pem"
        trust.write_bytes(pem(authority.certificate))
        return diagnostics.run(
            "neimenggu",
            only=["revocation"],
            module=make_key(Issued(certificate)),
            trust=trust,
            now=NOW,
            offline=offline,
            facts={"reference_time": NOW},
        )

    return run


Check = Callable[..., diagnostics.Report]


def test_good_by_ocsp(
    check: Check, server: Site, authority: Authority, certificate: x509.Certificate
) -> None:
    server.send("/ocsp", lambda body: authority.answer(body, certificate))
    result = check().of("revocation")
    assert (result.status, result.finding) == ("ok", "revocation_good")
    assert "OCSP" in result.summary
    assert server.asked == ["/ocsp"]


def test_good_by_an_appointed_responder(
    check: Check, server: Site, authority: Authority, certificate: x509.Certificate
) -> None:
    appointed = authority.responder()
    server.send("/ocsp", lambda body: authority.answer(body, certificate, responder=appointed))
    assert check().of("revocation").finding == "revocation_good"


def test_revoked_by_ocsp_is_the_root_cause(
    check: Check, server: Site, authority: Authority, certificate: x509.Certificate
) -> None:
    authority.revoked[SERIAL] = NOW - 3 * DAY
    server.send("/ocsp", lambda body: authority.answer(body, certificate))
    report = check()
    assert report.root_cause is not None
    assert report.root_cause.finding == "revoked"
    assert "2026-02-27" in report.say()
    assert "77aa5512" not in str(report.to_dict()).lower()


@pytest.mark.parametrize(("revoked", "finding"), [(True, "revoked"), (False, "revocation_good")])
def test_the_list_answers_where_the_responder_does_not(
    check: Check,
    server: Site,
    authority: Authority,
    revoked: bool,  # noqa: FBT001 – a column of the table
    finding: str,
) -> None:
    if revoked:
        authority.revoked[SERIAL] = NOW - DAY
    server.send("/ocsp", b"", status=503)
    server.send("/crl", authority.crl())
    result = check().of("revocation")
    assert result.finding == finding
    assert "CRL" in result.summary


def test_a_stale_list_says_nothing_of_now(check: Check, server: Site, authority: Authority) -> None:
    server.send("/crl", authority.crl(age=30 * DAY))
    server.send("/ocsp", b"", status=404)
    result = check().of("revocation")
    assert (result.status, result.finding) == ("unknown", "revocation_stale")


def test_a_stale_answer(
    check: Check, server: Site, authority: Authority, certificate: x509.Certificate
) -> None:
    server.send("/ocsp", lambda body: authority.answer(body, certificate, age=40 * DAY))
    result = check().of("revocation")
    assert (result.status, result.finding) == ("unknown", "revocation_stale")


def test_a_stale_list_still_proves_a_revocation(check: Check, server: Site, authority: Authority) -> None:
    authority.revoked[SERIAL] = NOW - 90 * DAY
    server.send("/crl", authority.crl(age=60 * DAY))
    assert check().of("revocation").finding == "revoked"


def test_a_replayed_answer_is_not_believed(
    check: Check, server: Site, authority: Authority, certificate: x509.Certificate
) -> None:
    server.send("/ocsp", lambda body: authority.answer(body, certificate, nonce=b"yesterday's nonce"))
    result = check().of("revocation")
    assert (result.status, result.finding) == ("warn", "revocation_replayed")


def test_an_answer_about_another_certificate_is_not_believed(
    check: Check, server: Site, authority: Authority
) -> None:
    other = authority.issue(serial=5)
    server.send("/ocsp", lambda body: authority.answer(body, other))
    assert check().of("revocation").finding == "revocation_replayed"


def test_a_responder_that_repeats_no_nonce_is_believed_while_fresh(
    check: Check, server: Site, authority: Authority, certificate: x509.Certificate
) -> None:
    server.send("/ocsp", lambda body: authority.answer(body, certificate, echo=False))
    assert check().of("revocation").finding == "revocation_good"


def test_what_someone_else_signed_is_not_believed(check: Check, server: Site, authority: Authority) -> None:
    forger = Authority(authority.certificate, Authority.root(NOW).key, NOW)
    server.send("/crl", forger.crl())
    result = check().of("revocation")
    assert (result.status, result.finding) == ("warn", "revocation_forged")


def test_a_changed_answer_is_not_believed(
    check: Check, server: Site, authority: Authority, certificate: x509.Certificate
) -> None:
    def changed(body: bytes) -> bytes:
        answer = authority.answer(body, certificate)
        at = answer.index(SERIAL.to_bytes(4, "big"))
        return answer[:at] + (SERIAL + 1).to_bytes(4, "big") + answer[at + 4 :]

    server.send("/ocsp", changed)
    assert check().of("revocation").finding == "revocation_forged"


def test_a_responder_nobody_appointed_is_not_believed(
    check: Check, server: Site, authority: Authority, certificate: x509.Certificate
) -> None:
    stranger = Authority.root(NOW, "别人").responder()
    server.send("/ocsp", lambda body: authority.answer(body, certificate, responder=stranger))
    assert check().of("revocation").finding == "revocation_forged"


def test_offline_is_unknown_and_asks_nobody(check: Check, server: Site) -> None:
    result = check(offline=True).of("revocation")
    assert (result.status, result.finding) == ("unknown", "revocation_offline")
    assert server.asked == []


def test_nobody_answers(check: Check, certificate: x509.Certificate) -> None:
    report = check()
    assert report.of("revocation").status == "unknown"
    assert report.exit_code == 0


def test_a_private_address_is_not_visited(check: Check, server: Site, region: Callable[..., None]) -> None:
    region(intranet_hosts=[])
    assert check().of("revocation").finding == "revocation_private"
    assert server.asked == []


def test_a_redirect_into_the_private_network_is_not_followed(check: Check, server: Site) -> None:
    server.redirect("/ocsp", f"{server.url}/inside")
    server.redirect("/crl", f"{server.url}/inside")
    server.send("/inside", b"secret")
    assert check().of("revocation").status == "unknown"
    assert "/inside" not in server.asked


def test_a_huge_list_is_not_read_to_its_end(
    check: Check, server: Site, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "MAX_CRL_BYTES", 100_000)
    server.send("/crl", authority.crl(padding=5_000))
    server.send("/ocsp", b"x" * (probe.MAX_OCSP_BYTES + 1))
    assert check().of("revocation").finding == "revocation_too_large"


def test_a_list_that_never_ends_stops_at_the_limit(server: Site) -> None:
    def endless(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    server.replies["/crl"] = endless
    assert refused(f"{server.url}/crl", limit_bytes=1_000_000) == "too_large"


def test_a_dripping_server_is_cut_at_the_deadline() -> None:
    stop = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    with socket.create_server((LOOPBACK, 0)) as listening:
        thread = threading.Thread(target=drip)
        thread.start()
        kind = refused(f"http://{LOOPBACK}:{listening.getsockname()[1]}/", seconds=0.5)
        stop.set()
        thread.join()
    assert kind == "timeout"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("ldap://ca.example/crl", "address"),
        ("file:///etc/passwd", "address"),
        ("http://", "address"),
        ("http://[", "address"),
        ("http://example:99999/", "address"),
        ("http://127.0.0.2/", "private"),
        ("http://10.0.0.1/", "private"),
        ("http://169.254.169.254/latest", "private"),
        ("http://[::1]/", "private"),
        ("http://[::ffff:127.0.0.1]/", "private"),
        ("http://0.0.0.0/", "private"),
        ("http://platform.invalid/", "unreachable"),
    ],
)
def test_addresses_that_are_never_visited(url: str, kind: str) -> None:
    assert refused(url) == kind


def refused(url: str, limit_bytes: int = 1000, seconds: float = 5) -> str:
    with pytest.raises(FetchError) as caught:
        fetch.fetch(url, until=time.monotonic() + seconds, limit_bytes=limit_bytes, intranet_hosts=[LOOPBACK])
    return caught.value.kind


@pytest.mark.parametrize("target", ["http://[", "file:///etc/passwd", "http://10.0.0.1/"])
def test_redirects_to_nowhere_good(server: Site, target: str) -> None:
    server.redirect("/", target)
    assert refused(server.url + "/") in ("address", "private")


def test_redirects_end(server: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_public", lambda _: True)
    server.redirect("/", "/")
    assert refused(server.url + "/") == "redirects"
    assert len(server.asked) == fetch.MAX_REDIRECTS + 1


ROOT = Authority.root(NOW)
PAIR = revocation.Pair(ROOT.issue(serial=SERIAL), ROOT.certificate)
CRL = ROOT.crl(age=timedelta(hours=1))
REQUEST, NONCE = revocation.ocsp_request(PAIR)
ANSWER = ROOT.answer(REQUEST, PAIR.certificate)


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(min_value=0, max_value=min(len(CRL), len(ANSWER))))
def test_damaged_answers_accuse_nobody(noise: bytes, at: int) -> None:
    for content, judge in (
        (CRL, lambda data: revocation.judge_crl(data, PAIR, NOW)),
        (ANSWER, lambda data: revocation.judge_ocsp(data, PAIR, NONCE, NOW)),
    ):
        damaged = content[:at] + noise + content[at + len(noise) :]
        if damaged != content:
            # "good" may remain: the parts beside the signature are not signed.
            assert judge(damaged).outcome != "revoked"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_end_as_an_outcome(content: bytes) -> None:
    assert revocation.judge_crl(content, PAIR, NOW).outcome == "malformed"
    assert revocation.judge_ocsp(content, PAIR, NONCE, NOW).outcome in ("malformed", "unknown_there")

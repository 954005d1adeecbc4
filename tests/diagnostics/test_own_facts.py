"""What the platform stands on, each with the real thing: servers on loopback, SoftHSM, SQLite."""

import email.utils
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from core.adapters import softhsm
from core.adapters.seal_trust import Trust
from core.adapters.signer import Pkcs11Signer
from core.adapters.softhsm import DemoSeal, DemoToken
from core.adapters.tables import outbox
from core.settings import Settings
from diagnostics import own_facts
from diagnostics.result import Result
from diagnostics.targets import Targets
from diagnostics.watch import Target, check, rules
from tests.diagnostics.authority import DAY, LOOPBACK, Authority, Site, pem, site
from tests.diagnostics.test_site_tls import Authority as SiteAuthority
from tests.diagnostics.test_site_tls import Serve, authority, serve
from tests.support import small_world
from tests.support.need import softhsm_module
from tests.support.small_world import TO_FILED, World

__all__ = ["authority", "serve"]
NOW = datetime.now(UTC)
PIN = "73915026"


def look(kind: str, gather: own_facts.Gather, now: datetime | None = None) -> Result:
    return check(Target(kind, "x", "x", gather), now or datetime.now(UTC))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return small_world.build(f"sqlite:///{tmp_path / 'caigou.db'}", tmp_path)


@pytest.fixture
def engine(world: World):
    engine = world.system.database.engine  # type: ignore[attr-defined]
    yield engine
    engine.dispose()


def test_the_backlog(world: World, engine) -> None:
    gather = own_facts.backlog(engine)
    assert look("outbox", gather).finding == "outbox_clear"
    world.plan("p", *TO_FILED)
    assert look("outbox", gather).finding == "outbox_clear"
    later = datetime.now(UTC)
    assert look("outbox", gather, later + timedelta(minutes=15)).finding == "outbox_slow"
    held = look("outbox", gather, later + timedelta(minutes=61))
    assert (held.status, held.finding) == ("fail", "outbox_held_up")
    assert "有 1 条消息" in held.summary
    with engine.begin() as connection:
        connection.execute(update(outbox).values(state="parked"))
    assert look("outbox", gather, later + timedelta(days=3)).finding == "outbox_parked"
    with engine.begin() as connection:
        connection.execute(update(outbox).values(state="done"))
    assert look("outbox", gather).finding == "outbox_clear"


@pytest.mark.parametrize(
    ("status", "finding"),
    [(200, "counterpart_answers"), (404, "counterpart_answers"), (503, "counterpart_faulty")],
)
def test_a_counterpart(serve: Serve, status: int, finding: str) -> None:
    found = look("counterpart", own_facts.counterpart("电子卖场", serve(status)))
    assert found.finding == finding
    assert "电子卖场" in found.summary


def test_a_counterpart_that_is_not_there() -> None:
    with site() as gone:
        url = gone.url
    found = look("counterpart", own_facts.counterpart("电子卖场", url))
    assert (found.status, found.finding) == ("fail", "counterpart_silent")
    assert found.remedy


def test_a_counterpart_that_drips_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    data = rules().of("counterpart")
    monkeypatch.setattr("diagnostics.watch._GRACE_S", 0.0)
    monkeypatch.setattr(type(rules()), "of", lambda _self, _kind: replace(data, limit_s=0.5))
    over = threading.Event()
    with site() as server:

        def drip(handler: BaseHTTPRequestHandler, _: bytes) -> None:
            while not over.wait(0.05):
                handler.wfile.write(b"X")

        server.replies["/"] = drip
        found = look("counterpart", own_facts.counterpart("电子卖场", server.url))
        over.set()
    assert (found.status, found.finding) == ("unknown", "timed_out")


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_a_counterpart_answers_is_a_finding(answer: bytes) -> None:
    with socket.create_server((LOOPBACK, 0)) as listening:

        def talk() -> None:
            with listening.accept()[0] as line:
                line.recv(4096)
                line.sendall(answer)

        talking = threading.Thread(target=talk)
        talking.start()
        url = f"http://{LOOPBACK}:{listening.getsockname()[1]}/"
        found = look("counterpart", own_facts.counterpart("电子卖场", url))
        talking.join()
    assert not found.doctor_error
    assert found.finding.startswith("counterpart_")


@given(
    st.text()
    | st.from_regex(r"\w{3}, \d{1,4} \w{3} \d{1,5} \d\d:\d\d:\d\d( GMT| [+-]\d{4,9})?", fullmatch=True)
)
def test_any_date_is_read_or_left(date: str) -> None:
    found = own_facts._offset(date, NOW)
    assert found is None or isinstance(found, int)


@pytest.mark.parametrize(("off", "finding"), [(30, "counterpart_answers"), (400, "counterpart_clock")])
def test_a_counterpart_whose_clock_is_off(off: int, finding: str) -> None:
    with site() as server:

        def reply(handler: object, _: bytes) -> None:
            handler.send_response_only(200)  # type: ignore[attr-defined]
            handler.send_header(  # type: ignore[attr-defined]
                "Date", email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=off), usegmt=True)
            )
            handler.send_header("Content-Length", "0")  # type: ignore[attr-defined]
            handler.end_headers()  # type: ignore[attr-defined]

        server.replies["/"] = reply
        assert look("counterpart", own_facts.counterpart("财政一体化", server.url)).finding == finding


@pytest.mark.parametrize(
    ("ends", "finding"),
    [(DAY, "own_site_expiring"), (29 * DAY, "own_site_well"), (-DAY / 2, "own_site_certificate")],
)
def test_a_site(authority: SiteAuthority, serve: Serve, ends: timedelta, finding: str) -> None:
    url = serve(context=authority.context(ends=ends))
    found = look("site", own_facts.site("neimenggu", "内蒙古", url))
    assert found.finding == finding
    assert ("（已过期）" in found.summary) == (finding == "own_site_certificate")


def test_a_site_that_is_not_there() -> None:
    with site() as gone:
        url = gone.url
    assert look("site", own_facts.site("shanxi", "山西", url)).finding == "own_site_unreachable"


@pytest.mark.parametrize(
    ("ends", "finding"),
    [
        (DAY, "own_certificate_expiring"),
        (29 * DAY, "own_certificate_good"),
        (-DAY / 2, "own_certificate_bad"),
    ],
)
def test_our_own_certificate(authority: SiteAuthority, serve: Serve, ends: timedelta, finding: str) -> None:
    url = serve(context=authority.context(ends=ends))
    assert look("certificate", own_facts.site("own", "本平台", url)).finding == finding


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> softhsm.Provisioned:
    softhsm_module()
    tokens = [
        DemoToken("WELL", "一中", PIN, [DemoSeal("公章"), DemoSeal("旧章", NOW - 90 * DAY, NOW - DAY)]),
        DemoToken("SOON", "二中", PIN, [DemoSeal("公章", NOW - DAY, NOW + 10 * DAY)]),
        DemoToken("OVER", "三中", PIN, [DemoSeal("公章", NOW - 90 * DAY, NOW - DAY)]),
    ]
    return softhsm.provision(tmp_path_factory.mktemp("own"), tokens)


@pytest.fixture
def signer(made: softhsm.Provisioned) -> Pkcs11Signer:
    return Pkcs11Signer(
        made.module, Trust(made.roots, made.intermediates), environment=made.environment, limit=60
    )


@pytest.mark.parametrize(
    ("label", "status", "finding"),
    [
        ("WELL", "ok", "token_ready"),
        ("SOON", "warn", "token_expiring"),
        ("OVER", "fail", "token_no_seal"),
        ("GONE", "fail", "token_unread"),
    ],
)
def test_a_token(signer: Pkcs11Signer, label: str, status: str, finding: str) -> None:
    found = look("token", own_facts.token("河湾某校", label, signer))
    assert (found.status, found.finding) == (status, finding)
    assert "河湾某校" in found.summary


def test_seals_that_name_no_list(signer: Pkcs11Signer, made: softhsm.Provisioned) -> None:
    gather = own_facts.revoked(lambda: signer.certificates("WELL"), made.roots, made.intermediates)
    assert look("revocation", gather).finding == "own_revocation_untold"


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CAIGOU_INTRANET_HOSTS", LOOPBACK)
    with site() as server:
        yield server


@pytest.mark.parametrize(
    ("what", "status", "finding"),
    [
        ("good", "ok", "own_revocation_good"),
        ("revoked", "fail", "own_revoked"),
        ("stale", "warn", "own_revocation_stale"),
        ("forged", "fail", "own_revocation_forged"),
        ("gone", "warn", "own_revocation_unreachable"),
        ("junk", "warn", "own_revocation_unreachable"),
    ],
)
def test_revocation(lists: Site, tmp_path: Path, what: str, status: str, finding: str) -> None:
    root = Authority.root(datetime.now(UTC))
    between = root.intermediate()
    between.base_url = lists.url
    seal = between.issue()
    if what == "revoked":
        between.revoked[seal.serial_number] = between.now - DAY
    age = 9 * DAY if what == "stale" else timedelta(hours=1)
    liar = Authority(between.certificate, Authority.root(between.now).key, between.now)
    content = {"forged": liar.crl(), "junk": b"\x30\x80" * 50}.get(what, between.crl(age=age))
    lists.send("/crl", content, 404 if what == "gone" else 200)
    roots, issuing = tmp_path / "root.pem", tmp_path / "intermediate.pem"
    roots.write_bytes(pem(root.certificate))
    issuing.write_bytes(pem(between.certificate))
    gather = own_facts.revoked(lambda: [seal.public_bytes(Encoding.DER)], roots, issuing)
    found = look("revocation", gather)
    assert (found.status, found.finding) == (status, finding)
    assert f"{seal.serial_number:x}" not in found.summary


def test_what_is_checked_here(world: World, engine, made: softhsm.Provisioned, tmp_path: Path) -> None:
    here = Settings(var=tmp_path, database_url="sqlite://", public_url="https://caigou.example")
    kinds = [target.probe for target in Targets(world.system, here)()]
    assert kinds[:2] == ["outbox:all", "certificate:own"]
    assert {"counterpart:mall", "counterpart:agency", "counterpart:finance", "site:neimenggu"} <= set(kinds)
    assert len(kinds) == len(set(kinds))
    assert not [kind for kind in kinds if kind.startswith("token")]  # no signer is set up in this world
    plain = Settings(var=tmp_path, database_url="sqlite://")
    assert "certificate:own" not in [target.probe for target in Targets(world.system, plain)()]

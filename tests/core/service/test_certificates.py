"""Binding, unbinding and sign-in by certificate, with real certificates and real signatures."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from core import demo
from core.adapters.certificates import X509Judge
from core.domain.accounts import Session
from core.domain.errors import (
    AuthenticationError,
    BlockedError,
    DomainError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from core.service import accounts, certificates, challenges
from tests.core.keys import Authority, Key, rsa_key
from tests.core.world import LOGINS, World

HANDLER, REVIEWER = LOGINS["handler"], LOGINS["reviewer"]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def trusting(each_world: World, authority: Authority, tmp_path: Path) -> World:
    """The world on each database, trusting the tests' authority."""
    judge = X509Judge(authority.trust(tmp_path))
    return replace(each_world, system=replace(each_world.system, certificates=judge))


@pytest.fixture
def one(world: World, authority: Authority, tmp_path: Path) -> World:
    """The same on SQLite only."""
    return replace(world, system=replace(world.system, certificates=X509Judge(authority.trust(tmp_path))))


@pytest.fixture(scope="module")
def key(authority: Authority) -> Key:
    return authority.issue()


def bind(world: World, key: Key, login: str = HANDLER, password: str = demo.PASSWORD) -> None:
    text = challenges.issue(world.system, "bind").text
    certificates.bind(world.system, login, password, challenge=text, proof=key.proof(text))


def sign_in(world: World, key: Key, login: str = "") -> Session:
    text = challenges.issue(world.system, "sign_in").text
    return certificates.sign_in(world.system, text, key.proof(text), login=login, device="测试")


def refused(act: Callable[[], object], kind: type[DomainError] = AuthenticationError) -> DomainError:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


def acts(world: World) -> list[str]:
    from core.adapters.tables import audit

    with world.engine.connect() as connection:
        return [row.act for row in connection.execute(audit.select().order_by(audit.c.seq))]


@pytest.mark.covers("nm-6")
@pytest.mark.covers("ah-2.2", "ah-3.7")
def test_bound_once_it_signs_in(trusting: World, key: Key) -> None:
    world = trusting
    bind(world, key)
    opened = sign_in(world, key)
    assert opened.account == world["handler"]
    assert accounts.session(world.system, opened.token).account == world["handler"]
    assert opened.account.by_key
    assert accounts.session(world.system, opened.token).account.by_key
    assert not world["handler"].by_key
    [held] = certificates.mine(world.system, world["handler"])
    assert (held.certificate.serial, held.certificate.owner) == (key.serial, "青原市示范中学")
    assert held.certificate.issuer.endswith("O=演示证书机构,C=CN")
    [view] = [one for one in accounts.sessions(world.system, opened) if one.current]
    assert (view.method, view.device) == ("CA 证书", "测试")
    assert acts(world)[-2:] == ["certificate_bind", "sign_in"]
    world.sound()


@pytest.mark.covers("nm-6")
def test_a_sign_in_with_an_unbound_key_leads_to_the_binding_page(trusting: World, key: Key) -> None:
    world = trusting
    error = refused(lambda: sign_in(world, key))
    assert error.code == "certificate_unbound"
    assert "还没有绑定账号" in error.message
    assert error.fields["owner"] == "青原市示范中学"
    ticket = str(error.fields["ticket"])
    wrong = refused(lambda: certificates.bind(world.system, HANDLER, "no", ticket=ticket))
    assert wrong.code == "wrong_password"
    certificates.bind(world.system, HANDLER, demo.PASSWORD, ticket=ticket)
    assert sign_in(world, key).account == world["handler"]
    gone = refused(lambda: certificates.bind(world.system, REVIEWER, demo.PASSWORD, ticket=ticket))
    assert gone.code == "ticket_gone"


def test_a_ticket_ends(one: World, key: Key) -> None:
    ticket = str(refused(lambda: sign_in(one, key)).fields["ticket"])
    one.clock.pass_by(minutes=10)
    assert (
        refused(lambda: certificates.bind(one.system, HANDLER, demo.PASSWORD, ticket=ticket)).code
        == "ticket_gone"
    )
    assert certificates.mine(one.system, one["handler"]) == []


@pytest.mark.covers("nm-6")
def test_one_certificate_for_one_account_and_others_numbers_are_masked(trusting: World, key: Key) -> None:
    world = trusting
    bind(world, key)
    bind(world, key)  # to the same account is well
    assert len(certificates.mine(world.system, world["handler"])) == 1
    error = refused(lambda: bind(world, key, REVIEWER), BlockedError)
    assert error.code == "bound_elsewhere"
    assert "150299******01" in error.message
    assert HANDLER not in error.message
    assert acts(world)[-1] == "certificate_refused"
    elsewhere = refused(lambda: sign_in(world, key, login=REVIEWER))
    assert elsewhere.code == "bound_elsewhere"
    assert "150299******01" in elsewhere.message
    assert HANDLER not in elsewhere.message
    assert sign_in(world, key, login=HANDLER).account == world["handler"]


def test_two_who_bind_the_same_at_once(trusting: World, key: Key) -> None:
    world = trusting

    def attempt(login: str) -> str:
        try:
            bind(world, key, login)
        except BlockedError as error:
            return error.code
        return login

    with ThreadPoolExecutor(2) as pool:
        outcomes = set(pool.map(attempt, (HANDLER, REVIEWER)))
    assert len(outcomes & {HANDLER, REVIEWER}) == 1
    assert "bound_elsewhere" in outcomes
    world.sound()


def test_a_challenge_is_used_once_soon_and_for_one_thing(trusting: World, key: Key) -> None:
    world = trusting
    bind(world, key)
    text = challenges.issue(world.system, "sign_in").text
    assert challenges.PATTERN.match(text)
    certificates.sign_in(world.system, text, key.proof(text))
    again = refused(lambda: certificates.sign_in(world.system, text, key.proof(text)))
    assert again.code == "challenge_gone"
    late = challenges.issue(world.system, "sign_in").text
    world.clock.pass_by(minutes=2)
    assert refused(lambda: certificates.sign_in(world.system, late, key.proof(late))).code == "challenge_gone"
    other = challenges.issue(world.system, "bind").text
    assert (
        refused(lambda: certificates.sign_in(world.system, other, key.proof(other))).code == "challenge_gone"
    )
    own = "caigou-v1:sign_in:" + "A" * 43
    assert refused(lambda: certificates.sign_in(world.system, own, key.proof(own))).code == "challenge_gone"


def test_a_failed_signature_uses_the_challenge_up(one: World, key: Key) -> None:
    bind(one, key)
    text = challenges.issue(one.system, "sign_in").text
    wrong = refused(lambda: certificates.sign_in(one.system, text, key.proof("something else")))
    assert wrong.code == "signature_wrong"
    assert refused(lambda: certificates.sign_in(one.system, text, key.proof(text))).code == "challenge_gone"


def test_of_two_with_the_same_challenge_one_gets_in(trusting: World, key: Key) -> None:
    world = trusting
    bind(world, key)
    text = challenges.issue(world.system, "sign_in").text
    proof = key.proof(text)

    def attempt(_: int) -> str:
        try:
            return certificates.sign_in(world.system, text, proof).account.login
        except AuthenticationError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))
    assert outcomes == [HANDLER, *["challenge_gone"] * 3]


def test_somebody_elses_certificate_with_ones_own_signature(
    one: World, authority: Authority, key: Key
) -> None:
    bind(one, key)
    thief = authority.issue("别人", private=rsa_key(2))
    text = challenges.issue(one.system, "sign_in").text
    forged = challenges.pack(key.der, thief.sign(text))
    assert refused(lambda: certificates.sign_in(one.system, text, forged)).code == "signature_wrong"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"days": (-400, -1)}, "到期"),
        ({"days": (1, 400)}, "才生效"),
        ({"signs": False}, "加密证书"),
        ({"private": rsa_key(3, 1024)}, "1024 位"),
    ],
)
def test_certificates_that_cannot_identify_anybody(
    one: World, authority: Authority, given: dict[str, object], part: str
) -> None:
    error = refused(lambda: bind(one, authority.issue(**given)), InvalidError)  # type: ignore[arg-type]
    assert error.code == "certificate_unusable"
    assert part in error.message
    assert certificates.mine(one.system, one["handler"]) == []


def test_an_authority_of_the_same_name_that_is_not_trusted(one: World) -> None:
    stranger = Authority()
    stranger.key = rsa_key(4)
    error = refused(lambda: bind(one, stranger.issue()), InvalidError)
    assert "不是本系统认可的机构" in error.message


def test_a_trusted_authority_that_is_no_vendor_of_the_region(world: World, tmp_path: Path) -> None:
    other = Authority("别处证书机构")
    there = replace(world, system=replace(world.system, certificates=X509Judge(other.trust(tmp_path))))
    error = refused(lambda: bind(there, other.issue()), InvalidError)
    assert error.code == "vendor_refused"
    assert "内蒙古CA" in error.message


def test_without_trusted_authorities_nobody_is_let_in(world: World, key: Key) -> None:
    nowhere = replace(world, system=replace(world.system, certificates=X509Judge(None)))
    assert refused(lambda: bind(nowhere, key), UnavailableError).code == "trust_missing"


def test_keys_on_elliptic_curves_too(one: World, authority: Authority) -> None:
    curve = authority.issue(private=ec.generate_private_key(ec.SECP256R1()))
    bind(one, curve)
    assert sign_in(one, curve).account == one["handler"]


@pytest.mark.parametrize(
    "proof",
    ["", "x", "%%%", base64.b64encode(b"[]").decode(), base64.b64encode(b"{}").decode(), "A" * 40_000,
     base64.b64encode(json.dumps({"certificate": 1, "signature": 2}).encode()).decode(),
     base64.b64encode(json.dumps({"certificate": "AAAA", "signature": "AAAA"}).encode()).decode()],
)  # fmt: skip
def test_a_proof_that_is_none(one: World, proof: str) -> None:
    text = challenges.issue(one.system, "sign_in").text
    assert refused(lambda: certificates.sign_in(one.system, text, proof), InvalidError).code == "bad_proof"


def test_who_is_signed_in_binds_to_the_own_account_only(one: World, key: Key) -> None:
    text = challenges.issue(one.system, "bind").text
    error = refused(
        lambda: certificates.bind(
            one.system, REVIEWER, demo.PASSWORD, challenge=text, proof=key.proof(text), actor=one["handler"]
        ),
        ForbiddenError,
    )
    assert error.code == "other_login"


def test_wrong_passwords_at_binding_lock_as_at_sign_in(one: World, key: Key) -> None:
    codes = [refused(lambda: bind(one, key, password="no")).code for _ in range(6)]
    assert codes == ["wrong_password"] * 5 + ["locked"]


# ── unbinding ────────────────────────────────────────────────────────────


@pytest.mark.covers("nm-7")
def test_unbound_while_signed_in_by_it_and_bound_anew(trusting: World, key: Key) -> None:
    world = trusting
    bind(world, key, REVIEWER)  # the wrong account
    other, opened = sign_in(world, key), sign_in(world, key)
    certificates.unbind(world.system, opened, str(int(key.serial, 16)))  # its serial in decimal
    assert certificates.mine(world.system, world["reviewer"]) == []
    accounts.session(world.system, opened.token)
    assert refused(lambda: accounts.session(world.system, other.token)).code == "not_signed_in"
    assert refused(lambda: sign_in(world, key)).code == "certificate_unbound"
    bind(world, key, HANDLER)
    assert sign_in(world, key).account == world["handler"]
    assert acts(world)[-3:] == ["certificate_unbind", "certificate_bind", "sign_in"]
    world.sound()


@pytest.mark.covers("nm-7")
def test_unbound_by_password(one: World, key: Key) -> None:
    bind(one, key)
    opened = accounts.sign_in(one.system, HANDLER, demo.PASSWORD)
    assert refused(lambda: certificates.unbind(one.system, opened, key.serial)).code == "password_needed"
    wrong = refused(lambda: certificates.unbind(one.system, opened, key.serial, password="no"))
    assert wrong.code == "wrong_password"
    spelled = ":".join([key.serial.lower()[i : i + 2] for i in range(0, len(key.serial), 2)])
    certificates.unbind(one.system, opened, spelled, password=demo.PASSWORD)
    assert certificates.mine(one.system, one["handler"]) == []
    again = refused(
        lambda: certificates.unbind(one.system, opened, key.serial, password=demo.PASSWORD), NotFoundError
    )
    assert again.code == "not_found"


def test_a_session_of_another_certificate_needs_the_password(
    one: World, authority: Authority, key: Key
) -> None:
    second = authority.issue("第二把", private=rsa_key(2))
    bind(one, key)
    bind(one, second)
    opened = sign_in(one, second)
    assert refused(lambda: certificates.unbind(one.system, opened, key.serial)).code == "password_needed"


def test_nobody_unbinds_anothers(one: World, key: Key) -> None:
    bind(one, key)
    opened = accounts.sign_in(one.system, REVIEWER, demo.PASSWORD)
    act = lambda: certificates.unbind(one.system, opened, key.serial, password=demo.PASSWORD)  # noqa: E731
    refused(act, NotFoundError)
    assert len(certificates.mine(one.system, one["handler"])) == 1


@pytest.mark.covers("nm-7")
def test_to_whom_a_serial_is_bound(one: World, key: Key) -> None:
    bind(one, key)
    decimal = str(int(key.serial, 16))
    assert certificates.holders(one.system, one["handler"], decimal) == [HANDLER]
    assert certificates.holders(one.system, one["reviewer"], key.serial) == ["150299******01"]
    assert certificates.holders(one.system, one["reviewer"], "ABCDEF") == []
    refused(lambda: certificates.holders(one.system, one["handler"], "不知道"), InvalidError)


def test_an_administrator_releases_and_says_why(one: World, key: Key) -> None:
    bind(one, key)
    opened = sign_in(one, key)
    release = certificates.release
    refused(lambda: release(one.system, one["support"], HANDLER, key.serial, "锁丢了"), ForbiddenError)
    refused(lambda: release(one.system, one["admin"], HANDLER, key.serial, " "), InvalidError)
    release(one.system, one["admin"], HANDLER, key.serial, "锁丢了")
    assert refused(lambda: accounts.session(one.system, opened.token)).code == "not_signed_in"
    assert acts(one)[-1] == "certificate_release"

"""Codes as a second factor, and what becomes of sessions and passwords."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from core import demo
from core.domain.accounts import Session
from core.domain.errors import (
    AuthenticationError,
    BlockedError,
    DomainError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from core.service import accounts, second_factor
from tests.core.world import LOGINS, World

SUPPORT, HANDLER = LOGINS["support"], LOGINS["handler"]
GOOD = "墨绿 的 3 只鹤飞过"


def refused(act: Callable[[], object], kind: type[DomainError] = AuthenticationError) -> DomainError:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


def now(world: World, secret: str) -> str:
    return pyotp.TOTP(secret).at(world.clock())


def enrolled(world: World, who: str = "support") -> tuple[str, list[str]]:
    """(secret, recovery codes), half a minute later, so that a fresh code is due."""
    given = second_factor.begin(world.system, world[who], demo.PASSWORD)
    codes = second_factor.enrol(world.system, world[who], now(world, given.secret))
    world.clock.pass_by(seconds=60)
    return given.secret, codes


def ticket(world: World, login: str = SUPPORT) -> str:
    error = refused(lambda: accounts.sign_in(world.system, login, demo.PASSWORD))
    assert error.code == "code_needed"
    return str(error.fields["ticket"])


def test_once_enrolled_a_password_alone_is_not_enough(each_world: World) -> None:
    world = each_world
    accounts.sign_in(world.system, SUPPORT, demo.PASSWORD)
    secret, _ = enrolled(world)
    opened = second_factor.confirm(world.system, ticket(world), now(world, secret))
    assert accounts.session(world.system, opened.token).account == world["support"]
    assert second_factor.status(world.system, world["support"]).enrolled
    world.sound()


def test_the_secret_is_an_otpauth_address_and_lies_encrypted(world: World) -> None:
    given = second_factor.begin(world.system, world["support"], demo.PASSWORD)
    parsed = pyotp.parse_uri(given.address)
    assert (parsed.name, parsed.issuer, parsed.secret) == (SUPPORT, "政府采购助手", given.secret)  # type: ignore[attr-defined]
    assert second_factor.pending(world.system, world["support"]) == given
    assert given.secret not in repr(world.everything())
    second_factor.enrol(world.system, world["support"], now(world, given.secret))
    assert second_factor.pending(world.system, world["support"]) is None


def test_not_switched_on_before_a_right_code(world: World) -> None:
    second_factor.begin(world.system, world["support"], demo.PASSWORD)
    assert (
        refused(lambda: second_factor.enrol(world.system, world["support"], "000"), InvalidError).code
        == "wrong_code"
    )
    accounts.sign_in(world.system, SUPPORT, demo.PASSWORD)


def test_each_code_works_once(each_world: World) -> None:
    world = each_world
    secret, _ = enrolled(world)
    code = now(world, secret)
    tickets = [ticket(world) for _ in range(4)]

    def attempt(one: str) -> str:
        try:
            return second_factor.confirm(world.system, one, code).account.login
        except AuthenticationError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, tickets))
    assert outcomes == [SUPPORT, *["wrong_code"] * 3]


def test_a_clock_half_a_minute_off_is_well_and_more_is_not(world: World) -> None:
    secret, _ = enrolled(world)
    early = pyotp.TOTP(secret).at(world.clock(), counter_offset=-1)
    second_factor.confirm(world.system, ticket(world), early)
    far = pyotp.TOTP(secret).at(world.clock(), counter_offset=3)
    assert refused(lambda: second_factor.confirm(world.system, ticket(world), far)).code == "wrong_code"


def test_wrong_codes_lock(world: World) -> None:
    secret, _ = enrolled(world)
    one = ticket(world)
    codes = [refused(lambda: second_factor.confirm(world.system, one, "abc")).code for _ in range(6)]
    assert codes == ["wrong_code"] * 5 + ["locked"]
    assert refused(lambda: second_factor.confirm(world.system, one, now(world, secret))).code == "locked"


def test_a_ticket_is_good_for_one_session_and_ten_minutes(world: World) -> None:
    secret, _ = enrolled(world)
    one = ticket(world)
    second_factor.confirm(world.system, one, now(world, secret))
    world.clock.pass_by(minutes=1)
    assert (
        refused(lambda: second_factor.confirm(world.system, one, now(world, secret))).code == "code_expired"
    )
    late = ticket(world)
    world.clock.pass_by(minutes=10)
    assert (
        refused(lambda: second_factor.confirm(world.system, late, now(world, secret))).code == "code_expired"
    )
    assert refused(lambda: second_factor.confirm(world.system, "guess", "000000")).code == "code_expired"


def test_recovery_codes_work_once_each(each_world: World) -> None:
    world = each_world
    _, codes = enrolled(world)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    second_factor.confirm(world.system, ticket(world), codes[0].lower().replace("-", " "))
    assert refused(lambda: second_factor.confirm(world.system, ticket(world), codes[0])).code == "wrong_code"
    second_factor.confirm(world.system, ticket(world), codes[1])
    assert second_factor.status(world.system, world["support"]).recovery_codes == len(codes) - 2
    assert codes[2] not in repr(world.everything())


def test_switched_off_with_password_and_code(world: World) -> None:
    secret, _ = enrolled(world)
    support = world["support"]
    code = now(world, secret)
    assert (
        refused(lambda: second_factor.switch_off(world.system, support, "no", code)).code == "wrong_password"
    )
    assert (
        refused(lambda: second_factor.switch_off(world.system, support, demo.PASSWORD, "1")).code
        == "wrong_code"
    )
    assert (
        refused(lambda: second_factor.begin(world.system, support, demo.PASSWORD), BlockedError).code
        == "enrolled"
    )
    second_factor.switch_off(world.system, support, demo.PASSWORD, code)
    accounts.sign_in(world.system, SUPPORT, demo.PASSWORD)


def test_only_staff_enrol(world: World) -> None:
    refused(lambda: second_factor.begin(world.system, world["handler"], demo.PASSWORD), ForbiddenError)
    assert not second_factor.status(world.system, world["handler"]).available


# ── sessions and passwords ───────────────────────────────────────────────


def opened(world: World, device: str = "") -> Session:
    return accounts.sign_in(world.system, HANDLER, demo.PASSWORD, device=device)


def test_sessions_are_listed_and_ended_by_their_owner(each_world: World) -> None:
    world = each_world
    first = opened(world, "办公室 Edge")
    world.clock.pass_by(minutes=1)
    second = opened(world, "家里 Chrome")
    listed = accounts.sessions(world.system, second)
    assert [(one.device, one.current) for one in listed] == [("家里 Chrome", True), ("办公室 Edge", False)]
    other = accounts.sign_in(world.system, LOGINS["reviewer"], demo.PASSWORD).account
    refused(lambda: accounts.end_session(world.system, other, listed[1].id), NotFoundError)
    accounts.end_session(world.system, second.account, listed[1].id)
    assert refused(lambda: accounts.session(world.system, first.token)).code == "not_signed_in"
    accounts.session(world.system, second.token)
    for gone in (listed[1].id, "", "%"):
        refused(lambda name=gone: accounts.end_session(world.system, second.account, name), NotFoundError)  # type: ignore[misc]
    world.clock.pass_by(hours=8)
    assert accounts.sessions(world.system, second) == []


def test_a_new_password_ends_every_session(each_world: World) -> None:
    world = each_world
    tokens = [opened(world).token for _ in range(3)]
    accounts.change_password(world.system, world["handler"], demo.PASSWORD, GOOD)
    for token in tokens:
        assert refused(lambda one=token: accounts.session(world.system, one)).code == "not_signed_in"  # type: ignore[misc]
    assert refused(lambda: opened(world)).code == "wrong_password"
    accounts.sign_in(world.system, HANDLER, GOOD)
    world.sound()


@pytest.mark.parametrize("new", ["short", demo.PASSWORD, demo.PASSWORD + "!!", f"{HANDLER}abc", "墨" * 201])
def test_weak_passwords_change_nothing(world: World, new: str) -> None:
    token = opened(world).token
    act = lambda: accounts.change_password(world.system, world["handler"], demo.PASSWORD, new)  # noqa: E731
    error = refused(act, InvalidError)
    assert error.code == "weak_password"
    assert error.fields["new_password"]
    accounts.session(world.system, token)


def test_the_old_password_is_asked_for_and_guessing_it_locks(world: World) -> None:
    act = lambda: accounts.change_password(world.system, world["handler"], "no", GOOD)  # noqa: E731
    assert [refused(act).code for _ in range(6)] == ["wrong_password"] * 5 + ["locked"]


def test_a_pending_second_step_ends_with_the_password(world: World) -> None:
    secret, _ = enrolled(world)
    one = ticket(world)
    accounts.change_password(world.system, world["support"], demo.PASSWORD, GOOD)
    assert (
        refused(lambda: second_factor.confirm(world.system, one, now(world, secret))).code == "code_expired"
    )

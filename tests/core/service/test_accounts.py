import pytest

from core import demo
from core.domain.accounts import ROLE_LABELS, Role
from core.domain.errors import AuthenticationError
from core.service import accounts
from tests.core.world import LOGINS, World

LOGIN = LOGINS["handler"]


def refused(world: World, login: str = LOGIN, password: str = "wrong") -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        accounts.sign_in(world.system, login, password)
    return caught.value


@pytest.mark.covers("nm-5")
def test_signs_in_by_account_number(world: World) -> None:
    session = accounts.sign_in(world.system, f" {LOGIN} ", demo.PASSWORD)
    assert session.account == world["handler"]
    assert session.account.login == "150299" + "101001" + "01"
    assert accounts.session(world.system, session.token).account == world["handler"]


def test_a_wrong_password_and_an_unknown_account_sound_the_same(world: World) -> None:
    wrong, unknown = refused(world), refused(world, "99999900000001")
    assert wrong.code == unknown.code == "wrong_password"
    assert wrong.message == unknown.message


def test_locked_after_five_failures_and_open_again_after_a_while(each_world: World) -> None:
    world = each_world
    for _ in range(5):
        assert refused(world).code == "wrong_password"
    locked = refused(world, password=demo.PASSWORD)  # the right one does not help now
    assert locked.code == "locked"
    assert locked.fields == {"minutes": 15}
    world.clock.pass_by(minutes=14)
    assert refused(world, password=demo.PASSWORD).code == "locked"
    world.clock.pass_by(minutes=2)
    assert accounts.sign_in(world.system, LOGIN, demo.PASSWORD).account == world["handler"]
    world.sound()


def test_a_success_clears_the_failures_before_it(world: World) -> None:
    for _ in range(4):
        refused(world)
    accounts.sign_in(world.system, LOGIN, demo.PASSWORD)
    for _ in range(4):
        assert refused(world).code == "wrong_password"
    accounts.sign_in(world.system, LOGIN, demo.PASSWORD)


def test_one_lock_leaves_the_others_alone(world: World) -> None:
    for _ in range(5):
        refused(world)
    accounts.sign_in(world.system, LOGINS["reviewer"], demo.PASSWORD)


@pytest.mark.covers("nm-13")
def test_a_session_expires_with_advice_that_keeps_the_form(each_world: World) -> None:
    world = each_world
    token = accounts.sign_in(world.system, LOGIN, demo.PASSWORD).token
    world.clock.pass_by(hours=7, minutes=59)
    accounts.session(world.system, token)
    world.clock.pass_by(minutes=1)
    with pytest.raises(AuthenticationError) as caught:
        accounts.session(world.system, token)
    assert caught.value.code == "session_expired"
    for part in ("过期", "另开一个页面登录", "不会丢"):
        assert part in caught.value.message


def test_signed_out_is_signed_out(world: World) -> None:
    token = accounts.sign_in(world.system, LOGIN, demo.PASSWORD).token
    accounts.sign_out(world.system, token)
    accounts.sign_out(world.system, token)
    for gone in (token, "", "guess"):
        with pytest.raises(AuthenticationError) as caught:
            accounts.session(world.system, gone)
        assert caught.value.code == "not_signed_in"


def test_the_store_does_not_hold_what_the_client_holds(world: World) -> None:
    token = accounts.sign_in(world.system, LOGIN, demo.PASSWORD).token
    kept = repr(world.everything())
    assert token not in kept
    assert demo.PASSWORD not in kept


@pytest.mark.covers("nm-5")
def test_the_accounts_of_ones_own_unit(world: World) -> None:
    found = accounts.colleagues(world.system, world["reviewer"])
    assert [(account.login, account.role) for account in found] == [
        ("15029910100101", Role.HANDLER),
        ("15029910100102", Role.REVIEWER),
    ]
    assert [ROLE_LABELS[account.role][-2:] for account in found] == ["01", "02"]


@pytest.mark.covers("nm-5")
def test_the_numbers_of_a_unit_are_those_of_the_rule_also_where_nobody_has_one_yet(each_world: World) -> None:
    world = each_world
    mine = accounts.numbers(world.system, world["handler"])
    assert [(one.login, one.name) for one in mine] == [("15029910100101", "李明"), ("15029910100102", "王芳")]
    with world.system.database.write() as tx:
        tx.staff.set_active(world["reviewer"].id, active=False)
    mine = accounts.numbers(world.system, world["handler"])
    assert [(one.login, one.name) for one in mine] == [("15029910100101", "李明"), ("15029910100102", "")]
    (other,) = accounts.numbers(world.system, world["agency"])
    assert other.login == world["agency"].login

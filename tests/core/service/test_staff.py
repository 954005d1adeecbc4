"""People of a unit: first numbers, invitations, suspension, the tree of units."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core import demo
from core.domain.accounts import Role
from core.domain.errors import (
    AuthenticationError,
    BlockedError,
    DomainError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from core.service import accounts, staff
from core.service.staff import Invited
from tests.core.world import LOGINS, World

PHONE, OTHER = "13800001111", "13800002222"
GOOD = "墨绿 的 3 只鹤飞过"


def refused(act: Callable[[], object], kind: type[DomainError]) -> DomainError:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


def invite(world: World, who: str = "reviewer", phone: str = PHONE, role: Role = Role.HANDLER) -> Invited:
    return staff.invite(world.system, world[who], phone=phone, name="何小川", role=role)


@pytest.mark.covers("sx-phone")
def test_a_first_administrator_needs_an_unregistered_number(each_world: World) -> None:
    world = each_world
    staff.register_phone(world.system, world["reviewer"], f"+86 {PHONE[:3]} {PHONE[3:]}")
    assert staff.phone_of(world.system, world["reviewer"]) == "138****1111"
    error = refused(
        lambda: staff.register_phone(world.system, world["library_reviewer"], PHONE), BlockedError
    )
    assert error.code == "phone_registered"
    for part in ("138****1111", "没有注册过", "员工管理"):
        assert part in error.message
    again = refused(lambda: staff.register_phone(world.system, world["reviewer"], OTHER), BlockedError)
    assert again.code == "phone_set"
    world.sound()


def test_of_two_with_the_same_number_one_gets_it(each_world: World) -> None:
    world = each_world

    def attempt(who: str) -> str:
        try:
            staff.register_phone(world.system, world[who], PHONE)
        except BlockedError as error:
            return error.code
        return "registered"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(attempt, ("reviewer", "library_reviewer")))
    assert outcomes == ["phone_registered", "registered"]


@pytest.mark.covers("sx-phone")
def test_a_registered_number_is_invited(each_world: World) -> None:
    world = each_world
    staff.register_phone(world.system, world["library_reviewer"], PHONE)
    made = invite(world)
    joined = staff.accept(world.system, made.code.lower(), PHONE, GOOD)
    assert (joined.login, joined.role, joined.unit) == (
        "15029910100103", Role.HANDLER, world["handler"].unit
    )  # fmt: skip
    assert accounts.sign_in(world.system, joined.login, GOOD).account == joined
    again = refused(lambda: staff.accept(world.system, made.code, PHONE, GOOD), InvalidError)
    assert again.code == "invitation_wrong"
    second = invite(world, phone=OTHER, role=Role.REVIEWER)
    assert staff.accept(world.system, second.code, OTHER, GOOD).login == "15029910100104"
    world.sound()


def test_an_unregistered_number_belongs_to_who_joined_with_it(world: World) -> None:
    staff.accept(world.system, invite(world).code, PHONE, GOOD)
    refused(lambda: staff.register_phone(world.system, world["library_reviewer"], PHONE), BlockedError)


def test_an_invitation_is_for_one_phone_one_week_and_one_use(world: World) -> None:
    made = invite(world)
    for code, phone in ((made.code, OTHER), ("X" * 12, PHONE), ("", PHONE)):
        error = refused(lambda c=code, p=phone: staff.accept(world.system, c, p, GOOD), InvalidError)  # type: ignore[misc]
        assert error.code == "invitation_wrong"
    weak = refused(lambda: staff.accept(world.system, made.code, PHONE, "short"), InvalidError)
    assert weak.code == "weak_password"
    world.clock.pass_by(days=7)
    late = refused(lambda: staff.accept(world.system, made.code, PHONE, GOOD), InvalidError)
    assert late.code == "invitation_wrong"
    withdrawn = invite(world)
    staff.withdraw(world.system, world["reviewer"], withdrawn.invitation.id)
    gone = refused(lambda: staff.accept(world.system, withdrawn.code, PHONE, GOOD), InvalidError)
    assert gone.code == "invitation_wrong"
    closed = refused(
        lambda: staff.withdraw(world.system, world["reviewer"], withdrawn.invitation.id), BlockedError
    )
    assert closed.code == "invitation_closed"


def test_many_who_join_at_once_get_numbers_of_their_own(each_world: World) -> None:
    world = each_world
    phones = [f"1390000000{index}" for index in range(4)]
    made = [invite(world, phone=phone) for phone in phones]
    with ThreadPoolExecutor(4) as pool:
        joined = list(
            pool.map(lambda one: staff.accept(world.system, one.code, one.invitation.phone, GOOD), made)
        )
    assert sorted(one.login[-2:] for one in joined) == ["03", "04", "05", "06"]


@pytest.mark.parametrize(
    ("who", "kind"),
    [("handler", ForbiddenError), ("office_first", ForbiddenError), ("support", ForbiddenError)],
)
def test_who_may_not_invite(world: World, who: str, kind: type[DomainError]) -> None:
    refused(lambda: invite(world, who), kind)
    refused(lambda: staff.members(world.system, world[who]), kind)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPPORT, Role.INTEGRATION, Role.OFFICE_FIRST])
def test_roles_that_do_not_belong_to_the_unit(world: World, role: Role) -> None:
    error = refused(lambda: invite(world, role=role), InvalidError)
    assert "采购单位经办 01" in str(error.fields["role"])


def test_the_platforms_administrator_invites_support_and_looks_after_all_units(world: World) -> None:
    made = staff.invite(world.system, world["admin"], phone=PHONE, name="何小川", role=Role.SUPPORT)
    assert made.invitation.unit == world["admin"].unit
    school = world["handler"].unit.id
    there = staff.invite(
        world.system, world["admin"], phone=OTHER, name="何小川", role=Role.HANDLER, unit_id=school
    )
    assert there.invitation.unit.id == school
    own = [one.account.login for one in staff.members(world.system, world["admin"], school)]
    assert own == [LOGINS["handler"], LOGINS["reviewer"]]
    library = world["library_handler"].unit.id
    refused(lambda: staff.members(world.system, world["reviewer"], library), ForbiddenError)
    refused(lambda: staff.members(world.system, world["admin"], 999), NotFoundError)


@pytest.mark.parametrize(
    ("field", "value"),
    [("phone", "12345"), ("phone", "23800001111"), ("phone", ""), ("phone", "1380000111x"), ("name", " "),
     ("name", "长" * 51)],
)  # fmt: skip
def test_wrong_fields_are_named(world: World, field: str, value: str) -> None:
    given = {"phone": PHONE, "name": "何小川", field: value}
    error = refused(
        lambda: staff.invite(world.system, world["reviewer"], role=Role.HANDLER, **given), InvalidError
    )
    assert field in error.fields


def test_phones_are_shown_masked_only(world: World) -> None:
    staff.accept(world.system, invite(world).code, PHONE, GOOD)
    shown = repr(staff.members(world.system, world["reviewer"]))
    assert "138****1111" in shown
    assert PHONE not in shown


def test_a_suspended_account_is_let_in_nowhere_until_it_is_resumed(each_world: World) -> None:
    world = each_world
    login = LOGINS["handler"]
    opened = accounts.sign_in(world.system, login, demo.PASSWORD)
    staff.suspend(world.system, world["reviewer"], login)
    for act in (
        lambda: accounts.session(world.system, opened.token),
        lambda: accounts.sign_in(world.system, login, demo.PASSWORD),
    ):
        refused(act, AuthenticationError)
    assert accounts.in_force(world.system, world["handler"].id) is None
    assert [one.login for one in accounts.colleagues(world.system, world["reviewer"])] == [LOGINS["reviewer"]]
    unchanged = refused(lambda: staff.suspend(world.system, world["reviewer"], login), BlockedError)
    assert unchanged.code == "unchanged"
    staff.resume(world.system, world["reviewer"], login)
    accounts.sign_in(world.system, login, demo.PASSWORD)
    world.sound()


def test_nobody_suspends_themselves_or_strangers(world: World) -> None:
    refused(lambda: staff.suspend(world.system, world["reviewer"], LOGINS["reviewer"]), ForbiddenError)
    refused(lambda: staff.suspend(world.system, world["reviewer"], LOGINS["library_handler"]), NotFoundError)
    refused(lambda: staff.suspend(world.system, world["handler"], LOGINS["reviewer"]), NotFoundError)
    staff.suspend(world.system, world["admin"], LOGINS["library_handler"])


def test_units_are_a_tree(each_world: World) -> None:
    world = each_world
    found = staff.units(world.system, world["supervising"])
    assert [(depth, unit.name) for depth, unit in found] == [
        (0, "青原市教育局"), (1, "青原市示范中学"), (1, "青原市图书馆")
    ]  # fmt: skip
    assert [unit.name for _, unit in staff.units(world.system, world["handler"])] == ["青原市示范中学"]

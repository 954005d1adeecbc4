"""Deputies act in another's role between two days, and every act says so."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import demo
from core.adapters import tables
from core.domain.accounts import Role
from core.domain.errors import DomainError, ForbiddenError, InvalidError, NotFoundError
from core.service import (
    accounts,
    acts,
    copies,
    deputies,
    documents,
    home,
    notices,
    reminders,
    staff,
    told,
)
from core.service.identity_ports import Appointment
from tests.core.world import LOGINS, World, new_key

GOOD = "墨绿 的 3 只鹤飞过"


def refused(act: Callable[[], object], kind: type[DomainError]) -> DomainError:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


def appoint(world: World, days: int = 3, principal: str = "reviewer", deputy: str = "handler") -> Appointment:
    day = world.system.today
    return deputies.appoint(
        world.system, world[principal], LOGINS.get(deputy, deputy), day, day + timedelta(days=days)
    )


def joined(world: World) -> str:
    """Login of a second handler of the school."""
    made = staff.invite(
        world.system, world["reviewer"], phone="13800001111", name="何小川", role=Role.HANDLER
    )
    return staff.accept(world.system, made.code, "13800001111", GOOD).login


def test_a_deputy_reviews_and_the_record_says_for_whom(each_world: World) -> None:
    world = each_world
    number = world.plan(node="unit_second")  # entered by the first handler
    login = joined(world)
    made = appoint(world, deputy=login)
    opened = accounts.sign_in(world.system, login, GOOD)
    assert number not in {item.number for item in documents.todo(world.system, opened.account)}
    at_work = deputies.act_for(world.system, opened, made.id)
    assert (at_work.account.role, at_work.account.acts_for) == (Role.REVIEWER, "王芳")
    assert at_work.account.login == login
    assert number in {item.number for item in documents.todo(world.system, at_work.account)}
    version = world.document(number).version
    acts.perform(world.system, at_work.account, number, "pass", version=version, arguments={}, key=new_key())
    last = documents.get(world.system, world["handler"], number).history[-1]
    assert last.who == "何小川（代王芳，采购单位负责人 02）"
    own = deputies.act_for(world.system, opened, None)
    assert own.account.role is Role.HANDLER
    world.sound()


def test_a_deputy_does_not_review_what_it_entered_itself(world: World) -> None:
    number = world.plan(node="unit_second")
    opened = accounts.sign_in(world.system, LOGINS["handler"], demo.PASSWORD)
    at_work = deputies.act_for(world.system, opened, appoint(world).id)
    version = world.document(number).version
    for action, arguments in (("pass", {}), ("return", {"target": "unit_first", "opinion": "改"})):
        error = refused(
            lambda a=action, g=arguments: acts.perform(  # type: ignore[misc]
                world.system, at_work.account, number, a, version=version, arguments=g, key=new_key()
            ),
            ForbiddenError,
        )
        assert error.code == "own_work"
    world.act("reviewer", number, "pass")  # the head herself may


def test_only_on_the_days_given(each_world: World) -> None:
    world = each_world
    world.clock.at = datetime(2026, 11, 20, 2, tzinfo=UTC)
    day = date(2026, 11, 22)
    made = deputies.appoint(world.system, world["reviewer"], LOGINS["handler"], day, day)
    opened = accounts.sign_in(world.system, LOGINS["handler"], demo.PASSWORD)
    early = refused(lambda: deputies.act_for(world.system, opened, made.id), InvalidError)
    assert early.code == "deputy_not_now"
    world.clock.at = datetime(2026, 11, 21, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    opened = accounts.sign_in(world.system, LOGINS["handler"], demo.PASSWORD)
    refused(lambda: deputies.act_for(world.system, opened, made.id), InvalidError)
    world.clock.pass_by(minutes=1)
    assert deputies.act_for(world.system, opened, made.id).account.role is Role.REVIEWER
    world.clock.at = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    opened = accounts.sign_in(world.system, LOGINS["handler"], demo.PASSWORD)
    deputies.act_for(world.system, opened, made.id)
    world.clock.pass_by(minutes=1)
    assert accounts.session(world.system, opened.token).account == world["handler"]


def test_ended_at_once_by_either(world: World) -> None:
    opened = accounts.sign_in(world.system, LOGINS["handler"], demo.PASSWORD)
    for who in ("reviewer", "handler"):
        made = appoint(world)
        deputies.act_for(world.system, opened, made.id)
        deputies.end(world.system, world[who], made.id)
        assert accounts.session(world.system, opened.token).account == world["handler"]
        assert refused(lambda: deputies.end(world.system, world["reviewer"], made.id), InvalidError)  # noqa: B023
    made = appoint(world)
    refused(lambda: deputies.end(world.system, world["library_reviewer"], made.id), NotFoundError)


def test_a_suspended_head_lends_nothing(world: World) -> None:
    opened = accounts.sign_in(world.system, LOGINS["handler"], demo.PASSWORD)
    made = appoint(world)
    deputies.act_for(world.system, opened, made.id)
    staff.suspend(world.system, world["admin"], LOGINS["reviewer"])
    assert accounts.session(world.system, opened.token).account == world["handler"]


def test_in_anothers_role_nothing_personal_is_done(world: World) -> None:
    opened = accounts.sign_in(world.system, LOGINS["handler"], demo.PASSWORD)
    at_work = deputies.act_for(world.system, opened, appoint(world).id).account
    day = world.system.today
    for act in (
        lambda: deputies.appoint(world.system, at_work, LOGINS["reviewer"], day, day),
        lambda: staff.register_phone(world.system, at_work, "13800001111"),
        lambda: staff.invite(world.system, at_work, phone="13800001111", name="何", role=Role.HANDLER),
        lambda: staff.suspend(world.system, at_work, LOGINS["reviewer"]),
    ):
        assert refused(act, ForbiddenError).code == "acting"


@pytest.mark.parametrize(
    ("deputy", "since", "until", "field"),
    [
        ("library_handler", 0, 1, "deputy"),
        ("reviewer", 0, 1, "deputy"),
        ("handler", 2, 1, "until"),
        ("handler", -3, -1, "until"),
        ("handler", 0, 400, "until"),
    ],
)
def test_appointments_that_make_no_sense(
    world: World, deputy: str, since: int, until: int, field: str
) -> None:
    day = world.system.today
    span = (day + timedelta(days=since), day + timedelta(days=until))
    error = refused(
        lambda: deputies.appoint(world.system, world["reviewer"], LOGINS[deputy], *span), InvalidError
    )
    assert field in error.fields


def test_who_manages_the_unit_appoints_for_others(world: World) -> None:
    login, day = joined(world), world.system.today
    made = deputies.appoint(
        world.system, world["reviewer"], LOGINS["reviewer"], day, day, principal_login=login
    )
    assert made.principal.login == login
    refused(
        lambda: deputies.appoint(
            world.system, world["handler"], LOGINS["handler"], day, day, principal_login=LOGINS["reviewer"]
        ),
        ForbiddenError,
    )


def test_nobody_takes_anothers_appointment(world: World) -> None:
    made = appoint(world)
    other = accounts.sign_in(world.system, LOGINS["library_handler"], demo.PASSWORD)
    refused(lambda: deputies.act_for(world.system, other, made.id), NotFoundError)


def notices_of(world: World, login: str, number: str) -> list[str]:
    account = accounts.sign_in(world.system, login, GOOD).account
    return [one.text for one in notices.unseen(world.system, account) if one.number == number]


def test_what_the_head_hears_her_deputy_hears_on_the_days_given(each_world: World) -> None:
    """Turns, reminders, limits and copies; before and after the days of deputation nothing."""
    world = each_world
    world.clock.at = datetime(2026, 11, 20, 2, tzinfo=UTC)
    login = joined(world)
    day = date(2026, 11, 23)
    deputies.appoint(world.system, world["reviewer"], login, day, day)
    before = world.plan(node="unit_second")
    assert notices_of(world, login, before) == []
    world.clock.at = datetime(2026, 11, 23, 2, tzinfo=UTC)
    number = world.plan(node="unit_second")
    assert any(
        text.startswith("代王芳：") and "轮到您办理" in text for text in notices_of(world, login, number)
    )
    done = reminders.remind(world.system, world["handler"], number, key=new_key())
    assert done.told == "王芳（采购单位负责人 02）、何小川（代王芳，采购单位负责人 02）"
    assert any("代王芳：" in text and "催办" in text for text in notices_of(world, login, number))
    copies.send(world.system, world["handler"], number, LOGINS["reviewer"], "", key=new_key())
    assert any("代王芳：" in text and "抄送" in text for text in notices_of(world, login, number))
    world.clock.at = datetime(2026, 11, 24, 2, tzinfo=UTC)
    reminders.remind(world.system, world["handler"], before, key=new_key())
    assert notices_of(world, login, before) == []
    world.sound()


def test_a_deputy_finds_what_waits_and_every_record_names_both(each_world: World) -> None:
    world = each_world
    login, number = joined(world), world.plan(node="unit_second")
    made = appoint(world, deputy=login)
    opened = accounts.sign_in(world.system, login, GOOD)
    copies.send(world.system, world["handler"], number, LOGINS["reviewer"], "请看", key=new_key())
    standing = home.desk(world.system, opened.account).others
    assert [(one.name, one.until, one.waiting > 0) for one in standing] == [("王芳", made.until, True)]
    assert home.desk(world.system, opened.account).counts["copied"] == 0
    at_work = deputies.act_for(world.system, opened, made.id).account
    shown = home.desk(world.system, at_work)
    assert (shown.counts["copied"], shown.others) == (1, ())
    assert number in {line.number for line in shown.todo} | {
        line.number for line in documents.todo(world.system, at_work)
    }
    assert copies.read(world.system, at_work, number)
    both = "何小川（代王芳，采购单位负责人 02）"
    assert told.told(world.system, world["handler"], number).copies[0].reader == both
    version = world.document(number).version
    acts.perform(world.system, at_work, number, "pass", version=version, arguments={}, key=new_key())
    reminders.remind(world.system, at_work, number, key=new_key())
    copies.send(world.system, at_work, number, LOGINS["supervising"], "", key=new_key())
    with world.system.database.read() as tx:
        document = tx.documents.by_number(number, None)
        assert document is not None
        assert tx.terms.nudges(document.id)[-1].who == both
        assert tx.copies.of(document.id)[-1].who == both
        assert tx.documents.history(document.id)[-1].who == both
    mine = (tables.audit.c.subject == number, tables.audit.c.account == login)
    with world.engine.connect() as connection:
        audited = {row.act: row.body for row in connection.execute(sa.select(tables.audit).where(*mine))}
    assert audited.keys() == {"pass", "remind", "copy"}
    assert all("王芳" in body for body in audited.values())
    world.sound()

"""Checks in the conversation: what the server knows, what a desk reported, and the entry that has the cure."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

import diagnostics
from assistant import probing
from assistant.cards import DeskCard, EntryCard, FindingCard, from_json, to_json
from assistant.plain import render, render_replies
from assistant.turn import respond
from core.domain.accounts import Session
from core.domain.certificates import KeyCertificate
from core.domain.errors import NotFoundError
from core.service.accounts import sign_in
from diagnostics import catalogue, desk_reports
from diagnostics.page import Seen
from diagnostics.result import Report, Result
from tests.assistant.world import World

SERIAL = "5AA0C1D2E3F4"


def seen(world: World, **given: object) -> Seen:
    known = {
        "clock_s": world.system.clock().timestamp(),
        "cookies": True,
        "agent": "reached",
        "secure": True,
        "kernel": 150,
        "permission": "granted",
    }
    return Seen.model_validate(known | given)


def report_of(*results: Result) -> Report:
    """As our own doctor writes it, through JSON and the reading of what comes from outside."""
    at = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    root = next((each for each in results if each.status == "fail"), None)
    made = Report("neimenggu", "内蒙古", at, 5, tuple(each.probe for each in results), results, root)
    return desk_reports.read("neimenggu", json.loads(json.dumps(made.to_dict(), default=str)))


@pytest.fixture
def session(world: World) -> Session:
    return sign_in(world.system, world.account("handler").login, "Demo-2026")


def bind(world: World, days: int, login: str = "handler") -> None:
    now = world.system.clock()
    account = world.account(login)
    ends = now + timedelta(days=days)
    held = KeyCertificate(
        SERIAL, "CN=演示签发机构", "CN=青原市示范中学公章,O=青原市示范中学", ends, "ab" * 32
    )
    with world.system.database.write() as tx:
        tx.identities.bind(account.id, held, now)


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ("证书过期了吗", "cert_dates"),
        ("CA锁什么时候到期？", "cert_dates"),
        ("UKEY 还能用多久", "cert_dates"),
        ("我的锁绑在谁身上", "cert_binding"),
        ("我的账号绑了哪把锁", "cert_binding"),
        ("token还剩多久", "token"),
        ("登录还有几分钟", "token"),
        ("证书过期了怎么办", ""),
        ("锁绑错了怎么办", ""),
        ("锁怎么绑定账号", ""),
        ("合同什么时候到期", ""),
        ("盖章没反应", ""),
        ("证书过期了吗" * 9, ""),
    ],
)
def test_what_is_looked_up_and_what_is_explained(text: str, probe: str) -> None:
    assert probing.wanted(text) == probe


@pytest.mark.covers("nm-6")
@pytest.mark.parametrize(
    ("days", "status", "words"),
    [(400, "ok", "还有 400 天"), (9, "warn", "还有 9 天到期"), (-3, "fail", "过期")],
)
def test_the_dates_of_the_bound_certificate(world: World, days: int, status: str, words: str) -> None:
    bind(world, days)
    answer = world.say("handler", "证书过期了吗")
    card = next(reply.card for reply in answer.replies if isinstance(reply.card, FindingCard))
    assert card.status == status
    assert words in render(answer)
    assert SERIAL not in render(answer)
    assert isinstance(answer.replies[-1].card, DeskCard)
    told = [reply.card for reply in answer.replies if isinstance(reply.card, EntryCard)]
    assert [each.topic for each in told] == (["nm-6"] if status == "fail" else [])


def test_without_a_bound_certificate_it_says_so(world: World) -> None:
    assert "没有绑定证书" in render(world.say("handler", "证书过期了吗"))
    assert "没有绑定任何证书" in render(world.say("handler", "我的锁绑在谁身上"))


@pytest.mark.covers("nm-7")
def test_what_the_account_is_bound_to(world: World) -> None:
    bind(world, 100)
    said = render(world.say("handler", "我的锁绑在谁身上"))
    assert "青原市示范中学公章" in said
    assert f"尾号 {SERIAL[-4:]}" in said
    assert SERIAL not in said


def test_days_of_a_bound_certificate_are_those_of_the_wall_clock(world: World) -> None:
    ends, bound = datetime(2031, 11, 19, 23, 3, tzinfo=UTC), datetime(2026, 11, 21, 23, 7, tzinfo=UTC)
    held = KeyCertificate(SERIAL, "CN=演示签发机构", "CN=青原市示范中学公章", ends, "ab" * 32)
    with world.system.database.write() as tx:
        tx.identities.bind(world.account("handler").id, held, bound)
    assert "到 2031-11-20 有效，2026-11-22 绑定" in render(world.say("handler", "我的锁绑在谁身上"))
    assert "2031-11-20" in render(world.say("handler", "CA锁怎么绑定账号"))


@pytest.mark.parametrize("region", ["shanxi", "fujian"])
def test_a_symptom_the_notes_do_not_tell_of_is_looked_for_on_the_desk(
    bare_world_of: Callable[[str], World], region: str
) -> None:
    world = bare_world_of(region)
    for text in ("盖章没反应", "未插入KEY", "提示平台编码不存在"):
        card = world.say("handler", text).replies[-1].card
        assert isinstance(card, DeskCard)
        assert "driver" in card.probes
    assert not isinstance(world.say("handler", "要不要盖章").replies[-1].card, DeskCard)


@pytest.mark.covers("nm-13")
def test_how_long_the_session_lasts(world: World, session: Session) -> None:
    ends = world.system.clock() + timedelta(minutes=12)
    answer = respond(
        world.system, world.knowledge, session.account, None, "token还剩多久", "k1", expires_at=ends
    )
    assert "12 分钟" in render(answer)
    assert "看不到登录凭证" in render(world.say("handler", "token还剩多久"))


@pytest.mark.covers("nm-10", "nm-11")
@pytest.mark.parametrize("text", ["盖章没反应", "未插入KEY", "平台编码不存在"])
def test_a_symptom_of_the_desk_offers_to_check_it(world: World, text: str) -> None:
    answer = world.say("handler", text)
    card = answer.replies[-1].card
    assert isinstance(card, DeskCard)
    assert card.probes
    assert "zhenduan.pyz" in render(answer)
    assert from_json(to_json(answer.replies)) == answer.replies


def test_the_cause_and_the_entry_are_one_text(world: World) -> None:
    stopped = Result(
        "service", "签章服务", "fail", "service_stopped", "服务 rsyncAgent 没有启动", remedy="启动它",
        repair="start_services",
    )  # fmt: skip
    blocked = Result("kg_local", "签章组件", "skip", "blocked", "先解决", blocked_by="service")
    account = world.account("handler")
    now = world.system.clock()
    replies = probing.examined(
        world.knowledge, account, report_of(stopped, blocked), seen(world), now, now + timedelta(hours=1)
    )
    entry = world.knowledge.entry("neimenggu", "nm-10")
    assert "rsyncAgent 没有启动" in replies[0].text
    card = replies[0].card
    assert isinstance(card, FindingCard)
    rows = {row.label: row.value for row in card.rows}
    assert "zhenduan.pyz repair" in rows["可以代办"]
    assert "处理办法" not in rows
    assert replies[1].text == entry.short
    assert isinstance(replies[1].card, EntryCard)
    assert replies[1].card.topic == "nm-10"
    expired = Result(
        "cert_dates", "证书有效期", "fail", "cert_expired", "证书已过期", remedy="先延期", topic="nm-6"
    )
    report = report_of(expired)
    first, then = probing.examined(
        world.knowledge, account, report, seen(world), now, now + timedelta(hours=1)
    )
    assert "先延期" in render_replies((first,))  # the entry tells only what comes after that
    assert isinstance(then.card, EntryCard)


def test_a_cause_without_an_entry_brings_the_cure_of_the_check(world: World) -> None:
    locked = Result("pin_state", "KEY口令", "fail", "pin_locked", "KEY已锁死", remedy="带KEY去解锁")
    now = world.system.clock()
    replies = probing.examined(
        world.knowledge,
        world.account("handler"),
        report_of(locked),
        seen(world),
        now,
        now + timedelta(hours=1),
    )
    assert "带KEY去解锁" in render_replies(replies)


@pytest.mark.covers("nm-27")
def test_the_browser_alone_can_be_the_cause(world: World) -> None:
    account, now = world.account("handler"), world.system.clock()
    later = now + timedelta(hours=1)
    denied = seen(world, agent="absent", permission="denied")
    replies = probing.examined(world.knowledge, account, None, denied, now, later)
    assert "不许这个网页访问本机" in replies[0].text
    assert "改为允许" in render_replies(
        replies[:1]
    )  # the cure of this very cause; the entry tells of all of them
    assert replies[1].text == world.knowledge.entry("neimenggu", "nm-27").short
    off = seen(world, clock_s=(now - timedelta(minutes=42)).timestamp())
    broken = Result("cert_dates", "证书有效期", "fail", "cert_expired", "证书已过期", remedy="延期")
    said = render_replies(probing.examined(world.knowledge, account, report_of(broken), off, now, later))
    assert "相差 42 分钟" in said
    assert "证书已过期" not in said
    well = probing.examined(world.knowledge, account, None, seen(world), now, later)
    assert "没有发现问题" in well[0].text


def test_where_nothing_is_wrong_what_was_asked_is_told_as_it_is(world: World) -> None:
    account, now = world.account("handler"), world.system.clock()
    later = now + timedelta(hours=1)
    dates = Result("cert_dates", "证书有效期", "ok", "cert_valid", "证书有效期到 2027-01-01，还有 42 天")
    (well,) = probing.examined(world.knowledge, account, report_of(dates), seen(world), now, later)
    assert "没有发现故障" in well.text
    assert "还有 42 天" in render_replies((well,))
    busy = Result("driver", "KEY驱动", "unknown", "driver_busy", "KEY正在被别的程序使用", remedy="等一等")
    blocked = Result("ukey", "KEY是否插好", "skip", "blocked", "先解决", blocked_by="driver")
    (open_,) = probing.examined(world.knowledge, account, report_of(busy, blocked), seen(world), now, later)
    assert "没有结论" in open_.text
    assert "正在被别的程序使用。等一等" in render_replies((open_,))
    ending = Result("cert_dates", "证书有效期", "warn", "cert_expiring", "还有 9 天到期", remedy="尽快延期")
    (warned,) = probing.examined(world.knowledge, account, report_of(ending), seen(world), now, later)
    assert "要注意：还有 9 天到期" in warned.text


def test_whoever_cannot_seal_is_looked_at_from_every_side(world: World) -> None:
    card = world.say("handler", "盖章没反应").replies[-1].card
    assert isinstance(card, DeskCard)
    assert {"service", "kg_local", "browser", "ukey", "cert_dates"} <= set(card.probes)
    assert set(card.probes) <= set(catalogue.load("neimenggu").probes)


def test_what_was_found_is_told_into_ones_own_conversation(world: World, session: Session) -> None:
    world.say("handler", "盖章没反应")
    conversation = world.conversations["handler"]
    replies = probing.told(world.system, world.knowledge, session, conversation, None, seen(world))
    kept = probing.store.of(world.system).messages(conversation)
    assert kept[-1].replies == replies
    assert kept[-1].role == "assistant"
    world.say("reviewer", "你好")
    with pytest.raises(NotFoundError):
        probing.told(
            world.system, world.knowledge, session, world.conversations["reviewer"], None, seen(world)
        )
    assert "rsyncAgent" not in render(world.say("handler", "谢谢"))


def test_the_agent_is_told_what_it_needs_and_nothing_more(world: World, session: Session) -> None:
    assert set(probing.facts(world.system, session)) == {"reference_time", "token_expires_at"}
    bind(world, 100)
    told = probing.facts(world.system, session)
    assert told["bound_serial"] == SERIAL
    report = diagnostics.run("neimenggu", only=["token"], facts=told, now=world.system.clock(), offline=True)
    assert report.of("token").status == "ok"

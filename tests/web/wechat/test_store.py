import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select

from web.wechat import texts
from web.wechat.inbox import SqlInbox
from web.wechat.ports import Collected, Job, Outgoing
from web.wechat.store import SqlBindings
from web.wechat.tables import bind_code, inbox

JOB = Job(key="k1", channel="demo", openid="oUser1", kind="text", text="计划录错了")


@pytest.fixture
def bindings(engine: Engine, clock) -> SqlBindings:
    return SqlBindings(engine, clock, b"made-up key")


@pytest.fixture
def box(engine: Engine, clock) -> SqlInbox:
    return SqlInbox(engine, clock)


def whole(reply: str) -> tuple[str, str]:
    return reply, ""


def row(engine: Engine) -> dict[str, object]:
    with engine.connect() as connection:
        return dict(connection.execute(select(inbox)).mappings().one())


def test_a_code_binds_once(bindings: SqlBindings):
    code = bindings.issue(7).code
    assert re.fullmatch(r"[0-9]{8}", code)
    assert bindings.redeem("demo", "oUser1", code) == texts.BOUND
    assert bindings.account_of("demo", "oUser1") == 7
    assert bindings.openids_of(7) == [("demo", "oUser1")]
    assert bindings.redeem("demo", "oUser2", code) == texts.CODE_WRONG
    assert bindings.account_of("demo", "oUser2") is None
    assert bindings.account_of("other", "oUser1") is None


def test_only_its_hash_is_stored(bindings: SqlBindings, engine: Engine):
    code = bindings.issue(7).code
    with engine.connect() as connection:
        assert code not in connection.execute(select(bind_code.c.code_hash)).scalar_one()


def test_a_code_expires(bindings: SqlBindings, clock):
    issued = bindings.issue(7)
    assert (issued.expires_at - clock.at).total_seconds() == 600
    clock.pass_by(seconds=600)
    assert bindings.redeem("demo", "oUser1", issued.code) == texts.CODE_WRONG


def test_a_new_code_replaces_the_old(bindings: SqlBindings):
    first, second = bindings.issue(7).code, bindings.issue(7).code
    assert bindings.redeem("demo", "oUser1", first) == texts.CODE_WRONG
    assert bindings.redeem("demo", "oUser1", second) == texts.BOUND


def test_guessing_is_stopped_even_with_the_right_code(bindings: SqlBindings, clock):
    for _ in range(5):
        assert bindings.redeem("demo", "oUser1", "x") == texts.CODE_WRONG
    code = bindings.issue(7).code
    assert bindings.redeem("demo", "oUser1", code) == texts.TOO_MANY_TRIES
    assert bindings.redeem("demo", "oUser2", code) == texts.BOUND
    clock.pass_by(seconds=600)
    assert bindings.redeem("demo", "oUser1", bindings.issue(8).code) == texts.BOUND


def test_guessing_together_is_stopped_too(bindings: SqlBindings):
    for n in range(200):
        assert bindings.redeem("demo", f"oUser{n}", "x") == texts.CODE_WRONG
    assert bindings.redeem("demo", "oFresh", bindings.issue(7).code) == texts.TOO_MANY_TRIES


def test_one_code_many_hands(bindings: SqlBindings):
    code = bindings.issue(7).code
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda n: bindings.redeem("demo", f"oUser{n}", code), range(6)))
    assert sorted(said) == sorted([texts.BOUND] + [texts.CODE_WRONG] * 5)
    assert len(bindings.openids_of(7)) == 1


def test_binding_again_replaces(bindings: SqlBindings):
    bindings.redeem("demo", "oOldPhone", bindings.issue(7).code)
    bindings.redeem("demo", "oNewPhone", bindings.issue(7).code)
    assert bindings.openids_of(7) == [("demo", "oNewPhone")]
    bindings.redeem("demo", "oNewPhone", bindings.issue(8).code)
    assert bindings.account_of("demo", "oNewPhone") == 8
    assert bindings.openids_of(7) == []


def test_unbinding(bindings: SqlBindings):
    bindings.redeem("demo", "oUser1", bindings.issue(7).code)
    code = bindings.issue(7).code
    bindings.unbind(7)
    assert bindings.account_of("demo", "oUser1") is None
    assert bindings.redeem("demo", "oUser1", code) == texts.CODE_WRONG


def test_first_time_is_one_of_many(box: SqlInbox):
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(lambda _: box.first_time(JOB), range(6))) == [False] * 5 + [True]


def test_answered_in_time(box: SqlInbox, engine: Engine):
    box.first_time(JOB)
    assert box.load("k1") == JOB
    assert box.collect("k1", split=whole) is None
    assert box.finish("k1", "答") is False
    assert box.collect("k1", split=whole) == Collected("答")
    assert box.take_due("k1") is None
    kept = row(engine)
    assert (kept["state"], kept["openid"], kept["text"], kept["reply"]) == ("done", None, None, None)


def test_answered_late(box: SqlInbox, engine: Engine):
    box.first_time(JOB)
    assert box.give_up("k1")
    assert box.finish("k1", "答")
    assert box.collect("k1", split=whole) is None
    assert box.take_due("k1") == Outgoing("demo", "oUser1", "答")
    assert box.take_due("k1") is None
    box.sent("k1")
    assert row(engine)["reply"] is None


def test_answer_and_giving_up_at_once(box: SqlInbox):
    """Exactly one of the two ways is taken, whoever comes first."""
    for n in range(20):
        job = Job(f"r{n}", "demo", "oUser1", "text", "a")
        box.first_time(job)
        with ThreadPoolExecutor(2) as pool:
            late = pool.submit(box.finish, job.key, "答")
            gave_up = pool.submit(box.give_up, job.key)
        assert late.result() == gave_up.result()
        assert (box.collect(job.key, split=whole) is None) == late.result()
        assert (box.take_due(job.key) is not None) == late.result()


def test_the_rest_of_a_long_answer_becomes_due(box: SqlInbox):
    box.first_time(JOB)
    box.finish("k1", "一二")
    assert box.collect("k1", split=lambda reply: (reply[0], reply[1:])) == Collected("一", more=True)
    assert box.take_due("k1") == Outgoing("demo", "oUser1", "二")


def test_left_behind_in_each_state(box: SqlInbox, clock):
    for name in ("working", "late", "ready", "due", "sending"):
        box.first_time(Job(name, "demo", "oUser1", "text", "a"))
        if name in {"late", "due", "sending"}:
            box.give_up(name)
        if name in {"ready", "due", "sending"}:
            box.finish(name, "答")
        if name == "sending":
            box.take_due(name)
    assert box.stale() == []
    clock.pass_by(seconds=61)
    assert sorted(box.stale()) == ["due", "late", "ready", "working"]
    assert box.stale() == []
    assert box.load("working") is not None
    assert box.load("sending") is None
    assert box.take_due("ready") is not None


def test_a_job_is_not_tried_for_ever(box: SqlInbox, clock):
    box.first_time(JOB)
    tries = 0
    for _ in range(20):
        clock.pass_by(seconds=61)
        tries += len(box.stale())
    assert tries == 5
    assert box.load("k1") is None


def test_forgetting_ends_what_is_under_way(box: SqlInbox, engine: Engine):
    box.first_time(JOB)
    box.forget("demo", "oUser1")
    assert box.finish("k1", "答") is False
    assert box.collect("k1", split=whole) == Collected("")
    assert "oUser1" not in str(row(engine))
    assert not box.first_time(JOB)


def test_keys_are_kept_for_half_a_year(box: SqlInbox, clock):
    box.first_time(JOB)
    box.finish("k1", "")
    clock.pass_by(days=183)
    box.stale()
    assert not box.first_time(JOB)
    clock.pass_by(days=2)
    box.stale()
    assert box.first_time(JOB)

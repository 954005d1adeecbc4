"""The console's use cases on a small made-up knowledge: who may what, in which order, and what is seen before publishing."""

import shutil
from datetime import date

import pytest
import yaml

from core import demo
from core.domain.errors import (
    BlockedError,
    ConflictError,
    DataError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from core.service.accounts import sign_in
from kb import open_library, workbook
from kb.editing import Editing
from kb.intake import Intake
from kb.live import Live
from kb.replay import Replay
from kb.replays import Running
from kb.store import Store
from tests.kb.made_up import entry_data
from tests.support.shared import copy_of

SUPPORT, ADMIN, HANDLER = "150299PT000101", "150299PT000102", "15029910100101"
REGION = "neimenggu"


@pytest.fixture
def system(demo_world, tmp_path):
    with copy_of(demo_world, tmp_path / "caigou.db") as made:
        yield made


@pytest.fixture
def base(tmp_path, library):
    folder = tmp_path / "content"
    for region, topics in {
        REGION: (("a-1", "盖章"), ("a-2", "付款"), ("a-10", "验收")),
        "fujian": (("f-1", "盖章"),),
    }.items():
        (folder / region).mkdir(parents=True)
        for topic, word in topics:
            data = entry_data(topic, word, region=region) | {"since": date(2026, 1, 1)}
            (folder / region / f"{topic}.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    negatives = {"far": [f"今天第{number}顿吃什么" for number in range(15)]}
    (folder / "negatives.yaml").write_text(yaml.safe_dump(negatives, allow_unicode=True), "utf-8")
    shutil.copy(library.content / "thresholds.yaml", folder)
    return open_library(folder)


@pytest.fixture
def editing(system, base, tmp_path):
    engine = system.database.engine
    cache = tmp_path / "cache"
    live = Live(Store(engine, system.clock), base, cache_dir=cache)
    return Editing(system, engine, live, cache, lambda act: act())


@pytest.fixture
def account(system):
    return lambda login: sign_in(system, login, demo.PASSWORD).account


@pytest.fixture
def support(account):
    return account(SUPPORT)


@pytest.fixture
def admin(account):
    return account(ADMIN)


def changed(editing, topic="a-1", **changes):
    return editing.live.base.entry(REGION, topic).model_copy(update=changes)


def test_an_edit_in_its_order(editing, support, admin):
    one = editing.draft(support, changed(editing, short="先问。"), note=" 窗口说的 ")
    assert (one.note, one.author) == ("窗口说的", SUPPORT)
    with pytest.raises(BlockedError, match="别人审核"):
        editing.review(support, one.id)
    look = editing.look(admin, one.id)
    assert [(change.name, change.added) for change in look.changes] == [("简答", ("先问。",))]
    editing.review(admin, one.id)
    with pytest.raises(BlockedError, match="先重放"):
        editing.publish(admin, [one.id], 1)
    editing.replay(support, [one.id])
    found = editing.release(admin, [one.id])
    assert isinstance(found.replay, Replay)
    assert found.ready
    with pytest.raises(ForbiddenError, match="管理员"):
        editing.publish(support, [one.id], 1)
    with pytest.raises(ConflictError):
        editing.publish(admin, [one.id], 0)
    assert editing.publish(admin, [one.id], 1, "改简答") == 2
    assert editing.page(support, REGION, "a-1").published.entry.short == "先问。"
    assert editing.live.refresh().library.entry(REGION, "a-1").short == "先问。"
    with editing._system.database.read() as tx:
        assert tx.records.broken_audit() == []


def test_an_own_draft_is_replaced_and_a_foreign_one_is_not(editing, support, admin):
    first = editing.draft(support, changed(editing, short="一。"))
    second = editing.draft(support, changed(editing, short="二。"), instead_of=first.id)
    third = editing.draft(admin, changed(editing, short="三。"), instead_of=second.id)
    assert [one.id for one in editing.waiting(support)] == [second.id, third.id]
    assert editing.page(support, REGION, "a-1").newest.short == "三。"
    with pytest.raises(ForbiddenError):
        editing.discard(support, third.id)
    editing.discard(admin, second.id)
    assert [one.id for one in editing.waiting(admin)] == [third.id]
    with pytest.raises(InvalidError, match="说明"):
        editing.draft(support, changed(editing), note="长" * 201)


def test_a_draft_older_than_what_is_published_says_so(editing, support, admin):
    old = editing.draft(support, changed(editing, short="旧的。"))
    new = editing.draft(support, changed(editing, short="新的。"))
    editing.review(admin, new.id)
    editing.replay(admin, [new.id])
    editing.publish(admin, [new.id], 1)
    assert editing.look(admin, old.id).moved
    assert not editing.look(admin, new.id).moved


def test_what_would_break_the_whole_is_said_before_it_is_published(editing, support, admin):
    one = editing.draft(support, changed(editing, links=("nowhere",)))
    editing.review(admin, one.id)
    editing.replay(admin, [one.id])
    found = editing.release(admin, [one.id])
    assert found.problems == ["a-1：链接“nowhere”没有对应的条目"]
    assert not found.ready
    with pytest.raises(DataError):
        editing.publish(admin, [one.id], 1)
    with pytest.raises(InvalidError):
        editing.release(admin, [])


def test_another_region_is_read_and_not_touched(editing, support, admin):
    assert editing.regions(support) == ("fujian", REGION)
    assert [row.entry.id for row in editing.listing(support, "fujian")] == ["f-1"]
    assert not editing.page(support, "fujian", "f-1").mine
    foreign = editing.live.base.entry("fujian", "f-1")
    one = editing.store.draft(foreign, "somebody")
    for use in (
        lambda: editing.draft(admin, foreign),
        lambda: editing.review(admin, one.id),
        lambda: editing.discard(admin, one.id),
        lambda: editing.release(admin, [one.id]),
        lambda: editing.publish(admin, [one.id], 1),
    ):
        with pytest.raises(ForbiddenError, match="本区域"):
            use()
    assert editing.waiting(admin) == []
    with pytest.raises(NotFoundError):
        editing.withdraw(admin, "f-1")


def test_the_list_is_in_the_order_people_count_and_found_by_word_and_meaning(editing, support):
    assert [row.entry.id for row in editing.listing(support, REGION)] == ["a-1", "a-2", "a-10"]
    assert next(row.entry.id for row in editing.listing(support, REGION, "钱怎么付款")) == "a-2"
    assert next(row.entry.id for row in editing.listing(support, REGION, "a-10")) == "a-10"
    with pytest.raises(NotFoundError, match="mars"):
        editing.listing(support, "mars")
    with pytest.raises(NotFoundError):
        editing.page(support, REGION, "a-99")


def test_history_names_what_came_and_went_and_goes_back(editing, admin):
    editing.withdraw(admin, "a-10")
    now, first = editing.history(admin)
    assert [one.entry.id for one in now.went] == ["a-10"]
    assert {one.entry.id for one in first.came} == {"a-1", "a-2", "a-10"}
    assert editing.roll_back(admin, 1) == 3
    back, *_ = editing.history(admin)
    assert [one.entry.id for one in back.came] == ["a-10"]


def test_a_new_topic_is_one_that_never_was(editing, support):
    assert editing.new_topic(support) == "a-k1"
    one = editing.draft(support, changed(editing, id="a-k1", sources=("a-k1",)))
    assert editing.new_topic(support) == "a-k2"
    assert editing.look(support, one.id).before is None
    assert editing.page(support, REGION, "a-k1").published is None


def test_a_replay_under_way_is_no_replay(system, base, tmp_path, support, admin):
    engine, cache, acts = system.database.engine, tmp_path / "cache", []
    editing = Editing(
        system, engine, Live(Store(engine, system.clock), base, cache_dir=cache), cache, acts.append
    )
    one = editing.draft(support, changed(editing, short="先问。"))
    editing.review(admin, one.id)
    editing.replay(admin, [one.id])
    editing.replay(admin, [one.id])
    assert len(acts) == 1
    assert isinstance(editing.release(admin, [one.id]).replay, Running)
    with pytest.raises(BlockedError):
        editing.publish(admin, [one.id], 1)


def test_only_staff(editing, account):
    handler = account(HANDLER)
    for use in (
        lambda: editing.listing(handler, REGION),
        lambda: editing.page(handler, REGION, "a-1"),
        lambda: editing.draft(handler, changed(editing)),
        lambda: editing.history(handler),
        lambda: editing.roll_back(handler, 1),
        lambda: editing.withdraw(handler, "a-1"),
    ):
        with pytest.raises(ForbiddenError):
            use()


SHEET = """编号,问题,答案,步骤,问法
a-1,盖章怎么办,先问再盖。,问窗口|盖章,红戳怎么弄|怎么盖章
,饭卡怎么充,到窗口。,,
b d,坏编号,到窗口。,,
"""


def test_an_import_adds_to_an_entry_and_takes_nothing_away(editing, system, support):
    intake = Intake(editing, system.blobs)
    blob = intake.keep(support, "表.csv", SHEET.encode("gb18030"))
    known, fresh, bad = intake.preview(support, "表.csv", blob)
    assert (known.state, fresh.state, bad.state) == ("changed", "new", "doubtful")
    assert bad.entry is None
    assert known.entry.short == "先问再盖。"
    assert known.entry.cases[0].steps == ("问窗口", "盖章")
    assert known.entry.cases[0].state == ("entry",)
    before = editing.live.base.entry(REGION, "a-1").phrasings
    assert known.entry.phrasings.short == (*before.short, "红戳怎么弄")
    made = intake.take(support, "表.csv", blob, {0, 1, 2})
    assert [one.entry.id for one in made] == ["a-1", "a-k1"]
    assert made[0].note == "导入自 表.csv"
    with pytest.raises(InvalidError):
        intake.take(support, "表.csv", blob, {2})


def test_a_workbook_of_another_region_is_not_taken(editing, system, support, base):
    intake = Intake(editing, system.blobs)
    with pytest.raises(DataError, match=REGION):
        intake.keep(support, "k.xlsx", workbook.export(base.of_region("fujian")))
    mixed = [replace_short(base.entry(REGION, "a-1")), *base.of_region("fujian")]
    (item,) = intake.preview(support, "k.xlsx", intake.keep(support, "k.xlsx", workbook.export(mixed)))
    assert (item.topic, item.state, item.reasons) == ("a-1", "changed", ("简答：去掉 1 行，增加 1 行",))


def replace_short(entry):
    return entry.model_copy(update={"short": "换了。"})

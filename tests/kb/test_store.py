"""Revisions, publications, and how files and people's edits live together, on SQLite and PostgreSQL."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.adapters.database import make_engine
from core.domain.errors import BlockedError, ConflictError, DataError, InvalidError, NotFoundError
from kb import Entry, open_library
from kb.difference import difference
from kb.entries import body
from kb.live import Live
from kb.store import SYSTEM, Store
from kb.tables import metadata
from tests.kb.made_up import entry_data
from tests.support.clock import Clock

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)  # the 21st in Shanghai


@pytest.fixture
def clock():
    return Clock(NOW)


@pytest.fixture
def engine(database_url):
    engine = make_engine(database_url)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def live(engine, clock, base, tmp_path):
    """The knowledge as one more process has it; its looks are over before the database is closed."""
    opened = []

    def start(**options):
        opened.append(Live(Store(engine, clock), base, cache_dir=tmp_path, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def store(engine, clock):
    return Store(engine, clock)


@pytest.fixture
def base(content, library):
    folder = content({"a": entry_data("a", "盖章"), "b": entry_data("b", "付款", links=["a"])})
    (folder / "thresholds.yaml").write_bytes((library.content / "thresholds.yaml").read_bytes())
    return open_library(folder)


def edited(entry: Entry, **changes: object) -> Entry:
    return entry.model_copy(update=changes)


def published(store, base, entry, by="writer", **dates):
    one = store.draft(entry, by, **dates)
    store.review(one.id, "second")
    return store.publish([one.id], "chief", base)


def test_first_start_publishes_the_files_as_number_one(store, base):
    assert store.number() == 0
    assert store.sync(base) == 1
    number, library = store.library(base)
    assert (number, library.entries) == (1, base.entries)
    assert library.digest == base.digest
    (one,) = store.revisions("here", "a")
    assert (one.seq, one.state, one.origin, one.author, one.publisher) == (
        1,
        "published",
        "content",
        SYSTEM,
        SYSTEM,
    )
    assert one.created_at == NOW
    assert store.sync(base) == 1


def test_a_changed_file_is_the_next_number(store, base):
    store.sync(base)
    changed = base.with_entries([edited(base.entry("here", "a"), short="换了。"), base.entry("here", "b")])
    assert store.sync(changed) == 2
    assert store.library(base)[1].entry("here", "a").short == "换了。"
    assert [one.seq for one in store.revisions("here", "a")] == [2, 1]
    assert [one.seq for one in store.revisions("here", "b")] == [1]


def test_a_file_that_is_gone_leaves_and_its_revisions_stay(store, base):
    store.sync(base)
    assert store.sync(base.with_entries([base.entry("here", "a")])) == 2
    assert sorted(store.library(base)[1].entries) == [("here", "a")]
    assert store.revisions("here", "b")[0].state == "published"


def test_an_edit_goes_through_draft_review_and_publication(store, base):
    store.sync(base)
    wanted = edited(base.entry("here", "a"), short="先问再盖。")
    one = store.draft(wanted, "writer", note="窗口说的")
    assert (one.state, one.seq, one.origin, one.note) == ("draft", 2, "human", "窗口说的")
    with pytest.raises(ConflictError, match="草稿"):
        store.publish([one.id], "chief", base)
    with pytest.raises(BlockedError, match="别人审核"):
        store.review(one.id, "writer")
    assert store.review(one.id, "second").reviewer == "second"
    assert [waiting.id for waiting in store.waiting()] == [one.id]
    with pytest.raises(ConflictError, match="已审核"):
        store.review(one.id, "third")
    assert store.library(base)[1].entry("here", "a").short != "先问再盖。"
    assert store.publish([one.id], "chief", base, seen=1) == 2
    after = store.revision(one.id)
    assert (after.state, after.publisher, after.published_at) == ("published", "chief", NOW)
    assert store.library(base)[1].entry("here", "a") == wanted
    assert [item.number for item in store.publications()] == [2, 1]
    with pytest.raises(BlockedError, match="不能删除"):
        store.discard(one.id)


def test_what_would_break_the_whole_is_not_published(store, base):
    store.sync(base)
    one = store.draft(edited(base.entry("here", "a"), links=("nowhere",)), "writer")
    store.review(one.id, "second")
    with pytest.raises(DataError, match="链接“nowhere”"):
        store.publish([one.id], "chief", base)
    assert store.number() == 1
    assert store.revision(one.id).state == "reviewed"
    with pytest.raises(DataError, match="链接“a”"):
        store.withdraw("here", "a", "chief", base)
    assert store.withdraw("here", "b", "chief", base) == 2
    assert sorted(store.library(base)[1].entries) == [("here", "a")]


def test_who_looked_at_an_old_number_is_told(store, base):
    store.sync(base)
    first = store.draft(edited(base.entry("here", "a"), short="一。"), "writer")
    second = store.draft(edited(base.entry("here", "b"), short="二。"), "writer")
    for one in (first, second):
        store.review(one.id, "second")
    store.publish([first.id], "chief", base, seen=1)
    with pytest.raises(ConflictError, match="刷新"):
        store.publish([second.id], "chief", base, seen=1)
    assert store.publish([second.id], "chief", base, seen=2) == 3
    assert {entry.short for entry in store.library(base)[1].entries.values()} == {"一。", "二。"}


def test_rolling_back_is_a_new_number_that_the_next_start_keeps(store, base):
    store.sync(base)
    published(store, base, edited(base.entry("here", "a"), short="不对的。"))
    assert store.roll_back(1, "chief") == 3
    assert store.library(base)[1].entries == base.entries
    assert store.library(base, 2)[1].entry("here", "a").short == "不对的。"
    assert store.sync(base) == 3
    with pytest.raises(NotFoundError, match="第 9 版"):
        store.roll_back(9, "chief")


def test_one_region_goes_back_alone(store, base):
    there = edited(base.entry("here", "b"), id="z", region="there", links=())
    files = base.with_entries([*base.entries.values(), there])
    store.sync(files)
    published(store, files, edited(files.entry("here", "a"), short="这里改了。"))
    published(store, files, edited(there, short="那里改了。"))
    assert store.roll_back(1, "chief", region="here") == 4
    after = store.library(files)[1]
    assert after.entry("here", "a") == files.entry("here", "a")
    assert after.entry("there", "z").short == "那里改了。"


def test_a_file_does_not_undo_a_persons_edit(store, base):
    store.sync(base)
    published(store, base, edited(base.entry("here", "a"), short="人写的。"))
    files = base.with_entries(
        [
            edited(base.entry("here", "a"), short="文件写的。"),
            edited(base.entry("here", "b"), short="也变了。"),
        ]
    )
    assert store.sync(files) == 3
    library = store.library(files)[1]
    assert library.entry("here", "a").short == "人写的。"
    assert library.entry("here", "b").short == "也变了。"
    (waiting,) = store.waiting()
    assert (waiting.entry.short, waiting.state, waiting.origin) == ("文件写的。", "draft", "content")
    assert "人工修改" in waiting.note
    assert store.sync(files) == 3
    store.review(waiting.id, "second")
    store.publish([waiting.id], "chief", files)
    assert store.library(files)[1].entry("here", "a").short == "文件写的。"


def test_files_that_clash_with_an_edit_wait_instead_of_stopping_the_start(store, base):
    store.sync(base)
    phrase = base.entry("here", "b").phrasings.short[0]
    wanted = base.entry("here", "a").phrasings.model_copy(update={"dialect": ("盖个戳儿",)})
    published(store, base, edited(base.entry("here", "a"), phrasings=wanted))
    taken = base.entry("here", "b").phrasings.model_copy(update={"dialect": ("盖个戳儿",)})
    files = base.with_entries([base.entry("here", "a"), edited(base.entry("here", "b"), phrasings=taken)])
    assert store.sync(files) == 2
    (waiting,) = store.waiting()
    assert "盖个戳儿" in waiting.note
    assert phrase in store.library(files)[1].entry("here", "b").phrasings.short


def test_effective_dates_are_days_of_shanghai(store, base, clock):
    store.sync(base)
    day = date(2026, 11, 22)
    later = edited(base.entry("here", "a"), short="新规定。")
    published(store, base, later, effective_from=day, effective_until=day)
    assert store.library(base)[1].entry("here", "a").short != "新规定。"
    clock.at = NOW - timedelta(hours=2) + timedelta(days=1)  # 23:00 on the 21st
    assert store.library(base)[1].entry("here", "a").short != "新规定。"
    clock.at += timedelta(hours=1)
    assert store.library(base)[1].entry("here", "a").short == "新规定。"
    clock.at += timedelta(days=1)
    assert store.library(base)[1].entry("here", "a").short != "新规定。"
    with pytest.raises(InvalidError, match="生效日期"):
        store.draft(later, "writer", effective_from=day, effective_until=day - timedelta(days=1))


def test_two_starts_at_once_publish_once(engine, clock, base):
    barrier, numbers = threading.Barrier(4), []

    def start() -> None:
        barrier.wait()
        numbers.append(Store(engine, clock).sync(base))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = Store(engine, clock)
    assert numbers == [1, 1, 1, 1]
    assert len(store.revisions("here", "a")) == 1


def test_drafts_can_be_thrown_away_and_unknown_ones_are_not_found(store, base):
    one = store.draft(base.entry("here", "a"), "writer")
    store.discard(one.id)
    assert store.revisions("here", "a") == []
    with pytest.raises(NotFoundError):
        store.revision(one.id)


def test_difference_names_the_parts_with_what_went_and_came(base):
    entry = base.entry("here", "a")
    phrasings = entry.phrasings.model_copy(update={"short": (*entry.phrasings.short[1:], "盖个章")})
    after = edited(entry, title="盖章", phrasings=phrasings)
    changes = {change.name: change for change in difference(entry, after)}
    assert changes["标题"].removed == ("盖章怎么办",)
    assert (changes["问法（简短）"].removed, changes["问法（简短）"].added) == (
        (entry.phrasings.short[0],),
        ("盖个章",),
    )
    assert difference(entry, entry) == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    short=st.text(max_size=30),
    steps=st.lists(st.text(min_size=1, max_size=10), min_size=1, max_size=3),
    words=st.lists(st.text(max_size=6), max_size=3),
)
def test_a_body_comes_back_as_it_was(base, short, steps, words):
    data = entry_data("a", "盖章", short=short, keywords=words)
    entry = Entry.model_validate(data | {"cases": [{"when": "x", "steps": steps}]})
    assert Entry.model_validate_json(body(entry)) == entry


def test_another_process_sees_the_new_number_without_a_failing_request(store, base, live):
    mine, other = live(every=0.0), live(every=0.0)
    assert mine.find("here", "怎么盖章").candidates[0].title == "盖章怎么办"
    published(store, base, edited(base.entry("here", "a"), title="用章怎么申请"))
    seen, failures, stop = set(), [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                seen.add(other.find("here", "怎么盖章").candidates[0].title)
            except Exception as error:  # noqa: BLE001 - whatever a request would have met
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(600):
        if other.current().number == 2:
            break
        stop.wait(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert other.current().number == 2
    assert other.find("here", "怎么盖章").candidates[0].title == "用章怎么申请"
    assert mine.refresh().library.entry("here", "a").title == "用章怎么申请"


def test_regions_that_did_not_change_keep_their_retriever(store, live):
    mine = live()
    first = mine.current().retriever("here")
    store.roll_back(1, "chief")
    assert mine.refresh().number == 2
    assert mine.current().retriever("here") is first


def test_a_failing_database_leaves_the_old_answers(engine, live):
    mine = live(every=0.0)
    mine.find("here", "怎么盖章")
    metadata.drop_all(engine)
    for _ in range(5):
        assert mine.find("here", "怎么盖章").candidates[0].topic == "a"

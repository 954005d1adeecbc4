"""Replays that run aside: started once, seen from everywhere, asked again after a failure."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.adapters.database import make_engine
from core.domain.errors import DataError
from kb import open_library
from kb.replay import Replay
from kb.replays import Replays, Running
from kb.tables import metadata
from tests.kb.made_up import entry_data
from tests.support.clock import Clock


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 20, tzinfo=UTC))


@pytest.fixture
def engine(database_url):
    engine = make_engine(database_url)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def libraries(content, library):
    entries = {"a": entry_data("a", "盖章"), "b": entry_data("b", "付款")}
    folder = content(entries, negatives={"far": [f"今天第{number}顿吃什么" for number in range(15)]})
    (folder / "thresholds.yaml").write_bytes((library.content / "thresholds.yaml").read_bytes())
    before = open_library(folder)
    entry = before.entry("here", "b")
    phrasings = entry.phrasings.model_copy(update={"dialect": tuple(f"{n}把钱打过去" for n in "甲乙丙丁戊")})
    return before, before.with_entries(
        [before.entry("here", "a"), entry.model_copy(update={"phrasings": phrasings})]
    )


@pytest.fixture
def sets(tmp_path):
    """The folder of the evaluation sets, with one question."""
    folder = tmp_path / "evaluation"
    folder.mkdir()
    line = {"region": "here", "q": "怎么把钱打过去呀", "expect": ["b"], "style": "short"}
    (folder / "own.jsonl").write_text(json.dumps(line, ensure_ascii=False), "utf-8")
    return folder


def test_a_replay_is_carried_out_once_and_kept(engine, clock, libraries, sets, tmp_path):
    acts = []
    mine = Replays(engine, clock, tmp_path, acts.append)
    other = Replays(engine, clock, tmp_path, acts.append)
    assert mine.find(1, [7]) is None
    mine.start(1, [7], "here", *libraries)
    other.start(1, [7], "here", *libraries)
    assert other.find(1, [7]) == Running(clock.at)
    (act,) = acts
    act()
    found = other.find(1, [7])
    assert isinstance(found, Replay)
    assert found.asked == 1 + 40
    (turned,) = [one for one in found.turned if one.question == "怎么把钱打过去呀"]
    assert (turned.expected, turned.after.topic, turned.better) == (("b",), "b", True)
    assert mine.find(2, [7]) is None
    assert mine.find(1, [7, 8]) is None


def test_other_evaluation_sets_want_another_replay(engine, clock, libraries, sets, tmp_path):
    replays = Replays(engine, clock, tmp_path, lambda act: act())
    replays.start(1, [7], "here", *libraries)
    assert isinstance(replays.find(1, [7]), Replay)
    (sets / "own.jsonl").write_text("", "utf-8")
    assert replays.find(1, [7]) is None
    (sets / "broken.jsonl").write_text("not json", "utf-8")
    with pytest.raises(DataError, match=r"broken\.jsonl"):
        replays.start(1, [7], "here", *libraries)


def test_a_replay_that_was_lost_or_failed_may_be_asked_for_again(engine, clock, libraries, tmp_path):
    acts = []
    replays = Replays(engine, clock, tmp_path, acts.append)
    replays.start(1, [7], "here", *libraries)
    clock.at += timedelta(minutes=11)
    assert replays.find(1, [7]) is None
    replays.start(1, [7], "here", *libraries)
    assert len(acts) == 2
    failing = Replays(engine, clock, tmp_path, lambda act: act())
    failing.start(1, [8], "nowhere", *libraries)
    assert failing.find(1, [8]) is None

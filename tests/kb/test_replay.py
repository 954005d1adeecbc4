"""An edit shows which questions it turns, before anyone publishes it."""

import pytest

from kb import open_library
from kb.evaluation import Question
from kb.replay import Outcome, replay
from tests.kb.made_up import entry_data


@pytest.fixture
def before(content, library):
    entries = {"a": entry_data("a", "盖章"), "b": entry_data("b", "付款"), "c": entry_data("c", "验收")}
    folder = content(entries, negatives={"far": [f"今天第{number}顿吃什么" for number in range(15)]})
    (folder / "thresholds.yaml").write_bytes((library.content / "thresholds.yaml").read_bytes())
    return open_library(folder)


def with_phrasings(library, topic, *texts):
    entry = library.entry("here", topic)
    phrasings = entry.phrasings.model_copy(update={"dialect": texts})
    others = [one for one in library.entries.values() if one.id != topic]
    return library.with_entries([*others, entry.model_copy(update={"phrasings": phrasings})])


def test_nothing_changed_turns_nothing(before, tmp_path):
    found = replay(before, before, "here", [Question(region="here", q="盖章呢", expect=("a",))], tmp_path)
    assert found.turned == ()
    assert found.asked == 1 + 60


def test_an_edit_that_takes_over_a_neighbours_questions_is_seen(before, tmp_path):
    after = with_phrasings(
        before, "b", *(f"{ask}把钱打过去" for ask in ("怎么", "几时", "谁来", "在哪", "要不要"))
    )
    questions = [
        Question(region="here", q="怎么把钱打过去呀", expect=("b",)),
        Question(region="there", q="怎么把钱打过去呀", expect=("b",)),
    ]
    found = replay(before, after, "here", questions, tmp_path)
    (turned,) = [one for one in found.turned if one.question == "怎么把钱打过去呀"]
    assert turned.after == Outcome("answer", "b")
    assert turned.before != turned.after
    assert turned.better


def test_phrasings_are_asked_of_an_index_that_has_not_seen_them(before, tmp_path):
    """Taking all but one of its fellows away leaves a phrasing without help, although it is still in the entry."""
    entry = before.entry("here", "c")
    few = entry.phrasings.model_copy(update={"short": entry.phrasings.short[:1], "story": ()})
    others = [one for one in before.entries.values() if one.id != "c"]
    after = before.with_entries(
        [
            *others,
            entry.model_copy(update={"phrasings": few, "title": "别的", "short": "别的。", "keywords": ()}),
        ]
    )
    after = after.with_entries(
        one.model_copy(update={"cases": (one.cases[0].model_copy(update={"when": "别", "steps": ("别",)}),)})
        if one.id == "c"
        else one
        for one in after.entries.values()
    )
    found = replay(before, after, "here", [], tmp_path)
    worse = [one.question for one in found.turned if one.better is False]
    assert entry.phrasings.short[0] in worse

from pathlib import Path

import pytest

from core.domain.errors import DataError
from kb.evaluation import (
    Asked,
    Question,
    evaluate,
    figures,
    read_questions,
    right_at_false,
    summary,
    with_homophones,
)
from kb.retriever import Candidate, Finding
from kb.text import key

DEV = Path(__file__).parent / "data" / "dev.jsonl"
BLIND = DEV.with_name("blind.jsonl")


def asked(expect: list[str], found: list[str], confidence: float, kind: str = "answer") -> Asked:
    candidates = tuple(Candidate(name, (name,), 0.1, name) for name in found)
    sources = candidates[0].sources if kind == "answer" else ()
    choices = candidates[:2] if kind == "clarify" else ()
    question = Question(region="r", q="q", expect=tuple(expect), style="s")
    return Asked(question, Finding(kind, sources, confidence, candidates, choices, None))


def test_ranks_and_means():
    group = [
        asked(["a"], ["a", "b"], 0.9),
        asked(["a"], ["b", "a"], 0.8, "clarify"),
        asked(["a"], ["b", "c", "d", "a"], 0.7),
        asked(["a"], ["b"], 0.1, "unknown"),
        asked([], ["b"], 0.2, "unknown"),
        asked([], ["b"], 0.6, "clarify"),
    ]
    line = figures("x", group)
    assert (line.questions, line.none) == (4, 2)
    assert line.recall_at_1 == pytest.approx(1 / 4)
    assert line.recall_at_3 == pytest.approx(2 / 4)
    assert line.mrr == pytest.approx((1 + 1 / 2 + 1 / 4) / 4)
    assert (line.answered_right, line.answered_wrong, line.clarified_right) == (0.25, 0.25, 0.25)
    assert (line.none_answered, line.none_clarified) == (0.0, 0.5)


def test_right_at_false_takes_the_best_threshold():
    right = [asked(["a"], ["a"], 0.9 - number / 1000) for number in range(19)]
    wrong = asked(["a"], ["b"], 0.5)
    more = asked(["a"], ["a"], 0.4)
    outside = asked([], ["a"], 0.3)
    assert right_at_false([*right, wrong]) == pytest.approx(19 / 20)
    assert right_at_false([*right, wrong, more, outside]) == pytest.approx(20 / 21)
    assert right_at_false([outside]) is None


def test_a_threshold_cannot_part_equal_confidences():
    assert right_at_false([asked(["a"], ["a"], 0.5), asked([], ["a"], 0.5)]) == 0.0


def test_regions_not_built_are_counted_and_named(retriever):
    questions = [
        Question(region="neimenggu", q="计划录错了怎么办呢", expect=("nm-2",), style="short"),
        Question(region="atlantis", q="x"),
        Question(region="atlantis", q="y"),
    ]
    report = evaluate(questions, {"neimenggu": retriever})
    assert report.left_out == {"atlantis": 2}
    assert "atlantis 还没有知识条目，2 个问题未计入" in summary(report)
    assert report.lines[0].questions == 1
    assert report.to_json()["left_out"] == {"atlantis": 2}


def test_bad_lines_are_all_named(tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text('{"region": "r", "q": "x"}\n{"region": "r"}\n\nnot json\n{"region":"r","q":1}\n', "utf-8")
    with pytest.raises(DataError) as caught:
        read_questions(file)
    assert [problem.split(":")[1] for problem in caught.value.problems] == ["2", "4", "5"]


def test_goals_on_questions_that_no_entry_contains(retriever):
    report = evaluate(read_questions(DEV), {"neimenggu": retriever})
    whole = report.lines[0]
    assert whole.questions >= 99
    assert whole.recall_at_1 >= 0.96
    assert whole.recall_at_3 >= 0.99
    assert whole.right_at_5_false >= 0.88
    assert whole.none_answered <= 0.1
    assert sum(report.left_out.values()) == 453 - whole.questions - whole.none


def test_floors_of_all_regions(retrievers):
    """Just under what is reached; docs/evaluation.md has the figures."""
    report = evaluate(read_questions(DEV), retrievers)
    whole, *parts = [line for line in report.lines if " " not in line.name]
    assert {line.name for line in parts} == {"anhui", "fujian", "neimenggu", "shanxi", "xuchang"}
    assert report.left_out == {}
    assert whole.recall_at_1 >= 0.96
    assert whole.recall_at_3 >= 0.99
    assert whole.right_at_5_false >= 0.96
    assert whole.answered_right >= 0.92
    assert whole.answered_wrong <= 0.015
    assert whole.none_answered <= 0.02
    for line in parts:
        assert line.recall_at_1 >= 0.94, line.name
        assert line.answered_wrong <= 0.03, line.name


def test_floors_of_blind_questions(retrievers):
    """Their misses have been read and written for: they only guard against losing what is known."""
    report = evaluate(read_questions(BLIND), retrievers)
    whole = report.lines[0]
    assert whole.questions >= 600
    assert whole.recall_at_1 >= 0.98
    assert whole.answered_wrong <= 0.01
    assert whole.none_answered <= 0.02


def test_two_homophones_cost_little_in_all_regions(retrievers):
    clean, garbled, *_ = with_homophones(read_questions(DEV), retrievers)
    assert garbled.recall_at_1 >= 0.97 * clean.recall_at_1
    assert garbled.right_at_5_false >= 0.96 * clean.right_at_5_false


def test_no_blind_question_is_a_phrasing(library):
    """Short ones coincide by chance; there are few of them."""
    known = {key(text) for entry in library.entries.values() for _, _, text in entry.phrasings.items()}
    blind = [key(one.q) for one in read_questions(BLIND)]
    assert sum(one in known for one in blind) <= 0.01 * len(blind)


def test_no_question_of_the_sets_is_a_negative(library):
    known = {key(text) for _, text in library.negatives.items()} - {""}
    assert not known & {key(one.q) for file in (DEV, BLIND) for one in read_questions(file)}


def test_what_an_entry_says_word_for_word_proves_nothing(retriever, library):
    phrasing = library.entry("neimenggu", "nm-2").phrasings.short[0]
    questions = [
        Question(region="neimenggu", q=text, expect=("nm-2",)) for text in (phrasing, "计划录错咋弄嘛")
    ]
    report = evaluate(questions, {"neimenggu": retriever})
    assert (report.copied, report.lines[0].questions) == (1, 1)
    assert "1 个问题与条目的问法逐字相同" in summary(report)


def test_two_homophones_cost_little(retriever):
    inside = [one for one in read_questions(DEV) if one.region == "neimenggu"]
    clean, garbled, short, short_garbled = with_homophones(inside, {"neimenggu": retriever})
    assert clean.questions == garbled.questions >= 99
    assert 10 <= short.questions == short_garbled.questions < clean.questions
    assert garbled.recall_at_1 >= 0.9 * clean.recall_at_1
    assert short_garbled.answered_right < short.answered_right
    assert with_homophones(inside, {"neimenggu": retriever})[1] == garbled

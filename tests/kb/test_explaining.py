"""Why an entry won."""

import pytest

from kb.explaining import SIGNAL_NAMES, explain, lines
from kb.parameters import SIGNALS


def test_the_reasons_are_those_of_the_answer(retriever):
    found = explain(retriever, "计划录错了怎么改")
    assert found.finding == retriever.find("计划录错了怎么改")
    assert [one.topic for one in found.reasons] == [one.topic for one in found.finding.candidates]
    first, second = found.reasons[:2]
    assert sum(part.weighed for part in first.contributions) > sum(
        part.weighed for part in second.contributions
    )
    assert first.closest == found.finding.explanation.closest
    assert first.origin == "标题"
    assert [part.name for part in first.contributions] == [SIGNAL_NAMES[name] for name in SIGNALS]
    assert "直接回答" in found.verdict


@pytest.mark.parametrize(
    ("text", "said"), [("今天天气怎么样", "不回答"), ("", "不回答"), ("合同", "请对方选")]
)
def test_the_verdict_says_what_becomes_of_it(retriever, text, said):
    found = explain(retriever, text)
    assert said in found.verdict
    assert len(lines(found)) == 1 + 3 * len(found.finding.candidates)

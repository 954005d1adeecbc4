"""The port to an optional model on the unit's own network, and what its answers are allowed to change.

A model may put the choices of a question back in another order, and say a short answer in other words. It never decides what
is answered, is given no tools, and nothing that it says is understood as a request: facts and steps stay the entry's.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from assistant.cards import EntryCard, Reply
from assistant.masking import masked
from kb import Candidate, Finding

_QUESTION_LIMIT = 500  # characters that a model is shown of a question
_LONGER = 1.4  # as long as the entry's own words a wording may be, and some more
_SOME_MORE = 20
_KEPT = 0.6  # share of the entry's characters that a wording keeps
# What stands in an answer and is never put in other words: figures, menus, quotations, Latin words.
_WHOLES = re.compile(r"\d+(?:\.\d+)?|【[^】]*】|“[^”]*”|[A-Za-z][A-Za-z0-9.:/_-]*")
# Words that say what may be done, by whom, and whether: as often as the entry says them.
_WEIGHTY = re.compile(
    r"不|没|未|无|勿|别|禁|必须|只能|可以|已|提交|撤销|撤回|退回|作废|审核|终审|初审|复审|批准|同意|通过|备案|删除|发布|签章|盖章|"
    r"付款|经办|负责人|管理员|科室|采购办|主管|代理|供应商"
)


class Model(Protocol):
    """Never raises; None where there is no usable answer in time."""

    def order(self, question: str, titles: Sequence[str]) -> list[int] | None:
        """Positions of the titles, the likeliest first."""
        ...

    def word(self, question: str, text: str) -> str | None:
        """`text` in words that meet the question."""
        ...


def arranged(model: Model, text: str, finding: Finding) -> Finding:
    """The choices of a question back, put in the model's order; what was found and how surely stays as it is."""
    choices = finding.choices
    if finding.kind != "clarify" or len(choices) < 2:  # noqa: PLR2004
        return finding
    order = model.order(masked(text, _QUESTION_LIMIT), [one.title for one in choices])
    if order is None or sorted(order) != list(range(len(choices))):
        return finding
    picked: tuple[Candidate, ...] = tuple(choices[at] for at in order)
    return replace(finding, choices=picked)


def worded(model: Model, text: str, replies: Sequence[Reply]) -> tuple[Reply, ...]:
    """The short answer in words that meet the question; cards, choices and everything else as they are.

    Only where one thing was asked: a turn waits for a model once.
    """
    if sum(isinstance(one.card, EntryCard) for one in replies) != 1:
        return tuple(replies)
    return tuple(_worded(model, text, one) if isinstance(one.card, EntryCard) else one for one in replies)


def _worded(model: Model, text: str, reply: Reply) -> Reply:
    said = model.word(masked(text, _QUESTION_LIMIT), reply.text) if reply.text else None
    return replace(reply, text=said) if said and faithful(reply.text, said) else reply


def faithful(original: str, said: str) -> bool:
    """Whether `said` says the same: no fact more or less, no other act, no other yes or no, and not much else."""
    if "\n" in said or len(said) > _LONGER * len(original) + _SOME_MORE:
        return False
    if any(_count(one, original) != _count(one, said) for one in (_WHOLES, _WEIGHTY)):
        return False
    kept = Counter(original) & Counter(said)
    return kept.total() >= _KEPT * len(original)


def _count(pattern: re.Pattern[str], text: str) -> Counter[str]:
    return Counter(pattern.findall(text))

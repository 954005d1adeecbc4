"""How well questions find their topics: one table for all, by region and by style.

A line of the file is {"region", "q", "expect": [topic ids; empty when no entry answers], "style"}.

Definitions
- recall@k: share of the questions with `expect` that have one of those ids among the first k candidates.
- MRR: mean of 1/rank of the first such candidate, 0 beyond the fifth.
- right at 5 % false: an answer is false when its topic is not expected, or when the question has no answer
  here. Of all confidence thresholds at which at most 5 % of the answers given are false, the one with the
  most right answers is taken; the figure is right answers ÷ questions with `expect`.
- as decided: what the fitted thresholds do (answer right, answer wrong, clarify with the right choice, …).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.domain.errors import DataError
from kb.homophones import garble
from kb.retriever import Finding, Retriever
from kb.text import key

FALSE_SHARE = 0.05
_SHORT = 12  # characters


class Question(BaseModel):
    """A line of an evaluation file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str
    q: str
    expect: tuple[str, ...] = ()
    style: str = ""


@dataclass(frozen=True)
class Asked:
    """A question with what was found."""

    question: Question
    finding: Finding

    @property
    def rank(self) -> int:
        """1-based rank of the first expected candidate, 0 where there is none."""
        for rank, candidate in enumerate(self.finding.candidates, 1):
            if set(candidate.sources) & set(self.question.expect):
                return rank
        return 0


@dataclass(frozen=True)
class Figures:
    """One line of the table; shares are 0 to 1, None where nothing was asked."""

    name: str
    questions: int
    none: int
    recall_at_1: float | None
    recall_at_3: float | None
    mrr: float | None
    right_at_5_false: float | None
    answered_right: float | None
    answered_wrong: float | None
    clarified_right: float | None
    none_answered: float | None
    none_clarified: float | None


@dataclass(frozen=True)
class Report:
    """All lines, the questions not counted, and the questions whose first candidate is wrong.

    `left_out` counts by region without entries; `copied` those that stand word for word among the phrasings.
    """

    lines: tuple[Figures, ...]
    left_out: dict[str, int]
    copied: int
    missed: tuple[Asked, ...]

    def to_json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "lines": [asdict(line) for line in self.lines],
            "left_out": self.left_out,
            "copied": self.copied,
            "missed": [
                {**one.question.model_dump(mode="json"), **one.finding.to_json()} for one in self.missed
            ],
        }


def read_questions(file: Path) -> list[Question]:
    """Read a JSON-lines file; DataError names every bad line."""
    questions, problems = [], []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError([f"{file}:1: 文件读不出来，应为 UTF-8 的 JSON 行文件"]) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            questions.append(Question.model_validate_json(line))
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "整行"
            problems.append(f"{file}:{number}: {where} 不符合 {{region, q, expect, style}}")
    if problems:
        raise DataError(problems)
    return questions


def evaluate(questions: Iterable[Question], retrievers: dict[str, Retriever]) -> Report:
    """Ask everything whose region has a retriever; count the rest, and what an entry says word for word."""
    asked, left_out, copied = [], Counter[str](), 0
    for question in questions:
        retriever = retrievers.get(question.region)
        if retriever is None:
            left_out[question.region] += 1
        elif _is_phrasing(one := Asked(question, retriever.find(question.q))):
            copied += 1
        else:
            asked.append(one)
    lines = [figures("全部", asked)] if asked else []
    for region in sorted({one.question.region for one in asked}):
        part = [one for one in asked if one.question.region == region]
        lines.append(figures(region, part))
        for style in dict.fromkeys(one.question.style for one in part):
            name = f"{region} {style or '（无）'}"
            lines.append(figures(name, [one for one in part if one.question.style == style]))
    missed = tuple(one for one in asked if (one.rank != 1 if one.question.expect else one.finding.sources))
    return Report(tuple(lines), dict(left_out), copied, missed)


def with_homophones(
    questions: Iterable[Question], retrievers: dict[str, Retriever], *, seed: int = 0
) -> list[Figures]:
    """The questions that have an answer, as they are and with two homophones; then the short ones alone.

    In a long question two wrong characters weigh little; the short ones show what they cost.
    """
    inside = [one for one in questions if one.expect and one.region in retrievers]
    lines = []
    for name, group in (
        ("全部", inside),
        (f"{_SHORT} 字以内", [one for one in inside if len(one.q) <= _SHORT]),
    ):
        worse = [one.model_copy(update={"q": garble(one.q, seed=seed)}) for one in group]
        for how, texts in (("原样", group), ("两个同音字", worse)):
            asked = [Asked(one, retrievers[one.region].find(one.q)) for one in texts]
            lines.append(figures(f"{name} {how}", asked))
    return lines


def figures(name: str, asked: Sequence[Asked]) -> Figures:
    """All figures of one group of questions."""
    inside = [one for one in asked if one.question.expect]
    outside = [one for one in asked if not one.question.expect]
    answered = [one for one in inside if one.finding.kind == "answer"]
    right = sum(one.rank == 1 for one in answered)
    clarified = [one for one in inside if one.finding.kind == "clarify"]
    return Figures(
        name=name,
        questions=len(inside),
        none=len(outside),
        recall_at_1=_share(sum(one.rank == 1 for one in inside), inside),
        recall_at_3=_share(sum(1 <= one.rank <= 3 for one in inside), inside),  # noqa: PLR2004
        mrr=_share(sum(1 / one.rank for one in inside if one.rank), inside),
        right_at_5_false=right_at_false(asked),
        answered_right=_share(right, inside),
        answered_wrong=_share(len(answered) - right, inside),
        clarified_right=_share(sum(1 <= one.rank <= len(one.finding.choices) for one in clarified), inside),
        none_answered=_share(sum(one.finding.kind == "answer" for one in outside), outside),
        none_clarified=_share(sum(one.finding.kind == "clarify" for one in outside), outside),
    )


def right_at_false(asked: Sequence[Asked], allowed: float = FALSE_SHARE) -> float | None:
    """Right answers ÷ questions with an answer, at the best threshold with `allowed` false answers."""
    inside = sum(1 for one in asked if one.question.expect)
    if not inside:
        return None
    ordered = sorted(asked, key=lambda one: -one.finding.confidence)
    right = best = 0
    for given, one in enumerate(ordered, 1):
        right += bool(one.question.expect) and one.rank == 1
        following = ordered[given].finding.confidence if given < len(ordered) else -1.0
        # A threshold cannot part two questions of the same confidence.
        if following < one.finding.confidence and given - right <= allowed * given:
            best = max(best, right)
    return best / inside


def table(lines: Iterable[Figures]) -> str:
    """Lines of figures for people."""
    header = ["问题集", "有答案", "无答案", "召回@1", "召回@3", "MRR", "答对@5%错"]
    header += ["直接答对", "答错", "反问含对", "无答案被答", "无答案被反问"]
    rows = [header]
    for line in lines:
        values = list(asdict(line).values())
        rows.append([str(value) for value in values[:3]] + [_percent(value) for value in values[3:]])
    widths = [max(_width(row[column]) for row in rows) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def summary(report: Report) -> str:
    """The whole report for people."""
    missing = [
        f"未评测：地区 {region} 还没有知识条目，{count} 个问题未计入。"
        for region, count in sorted(report.left_out.items())
    ]
    if report.copied:
        missing.append(f"未计入：{report.copied} 个问题与条目的问法逐字相同。")
    return "\n".join([table(report.lines), *missing])


def _is_phrasing(asked: Asked) -> bool:
    why = asked.finding.explanation
    return why is not None and why.origin == "phrasing" and key(why.closest) == key(asked.question.q)


def _share(count: float, of: Sequence[object]) -> float | None:
    return count / len(of) if of else None


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)  # noqa: PLR2004

"""What fitting reached on held-out questions, for people, and the file it writes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kb.parameters import THRESHOLDS, Parameters

Table = Mapping[str, Mapping[str, float]]  # figures by region, and for "all"


@dataclass(frozen=True)
class Outcome:
    """What became of a held-out question."""

    how: str
    none: bool
    right: bool
    given: bool
    belongs: bool
    heard: bool


def figures(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Shares of the questions asked whole, buried in chatter (`buried`) and cut to a word (`words`)."""

    def share(wanted: Callable[[Outcome], bool], how: str, *, none: bool = False) -> float | None:
        group = [one for one in outcomes if one.how == how and one.none == none]
        return sum(map(wanted, group)) / len(group) if group else None

    def between(one: Outcome) -> bool:
        return one.belongs and not one.given

    found = {
        "questions": float(sum(one.how == "whole" and not one.none for one in outcomes)),
        "negatives": float(sum(one.how == "whole" and one.none for one in outcomes)),
        "recall_at_1": share(lambda one: one.right, "whole"),
        "recall_at_1_buried": share(lambda one: one.right, "buried"),
        "answered_right": share(lambda one: one.right and one.given, "whole"),
        "answered_wrong": share(lambda one: not one.right and one.given, "whole"),
        "clarified": share(between, "whole"),
        "words_answered_right": share(lambda one: one.right and one.given, "cut"),
        "words_answered_wrong": share(lambda one: not one.right and one.given, "cut"),
        "words_clarified": share(between, "cut"),
        "negatives_answered": share(lambda one: one.given, "whole", none=True),
        "negatives_clarified": share(between, "whole", none=True),
        "heard": sum(one.heard for one in outcomes) / len(outcomes),
    }
    return {name: value for name, value in found.items() if value is not None}


def write(parameters: Parameters, table: Table, folds: int, content: Path) -> Path:
    """Write `thresholds.yaml` with what its numbers mean."""
    file = content / THRESHOLDS
    figures = "".join(f"#   {line}\n" for line in lines(table))
    file.write_text(
        "# 由 python -m kb fit 写出，请勿手改；问法、反例或同义词变动后重新运行。\n"
        "# written / both：各信号的权重（只看字；再加词与读音）；negative 是“无答案”一类的偏置。\n"
        "# sure：只看字时概率达到它就不再看其他；window：整段话看不出主题的长文里最像的一段所占的比重。\n"
        "# calibration：把握（0–1）的逻辑回归系数。\n"
        "# 权重各地区共用；calibration、answer、clarify 按地区各定一份，pooled 给还没有定过的地区用。\n"
        "# answer：把握达到它就回答；clarify：不够把握而“属于这里”的程度达到它就反问，低于它说不知道。\n"
        f"# {folds} 折交叉验证（每折都是索引没见过的问法；buried 是埋在闲话里的，words 是只说一个词的）：\n{figures}"
        + yaml.safe_dump(_rounded(parameters.model_dump()), allow_unicode=True, sort_keys=False),
        encoding="utf-8",
    )
    return file


def lines(table: Table) -> list[str]:
    """The figures for people, a line each, a column a region."""
    names = list(table)
    rows = [f"{'':<22}" + "".join(f"{name:>11}" for name in names)]
    for figure in table["all"]:
        values = (table[name].get(figure) for name in names)
        rows.append(
            f"{figure:<22}" + "".join("          -" if one is None else f"{one:>11.4g}" for one in values)
        )
    return rows


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, 4)

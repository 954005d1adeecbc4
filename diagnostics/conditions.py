"""The closed set of comparisons a rule may make on a fact."""

from collections.abc import Callable, Mapping
from typing import Any

from diagnostics.result import Scalar

ORDERED = frozenset({"lt", "le", "gt", "ge"})
LISTS = frozenset({"in", "not_in"})

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": lambda fact, value: bool(fact == value),
    "is_not": lambda fact, value: bool(fact != value),
    "lt": lambda fact, value: bool(fact < value),
    "le": lambda fact, value: bool(fact <= value),
    "gt": lambda fact, value: bool(fact > value),
    "ge": lambda fact, value: bool(fact >= value),
    "in": lambda fact, value: fact in value,
    "not_in": lambda fact, value: fact not in value,
}

Condition = Mapping[str, Mapping[str, Any]]


def holds(condition: Condition, facts: Mapping[str, Scalar]) -> bool:
    """Whether every comparison holds; an unknown fact (None) is neither smaller nor greater than anything."""
    return all(
        _compare(facts[name], operator, value)
        for name, comparisons in condition.items()
        for operator, value in comparisons.items()
    )


def _compare(fact: Scalar, operator: str, value: Any) -> bool:
    if fact is None and operator in ORDERED:
        return False
    return OPERATORS[operator](fact, value)


def mistake(kind: type, operator: str, value: Any) -> str | None:
    """Why `operator value` cannot judge a fact of type `kind`; None if it can. `null` tests for unknown."""
    if operator not in OPERATORS:
        return f"不认识的比较“{operator}”，可用：{'、'.join(OPERATORS)}"
    if operator in LISTS:
        if not isinstance(value, list) or not value:
            return f"“{operator}”后面要写非空列表"
        wrong = [item for item in value if not _fits(kind, item)]
        return f"{wrong[0]!r} 与事实的类型不符" if wrong else None
    if operator in ORDERED:
        if kind not in (int, float):
            return f"“{operator}”只能比较数字"
        return None if _fits(float, value) else f"{value!r} 不是数字"
    return None if value is None or _fits(kind, value) else f"{value!r} 与事实的类型不符"


def _fits(kind: type, value: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float)) if kind is float else isinstance(value, kind)

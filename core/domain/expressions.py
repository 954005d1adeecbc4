"""Conditions and sums in the data: `amount_fen > value('limit') and open('contract') == 0`.

A small, safe subset of Python's expressions, evaluated by simpleeval. What may be named is listed here and in the
fields of the form; `problems` finds anything else before the program starts. See `docs/processes.md`.
"""

import ast
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import cache, partial
from typing import Any

from simpleeval import EvalWithCompoundTypes

from core.domain import forms
from core.domain.documents import Situation
from core.domain.forms import Field

_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult,
    ast.FloorDiv, ast.Mod, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
    ast.Call, ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.IfExp,
)  # fmt: skip


def _names(situation: Situation) -> dict[str, Any]:
    above, money = situation.parent, situation.money
    return {
        "amount_fen": situation.amount_fen,
        "variant": situation.variant,
        "node": situation.node,
        "division": situation.division,
        "unit_code": situation.unit_code,
        "today": situation.today.isoformat(),
        "year": situation.today.year,
        "this_year": situation.today.year,  # where the form has a year of its own
        "above": above.number if above else "",
        "parent_kind": above.kind if above else "",
        "parent_variant": above.variant if above else "",
        "parent_node": above.node if above else "",
        "parent_amount_fen": above.amount_fen if above else 0,
        "frozen_fen": money.frozen_fen,
        "used_fen": money.used_fen,
        "account_fen": money.account_fen,
        "account_frozen_fen": money.account_frozen_fen,
        "account_used_fen": money.account_used_fen,
    }


def _functions(situation: Situation) -> dict[str, Callable[..., Any]]:
    below, above, ancestors = situation.children, situation.parent, situation.ancestors
    known, flags, today = situation.known, situation.flags, situation.today.isoformat()
    return {
        "flag": lambda name: name in flags,
        "parent_flag": lambda name: above is not None and name in above.flags,
        "parent": lambda name: "" if above is None else above.form.get(name, ""),
        "above_at": lambda kind, *nodes: any(d.kind == kind and d.node in nodes for d in ancestors),
        "above_flag": lambda kind, name: any(d.kind == kind and name in d.flags for d in ancestors),
        "above_open": lambda kind: any(d.kind == kind and not d.ended for d in ancestors),
        **{name: partial(situation.facts, name) for name in FACTS},
        "open": lambda *kinds: sum(not d.ended for d in below if not kinds or d.kind in kinds),
        "made": lambda *kinds: sum(not kinds or d.kind in kinds for d in below),
        "at": lambda kind, *nodes: sum(d.kind == kind and d.node in nodes for d in below),
        "with_flag": lambda kind, name: sum(d.kind == kind and name in d.flags for d in below),
        "total_at": lambda kind, *nodes: sum(
            d.amount_fen for d in below if d.kind == kind and d.node in nodes
        ),
        "value": situation.values,
        "central": lambda code: code in known.by_code and known.by_code[code].central,
        "in_mall": lambda code: code in known.by_code and known.by_code[code].mall,
        "numbers": lambda *kinds: "、".join(d.number for d in below if d.kind in kinds and not d.ended),
        "item_name": lambda code: known.by_code[code].name if code in known.by_code else "",
        "named": lambda name: name in known.names,
        "days_since": lambda day: _days(day, today),
        "days_between": _days,
        **_PLAIN,
    }


# Looked up only when they are asked for: left and year_of an indicator, numbers of documents that hold money of it,
# day of the latest budget import, landline of a unit; fen that the document may take from the account above; numbers
# of its fellows that came first with the same value in a field; whether a named document hangs where this one does.
FACTS = ("left", "year_of", "held_by", "last_import", "landline", "payable", "taken_by", "beside")


def _days(first: str, second: str) -> int:
    """Days from the first date to the second; 0 where one is missing or no date."""
    try:
        return (date.fromisoformat(second) - date.fromisoformat(first)).days
    except ValueError:
        return 0


def _later(day: str, days: int) -> str:
    """The date so many days later; empty where there is no date."""
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except ValueError:
        return ""


_PLAIN: dict[str, Callable[..., Any]] = {
    "total": lambda table, column: sum(row.get(column) or 0 for row in table),
    "any_row": lambda table, column, *wanted: any(
        row.get(column) in wanted if wanted else bool(row.get(column)) for row in table
    ),
    "every_row": lambda table, column, *wanted: all(
        row.get(column) in wanted if wanted else bool(row.get(column)) for row in table
    ),
    "distinct": lambda table, column: len({row.get(column) for row in table}) == len(table),
    "where": lambda table, column, wanted: [row for row in table if row.get(column) == wanted],
    "first": lambda table, column: table[0].get(column) or "" if table else "",
    "later": _later,
    "filled": lambda value: not forms.is_empty(value),
    "count": len,
    "min": min,
    "max": max,
}

NAMES = frozenset(_names(Situation()))
FUNCTIONS = frozenset(_functions(Situation()))


@cache
def _parsed(expression: str) -> Any:
    return EvalWithCompoundTypes.parse(expression)


class _Judges(threading.local):
    """One evaluator a thread: making one costs several times what it does."""

    def __init__(self) -> None:
        self.one = EvalWithCompoundTypes(names={}, functions={})


_judges = _Judges()


def _scope(situation: Situation) -> tuple[dict[str, Any], dict[str, Callable[..., Any]]]:
    """Names and functions of a situation, which never changes: made once and kept with it."""
    kept = vars(situation)
    if "_scope" not in kept:
        kept["_scope"] = ({**_names(situation), **situation.form}, _functions(situation))
    scope: tuple[dict[str, Any], dict[str, Callable[..., Any]]] = kept["_scope"]
    return scope


def evaluate(expression: str, own: Mapping[str, Any] | None = None, *, situation: Situation) -> Any:
    """Value of an expression; `own` names come before those of the situation (a table's row, a form not saved yet)."""
    names, functions = _scope(situation)
    judge = _judges.one
    before = judge.names, judge.functions  # a fact may be looked up by way of another expression
    judge.names, judge.functions = {**names, **own} if own else names, functions
    try:
        return judge.eval(expression, previously_parsed=_parsed(expression))
    finally:
        judge.names, judge.functions = before


def problems(expression: str, fields: Iterable[Field]) -> list[str]:
    """What is wrong with an expression: syntax, unknown names and functions, or values that do not go together."""
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError:
        return [f"条件“{expression}”写法不对"]
    found = [
        f"条件“{expression}”里不能用 {type(node).__name__}"
        for node in ast.walk(tree)
        if not isinstance(node, _ALLOWED)
    ]
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - called
    fields = tuple(fields)
    own = forms.names(fields, {})
    found += [f"条件“{expression}”里没有函数 {name}" for name in sorted(called - FUNCTIONS)]
    found += [f"条件“{expression}”里没有 {name}" for name in sorted(named - NAMES - own.keys())]
    return found or _tried(expression, own)


def _tried(expression: str, own: Mapping[str, Any]) -> list[str]:
    try:
        evaluate(expression, own, situation=Situation())
    except ZeroDivisionError:
        return [f"条件“{expression}”会除以零，请先判断"]
    except Exception as error:  # noqa: BLE001 - whatever the data does wrong is named, not raised
        return [f"条件“{expression}”算不出来：{error}"]
    return []

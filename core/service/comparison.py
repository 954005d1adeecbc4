"""Two processes side by side: everything they say, and where they differ."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.domain import graph
from core.domain.forms import Field, FieldType
from core.domain.process import CHOSEN, ORIGIN, RETURNER, Action, NodeType, Process
from core.service.overview import actors

_TYPES = {
    FieldType.TEXT: "文字", FieldType.LONG_TEXT: "长文字", FieldType.INTEGER: "整数", FieldType.MONEY: "金额",
    FieldType.DATE: "日期", FieldType.CHOICE: "单选", FieldType.CHOICES: "多选", FieldType.YES_NO: "是否",
    FieldType.CATALOGUE: "品目", FieldType.UNIT: "单位", FieldType.INDICATOR: "指标", FieldType.DOCUMENT: "单据",
    FieldType.FILE: "附件", FieldType.TABLE: "清单",
}  # fmt: skip
_TARGETS = {ORIGIN: "原来的环节", CHOSEN: "选定的环节", RETURNER: "退回的人"}
_WORDS = {"number": "编号", "certificate": "备案文书"}


@dataclass(frozen=True)
class Difference:
    """One thing of two processes; empty where one has none. Conditions may differ that words do not tell apart."""

    label: str
    left: str
    right: str
    differs: bool


@dataclass(frozen=True)
class Line:
    """What a process says of one thing, in words; `exact` are its conditions as the data has them."""

    label: str
    said: str
    exact: tuple[str, ...] = ()


_NOTHING = Line("", "")
Lines = dict[str, Line]


def compare(left: Process, right: Process) -> dict[str, list[Difference]]:
    """Two processes section by section; what both have in common comes first, in the order of the left one."""
    sections = {
        "概况": (_general(left), _general(right)),
        "环节": (_nodes(left), _nodes(right)),
        "操作": (_actions(left), _actions(right)),
        "填写项": (_fields(left.form.fields), _fields(right.form.fields)),
        "校验": (_checks(left), _checks(right)),
    }
    return {
        title: [_difference(a.get(key, _NOTHING), b.get(key, _NOTHING)) for key in dict.fromkeys([*a, *b])]
        for title, (a, b) in sections.items()
    }


def _difference(left: Line, right: Line) -> Difference:
    differs = (left.said, left.exact) != (right.said, right.exact)
    hidden = "（条件不同）" if differs and left.said == right.said else ""
    return Difference(left.label or right.label, left.said, right.said + hidden, differs)


def _plain(sentence: str) -> str:
    """A sentence of the data without what only a document can fill in."""
    return re.sub(r"\{[^{}]*\}", "…", sentence)


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(part for part in parts if part)


def _general(process: Process) -> Lines:
    main = " → ".join(process.node(node).label for node in graph.main_line(process))
    above = process.made or "；".join(dict.fromkeys(_plain(parent.say) for parent in process.parents))
    return {
        "label": Line("名称", process.variant_label),
        "menu": Line("菜单", process.menu),
        "prefix": Line("编号前缀", process.prefix),
        "main": Line("主要流程", main),
        "parents": Line("上级单据", above),
        **{f"word {key}": Line(f"用词：{_WORDS.get(key, key)}", word) for key, word in process.words.items()},
    }


def _nodes(process: Process) -> Lines:
    return {
        node.id: Line(
            node.label,
            _joined([
                node.label, node.lane, actors(node.actors), "可修改" if node.editable else "",
                f"{node.limit.days} 个工作日内" if node.limit else "", "有时才经过" if node.when else "",
                "结束" if node.type is NodeType.END else "",
            ]),
            (node.when,),
        )
        for node in process.nodes.values()
    }  # fmt: skip


def _actions(process: Process) -> Lines:
    return {
        action.id: Line(action.label, _action(process, action), tuple(item.must for item in action.requires))
        for action in process.actions.values()
    }


def _action(process: Process, action: Action) -> str:
    routes = "；".join(
        f"{process.node(source).label} → {_TARGETS.get(target) or process.node(target).label}"
        for source, target in action.routes.items()
    )
    by = actors(action.by)
    said = "；".join(_plain(requirement.say) for requirement in action.requires)
    return _joined(
        [action.label, routes, f"由{by}办" if by else "", action.menu, f"前提：{said}" if said else ""]
    )


def _fields(fields: tuple[Field, ...], prefix: str = "", above: str = "") -> Lines:
    found: Lines = {}
    for item in fields:
        must = "必填" if item.required else "有时必填" if item.required_when else ""
        options = "、".join(option.label for option in item.options)
        limit = f"不超过 {item.limit}" if item.limit and item.type is not FieldType.MONEY else ""
        said = _joined([
            item.label, _TYPES[item.type], must, "有时才填" if item.when else "",
            "自动算" if item.computed else "", f"可选：{options}" if options else "", limit,
        ])  # fmt: skip
        exact = (item.required_when, item.when, item.computed)
        found[prefix + item.id] = Line(above + item.label, said, exact)
        found |= _fields(item.fields, f"{prefix}{item.id}.", f"{item.label}：")
    return found


def _checks(process: Process) -> Lines:
    return {
        f"{check.each}.{check.field}.{check.must}": Line(
            _plain(check.say), f"{'提醒' if check.doubtful else '必须'}：{_plain(check.say)}"
        )
        for check in process.form.checks
    }

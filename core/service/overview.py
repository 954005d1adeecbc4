"""A region's whole path and each kind's process, drawn from the data alone; two processes side by side."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from core.domain import graph
from core.domain.accounts import ROLE_LABELS, Relation
from core.domain.forms import Field, FieldType
from core.domain.process import CHOSEN, ORIGIN, RETURNER, Action, Actor, NodeType, Process
from core.service.flow import FlowNode
from core.service.system import System

_TYPES = {
    FieldType.TEXT: "文字", FieldType.LONG_TEXT: "长文字", FieldType.INTEGER: "整数", FieldType.MONEY: "金额",
    FieldType.DATE: "日期", FieldType.CHOICE: "单选", FieldType.CHOICES: "多选", FieldType.YES_NO: "是否",
    FieldType.CATALOGUE: "品目", FieldType.UNIT: "单位", FieldType.INDICATOR: "指标", FieldType.DOCUMENT: "单据",
    FieldType.FILE: "附件", FieldType.TABLE: "清单",
}  # fmt: skip
_OF = {
    Relation.UNIT: "本单位", Relation.PARENT: "主管单位", Relation.OFFICE: "业务科室", Relation.PROCUREMENT: "采购监管",
    Relation.AGENCY: "代理机构", Relation.SUPPLIER: "供应商", Relation.SYSTEM: "系统",
}  # fmt: skip
_TARGETS = {ORIGIN: "原来的环节", CHOSEN: "选定的环节", RETURNER: "退回的人"}


@dataclass(frozen=True)
class KindBox:
    """A kind on the region's map. `above` are the kinds it hangs on; `depth` how many stand before it at most."""

    kind: str
    label: str
    menu: str
    variants: tuple[tuple[str, str], ...]
    above: tuple[str, ...]
    depth: int


@dataclass(frozen=True)
class Drawn:
    """A process as it is drawn: stations in order, and the ways between them."""

    nodes: tuple[FlowNode, ...]
    edges: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Difference:
    """One thing of two processes; empty where one has none."""

    label: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        """Whether the two say something else."""
        return self.left != self.right


def regions(system: System) -> list[tuple[str, str]]:
    """(region, label) of every region that has data."""
    names = dict.fromkeys(process.region for process in system.processes.all())
    return [(name, system.processes.region_label(name)) for name in names]


def region_map(system: System, region: str) -> list[KindBox]:
    """Every kind of a region, in the order of its data."""
    kinds = {kind: system.processes.variants(region, kind) for kind in system.processes.kinds(region)}
    above = {kind: _above(kind, variants, kinds) for kind, variants in kinds.items()}
    return [
        KindBox(
            kind, variants[0].label, variants[0].menu,
            tuple((process.variant, process.variant_label) for process in variants),
            above[kind], _depth(kind, above, ()),
        )
        for kind, variants in kinds.items()
    ]  # fmt: skip


def _above(kind: str, variants: list[Process], kinds: Mapping[str, list[Process]]) -> tuple[str, ...]:
    """Kinds it may be entered under, those whose acts bring it into being, and earlier ones that its form names."""
    named = [parent.kind for process in variants for parent in process.parents]
    spawning = [
        other
        for other, processes in kinds.items()
        for process in processes
        for action in process.actions.values()
        if any(spawn.kind == kind for spawn in action.spawns)
    ]
    earlier = list(kinds)[
        : list(kinds).index(kind)
    ]  # a form may name later ones too: what is left goes to next year
    asked = [
        one
        for process in variants
        for item in process.form.fields
        for column in (item, *item.fields)
        for one in column.kinds
        if one in earlier
    ]
    return tuple(one for one in dict.fromkeys([*named, *spawning, *asked]) if one in kinds and one != kind)


def _depth(kind: str, above: Mapping[str, tuple[str, ...]], seen: tuple[str, ...]) -> int:
    return max(
        (1 + _depth(one, above, (*seen, kind)) for one in above[kind] if one not in seen and one != kind),
        default=0,
    )


def drawn(process: Process) -> Drawn:
    """The process without a document: the straight way first, what lies beside it after."""
    line = list(graph.main_line(process))
    others = [node for node in process.nodes if node not in line]
    nodes = tuple(
        FlowNode(
            node.id, node.label, node.lane, "plain" if node.id in line else "beside", actors(node.actors), None, "", "",
            node.help,
        )
        for node in (process.node(name) for name in (*line, *others))
    )  # fmt: skip
    known = {(a, b) for a, b in pairwise(line)}
    beside = [
        (source, target, "forward")
        for action in process.actions.values()
        for source, target in action.routes.items()
        if target in others and (source, target) not in known
    ]
    return Drawn(nodes, (*((a, b, "forward") for a, b in pairwise(line)), *dict.fromkeys(beside)))


def actors(items: Iterable[Actor]) -> str:
    """`采购单位经办 01、代理机构`."""
    return "、".join(dict.fromkeys(ROLE_LABELS[item.role] for item in items))


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
        title: [Difference(a.get(key, b.get(key, ("", "")))[0], a.get(key, ("", ""))[1], b.get(key, ("", ""))[1])
                for key in dict.fromkeys([*a, *b])]
        for title, (a, b) in sections.items()
    }  # fmt: skip


def _plain(sentence: str) -> str:
    """A sentence of the data without what only a document can fill in."""
    return re.sub(r"\{[^{}]*\}", "…", sentence)


Lines = dict[str, tuple[str, str]]  # id → (label, what it says)


def _general(process: Process) -> Lines:
    main = " → ".join(process.node(node).label for node in graph.main_line(process))
    return {
        "label": ("名称", process.variant_label),
        "menu": ("菜单", process.menu),
        "prefix": ("编号前缀", process.prefix),
        "main": ("主要流程", main),
        "parents": (
            "上级单据",
            "；".join(dict.fromkeys(_plain(parent.say) for parent in process.parents)),
        ),
        **{f"word {key}": (f"用词：{key}", word) for key, word in process.words.items()},
    }


def _nodes(process: Process) -> Lines:
    found = {}
    for node in process.nodes.values():
        parts = [node.lane, actors(node.actors), "可修改" if node.editable else ""]
        parts += [
            f"{node.limit.days} 个工作日内" if node.limit else "",
            f"条件：{node.when}" if node.when else "",
        ]
        parts.append("结束" if node.type is NodeType.END else "")
        found[node.id] = (node.label, " · ".join([node.label, *(part for part in parts if part)]))
    return found


def _actions(process: Process) -> Lines:
    return {action.id: (action.label, _action(process, action)) for action in process.actions.values()}


def _action(process: Process, action: Action) -> str:
    routes = "；".join(
        f"{process.node(source).label} → {_TARGETS.get(target) or process.node(target).label}"
        for source, target in action.routes.items()
    )
    by = actors(action.by)
    said = "；".join(_plain(requirement.say) for requirement in action.requires)
    parts = [action.label, routes, f"由{by}办" if by else "", action.menu, f"前提：{said}" if said else ""]
    return " · ".join(part for part in parts if part)


def _fields(fields: tuple[Field, ...], prefix: str = "", above: str = "") -> Lines:
    found: Lines = {}
    for item in fields:
        must = "必填" if item.required else f"必填条件：{item.required_when}" if item.required_when else ""
        options = "、".join(option.label for option in item.options)
        parts = [item.label, _TYPES[item.type], must, f"条件：{item.when}" if item.when else ""]
        parts += [f"自动算：{item.computed}" if item.computed else "", f"可选：{options}" if options else ""]
        parts.append(f"不超过 {item.limit}" if item.limit and item.type is not FieldType.MONEY else "")
        found[prefix + item.id] = (above + item.label, " · ".join(part for part in parts if part))
        found |= _fields(item.fields, f"{prefix}{item.id}.", f"{item.label}：")
    return found


def _checks(process: Process) -> Lines:
    return {
        f"{check.each}.{check.field}.{check.must}": (
            check.say,
            f"{'提醒' if check.doubtful else '必须'}：{check.say}",
        )
        for check in process.form.checks
    }

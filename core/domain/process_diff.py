"""What changed between two versions of a process: its parts, its conditions, and how far each goal is from each node.

Comparing is by id: a node, action, field or check that got another id went and came. Nodes that the newer version says
were renamed are the same nodes. A region's values (thresholds, limits) stand beside its processes and are no version of
them; they are compared for themselves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum, StrEnum
from typing import Any

from core.domain.forms import Field
from core.domain.process import Actor, Process
from core.domain.values import Dated, Table, Values
from core.domain.ways import Way, ways

Key = tuple[str, str, str]  # region, kind, variant


class Part(StrEnum):
    """What a process consists of."""

    PROCESS = "process"
    NODE = "node"
    ACTION = "action"
    CONDITION = "condition"
    FIELD = "field"
    GOAL = "goal"
    VALUE = "value"


class How(StrEnum):
    """What became of a part or of a way."""

    ADDED = "added"
    DROPPED = "dropped"
    CHANGED = "changed"
    LONGER = "longer"
    SHORTER = "shorter"
    IMPOSSIBLE = "impossible"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class Change:
    """One part that came, went or is not as it was; `details` say in what."""

    part: Part
    how: How
    id: str
    label: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class WayChange:
    """From `node` to `goal` it is now another way; None where there is none."""

    how: How
    node: str
    node_label: str
    goal: str
    before: Way | None
    after: Way | None


@dataclass(frozen=True)
class Difference:
    """All that changed of one process; a version is empty where there is no such process.

    Of a region's values: `kind`, `variant` and both versions are empty.
    """

    region: str
    kind: str
    variant: str
    label: str
    before: str
    after: str
    changes: tuple[Change, ...] = ()
    ways: tuple[WayChange, ...] = ()

    @property
    def impossible(self) -> bool:
        """Whether something that could be reached cannot be reached any more."""
        gone = any((item.part, item.how) == (Part.PROCESS, How.DROPPED) for item in self.changes)
        return gone or any(item.how is How.IMPOSSIBLE for item in self.ways)


def differences(old: Mapping[Key, Process], new: Mapping[Key, Process]) -> list[Difference]:
    """Every process that is not as it was, in the order of the old ones, new ones last."""
    keys = [*old, *(key for key in new if key not in old)]
    found = [difference(old.get(key), new.get(key)) for key in keys]
    return [item for item in found if item]


def value_differences(old: Mapping[str, Values], new: Mapping[str, Values]) -> list[Difference]:
    """Every region that both have and whose values are not as they were."""
    found = []
    for region in old.keys() & new.keys():
        before, after = old[region].by_name, new[region].by_name
        changes = [
            _value_change(name, before.get(name, ()), after.get(name, ()))
            for name in dict.fromkeys([*before, *after])
            if before.get(name) != after.get(name)
        ]
        if changes:
            found.append(Difference(region, "", "", "数值", "", "", tuple(changes)))
    return sorted(found, key=lambda item: item.region)


def _value_change(name: str, old: tuple[Dated, ...], new: tuple[Dated, ...]) -> Change:
    how = How.CHANGED if old and new else How.ADDED if new else How.DROPPED
    before, after = _numbers(old), _numbers(new)
    details = tuple(
        f"{place}：{before.get(place, '无')} → {after.get(place, '无')}"
        for place in dict.fromkeys([*before, *after])
        if before.get(place) != after.get(place)
    )
    return Change(Part.VALUE, how, name, name, details)


def _numbers(items: tuple[Dated, ...]) -> dict[str, str]:
    """`自 2023-01-01 350100.goods` → its number, and from when on with which source."""
    found: dict[str, str] = {}
    for item in items:
        since = f"自 {item.since}"
        found[f"{since} 依据"] = item.source
        left: list[tuple[str, Table]] = [(since, item.value)]
        while left:
            place, value = left.pop(0)
            if isinstance(value, Mapping):
                left += [
                    (f"{place}{' ' if place == since else '.'}{key}", below) for key, below in value.items()
                ]
            else:
                found[place] = str(value)
    return found


def difference(old: Process | None, new: Process | None) -> Difference | None:
    """What changed from `old` to `new`; None where nothing did."""
    process = new or old
    if process is None or (old and new and old.version == new.version):
        return None
    changes: tuple[Change, ...]
    moved: tuple[WayChange, ...]
    if old is None or new is None:
        how = How.ADDED if new else How.DROPPED
        name = f"{process.label}·{process.variant_label}"
        changes, moved = (Change(Part.PROCESS, how, process.kind, name),), ()
    else:
        alike = _renamed(old, new.renamed)
        changes, moved = tuple(_changes(alike, new)), tuple(_ways(alike, new))
    return Difference(
        process.region, process.kind, process.variant, f"{process.label}·{process.variant_label}",
        old.version if old else "", new.version if new else "", changes, moved,
    )  # fmt: skip


def _renamed(old: Process, names: Mapping[str, str]) -> Process:
    """The older version with the newer one's names of nodes."""

    def named(node: str) -> str:
        return names.get(node, node)

    def all_of(nodes: Iterable[str]) -> tuple[str, ...]:
        return tuple(named(node) for node in nodes)

    return replace(
        old,
        start=named(old.start),
        nodes={named(key): replace(node, id=named(key)) for key, node in old.nodes.items()},
        actions={
            key: replace(
                action, routes={named(source): named(to) for source, to in action.routes.items()},
                through=all_of(action.through), targets=all_of(action.targets),
            )
            for key, action in old.actions.items()
        },
        goals={goal: all_of(nodes) for goal, nodes in old.goals.items()},
        finish=all_of(old.finish),
    )  # fmt: skip


def _changes(old: Process, new: Process) -> Iterable[Change]:
    yield from _whole(old, new)
    yield from _parts(Part.NODE, old.nodes, new.nodes, {"when"})
    yield from _parts(Part.ACTION, old.actions, new.actions, {"guards", "requires"})
    yield from _parts(Part.FIELD, _flat(old.form.fields), _flat(new.form.fields), {"fields"})
    before, after = _conditions(old), _conditions(new)
    yield from (Change(Part.CONDITION, How.DROPPED, key, before[key]) for key in before if key not in after)
    yield from (Change(Part.CONDITION, How.ADDED, key, after[key]) for key in after if key not in before)
    yield from (Change(Part.GOAL, How.DROPPED, goal, goal) for goal in old.goals if goal not in new.goals)
    yield from (Change(Part.GOAL, How.ADDED, goal, goal) for goal in new.goals if goal not in old.goals)


def _whole(old: Process, new: Process) -> Iterable[Change]:
    """What belongs to the process itself and not to one of its parts."""
    own = {"version", "nodes", "actions", "goals", "form", "renamed"}
    details = [*_details(old, new, own), *_details(old.form, new.form, {"fields", "checks"})]
    if details:
        yield Change(Part.PROCESS, How.CHANGED, new.kind, new.label, tuple(details))


def _parts(part: Part, old: Mapping[str, Any], new: Mapping[str, Any], but: set[str]) -> Iterable[Change]:
    for key, item in old.items():
        if key not in new:
            yield Change(part, How.DROPPED, key, item.label)
    for key, item in new.items():
        before = old.get(key)
        if before is None:
            yield Change(part, How.ADDED, key, item.label)
        elif details := _details(before, item, but):
            yield Change(part, How.CHANGED, key, item.label, tuple(details))


def _details(old: Any, new: Any, but: set[str]) -> list[str]:
    """`办理人：handler@unit → reviewer@unit` for each attribute that differs."""
    return [
        f"{_WORDS.get(item.name, item.name)}：{_shown(before)} → {_shown(after)}"
        for item in fields(new)
        if item.name not in but
        and (before := getattr(old, item.name)) != (after := getattr(new, item.name))
    ]  # fmt: skip


def _shown(value: Any) -> str:
    if isinstance(value, Actor):
        return str(value)
    if isinstance(value, Mapping):
        return "、".join(f"{key}={_shown(item)}" for key, item in value.items()) or "无"
    if isinstance(value, tuple | list | frozenset):
        return "、".join(_shown(item) for item in value) or "无"
    if is_dataclass(value):
        return " ".join(_shown(item) for item in vars(value).values() if item not in ("", (), None))
    plain = str(value.value if isinstance(value, Enum) else value)
    return {"True": "是", "False": "否", "None": "无", "": "无"}.get(plain, plain)  # by words: 1 equals True


def _flat(items: Iterable[Field], above: str = "") -> dict[str, Field]:
    found = {}
    for item in items:
        found[f"{above}{item.id}"] = item
        found.update(_flat(item.fields, f"{above}{item.id}."))
    return found


def _conditions(process: Process) -> dict[str, str]:
    """What has to hold, by where it stands and what it says: one that is worded anew went and came."""
    found: dict[str, str] = {}
    for action in process.actions.values():
        for guard in action.guards:
            found[f"actions.{action.id}.{guard.value}"] = f"操作“{action.label}”要 {guard.value}"
        for item in action.requires:
            found[f"actions.{action.id}: {item.must}"] = f"操作“{action.label}”：{item.say}"
    for node in process.nodes.values():
        if node.when:
            found[f"nodes.{node.id}: {node.when}"] = f"环节“{node.label}”只在 {node.when} 时经过"
    for check in process.form.checks:
        found[f"form.{check.id}: {check.must}"] = f"表单：{check.say}"
    return found


def _ways(old: Process, new: Process) -> Iterable[WayChange]:
    before, after = ways(old), ways(new)
    for (node, goal), way in before.items():
        if node not in new.nodes:
            continue  # nothing stands there any more
        further = after.get((node, goal))
        how = _how(way, further)
        if how:
            yield WayChange(how, node, new.node(node).label, goal, way, further)


def _how(before: Way | None, after: Way | None) -> How | None:
    if before is None or after is None:
        if before is None and after is None:
            return None
        return How.IMPOSSIBLE if after is None else How.POSSIBLE
    if before.cost == after.cost:
        return None
    return How.LONGER if after.cost > before.cost else How.SHORTER


_WORDS = {
    "label": "名称", "type": "类型", "lane": "泳道", "actors": "办理人", "by": "办理人", "editable": "可修改",
    "funds": "资金", "help": "说明", "instead": "改走", "account": "自己的额度", "limit": "时限", "routes": "去向",
    "approval": "一起审", "helpers": "可请的人", "copies": "抄送",
    "through": "途经", "targets": "可退回到", "effects": "带来", "flags": "标记", "parent_flags": "上级标记",
    "parent_form": "上级字段", "own_form": "字段", "also": "带动", "spawns": "生成", "sends": "对外发送", "form": "要填",
    "cost": "代价",
    "warn": "提醒", "hidden": "不显示", "menu": "菜单",
    "outside": "平台外谁办", "start": "起点", "finish": "办结", "words": "用词",
    "parents": "上级单据", "alone": "可单独录入", "made": "怎样生成",
    "inherits": "带入", "prefix": "编号前缀", "amount": "金额",
    "title": "标题", "funding": "资金来源", "required": "必填", "options": "选项", "required_when": "何时必填",
    "when": "何时有", "least": "最小", "computed": "计算", "default": "默认", "unit": "单位", "variant_label": "类别",
}  # fmt: skip

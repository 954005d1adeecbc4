"""Base + overlay → resolved, linted, frozen processes of each region, kind and variant."""

import copy
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.adapters.process_models import ActionModel, KindModel, NodeModel, RegionModel
from core.adapters.yaml_reader import Located, problems_of, read_model
from core.domain import lint
from core.domain.accounts import Relation, Role
from core.domain.certificates import Vendor
from core.domain.errors import DataError, NotFoundError
from core.domain.process import Action, Actor, Cost, Effect, Funds, Guard, Instead, Node, NodeType, Process

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class ProcessBook:
    """All resolved processes; labels of the regions, and the makers of keys they accept."""

    regions: dict[str, str]
    processes: dict[tuple[str, str, str], Process]
    vendors: dict[str, tuple[Vendor, ...]]

    def get(self, region: str, kind: str, variant: str) -> Process:
        """Current process; NotFoundError(code `no_such_process`) names what there is."""
        try:
            return self.processes[region, kind, variant]
        except KeyError:
            known = "、".join(sorted({"/".join(key) for key in self.processes}))
            raise NotFoundError(
                f"没有 {region} 的“{kind}/{variant}”流程；现有：{known}", code="no_such_process"
            ) from None

    def variants(self, region: str, kind: str) -> list[Process]:
        """All variants of a kind in a region, in the order of the data."""
        return [p for (r, k, _), p in self.processes.items() if (r, k) == (region, kind)]


@cache
def load(data: Path = DATA) -> ProcessBook:
    """Read, resolve and lint everything under `data`; one DataError lists every mistake of every file."""
    problems: list[str] = []
    bases = _bases(data, problems)
    labels: dict[str, str] = {}
    vendors: dict[str, tuple[Vendor, ...]] = {}
    resolved: dict[tuple[str, str, str], Process] = {}
    for file in sorted((data / "regions").glob("*.yaml")):
        try:
            region, located = read_model(file, RegionModel)
        except DataError as error:
            problems.extend(error.problems)
            continue
        if region.region in labels:
            problems.append(located.problem(("region",), f"区域“{region.region}”重复"))
        labels[region.region] = region.label
        vendors[region.region] = tuple(Vendor(item.name, tuple(item.spellings)) for item in region.vendors)
        for kind in region.processes:
            if kind not in bases:
                problems.append(
                    located.problem(("processes", kind), f"没有“{kind}”这种单据的骨架，或骨架有错")
                )
                continue
            overlay = _Overlay(*bases[kind], region, located)
            for process in overlay.resolve():
                resolved[process.region, process.kind, process.variant] = process
            problems.extend(overlay.problems)
    if problems:
        raise DataError(list(dict.fromkeys(problems)))
    return ProcessBook(labels, resolved, vendors)


def _bases(data: Path, problems: list[str]) -> dict[str, tuple[KindModel, Located]]:
    bases: dict[str, tuple[KindModel, Located]] = {}
    for file in sorted((data / "processes" / "base").glob("*.yaml")):
        try:
            model, located = read_model(file, KindModel)
            if model.kind in bases:
                problems.append(located.problem(("kind",), f"“{model.kind}”的骨架重复"))
            bases[model.kind] = (model, located)
        except DataError as error:
            problems.extend(error.problems)
    return bases


class _Overlay:
    """Applies a region's operations to a base, remembering for each part the file and line it came from."""

    def __init__(
        self, base: KindModel, base_file: Located, region: RegionModel, region_file: Located
    ) -> None:
        self.base, self.base_file = base, base_file
        self.region, self.region_file = region, region_file
        self.problems: list[str] = []
        raw: Any = copy.deepcopy(base_file.value)
        self.parts: dict[str, dict[str, dict[str, Any]]] = {"node": raw["nodes"], "action": raw["actions"]}
        self.words = dict(base.words)
        self.where: dict[tuple[str, ...], tuple[Located, tuple[str | int, ...]]] = {}

    def resolve(self) -> list[Process]:
        for index, operation in enumerate(self.region.processes[self.base.kind]):
            name = next(iter(operation.model_fields_set))
            self._apply(name, getattr(operation, name), ("processes", self.base.kind, index))
        nodes = self._models("node", NodeModel)
        actions = self._models("action", ActionModel)
        for key, action in actions.items():
            for name in sorted(set(action.variants) - set(self.base.variants)):
                self.problems.append(self._problem(("actions", key), f"动作“{key}”提到不存在的类别“{name}”"))
        if self.problems:
            return []
        result = []
        for variant, label in self.base.variants.items():
            process = self._compile(variant, label, nodes, actions)
            self.problems += [self._problem(path, text) for path, text in lint.problems(process)]
            result.append(process)
        return result

    def _apply(self, name: str, value: Any, path: tuple[str | int, ...]) -> None:
        if name == "rename":
            self.words.update(value)
            return
        verb, what = name.split("_")
        key = value if verb == "drop" else value.get("id")
        parts = self.parts[what]
        if not isinstance(key, str) or (key in parts) == (verb == "add"):
            state = "已经有了" if verb == "add" else "不存在"
            self.problems.append(self.region_file.problem(path, f"{name}: “{key}”{state}"))
            return
        self.where[f"{what}s", key] = (self.region_file, path)
        if verb == "drop":
            del parts[key]
            return
        body = {k: v for k, v in value.items() if k != "id"}
        if "chain" in body:  # a chain replaces whatever routes the base gave
            parts.get(key, {}).pop("from", None)
            parts.get(key, {}).pop("to", None)
        parts[key] = body if verb == "add" else {**parts[key], **body}

    def _models(self, what: str, model: type[Any]) -> dict[str, Any]:
        result = {}
        for key, body in self.parts[what].items():
            try:
                result[key] = model.model_validate(body)
            except ValidationError as error:
                for text in problems_of(error, self.region_file):
                    self.problems.append(self._problem((f"{what}s", key), text.split(": ", 1)[1]))
        return result

    def _problem(self, path: tuple[str, ...], sentence: str) -> str:
        located, real = self.where.get(path, (self.base_file, path))
        return located.problem(real, f"[{self.region.region}/{self.base.kind}] {sentence}")

    def _compile(
        self, variant: str, label: str, nodes: dict[str, NodeModel], actions: dict[str, ActionModel]
    ) -> Process:
        kept = {key: a for key, a in actions.items() if not a.variants or variant in a.variants}
        mentioned = {self.base.start, *(n for a in kept.values() for n in (*a.routes().values(), *a.through))}
        # A node that only other variants use (dispatched, for a plan without process) is not part of this one.
        other = {n for a in actions.values() if a.variants for n in a.routes().values()} - mentioned
        chosen = {key: _node(key, node) for key, node in nodes.items() if key not in other}
        body = {
            "start": self.base.start,
            "nodes": chosen,
            "actions": {key: _action(key, action) for key, action in kept.items()},
            "goals": {
                key: tuple(n for n in names if n not in other) for key, names in self.base.goals.items()
            },
            "finish": tuple(n for n in self.base.finish if n not in other),
            "words": self.words,
        }
        names = {
            "region": self.region.region,
            "kind": self.base.kind,
            "variant": variant,
            "label": self.base.label,
            "variant_label": label,
        }
        draft = Process(**names, version="", **body)  # type: ignore[arg-type]
        return Process(**names, version=digest(draft), **body)  # type: ignore[arg-type]


def _actors(actors: list[Any]) -> tuple[Actor, ...]:
    return tuple(Actor(actor.role, actor.of) for actor in actors)


def _node(key: str, model: NodeModel) -> Node:
    return Node(
        id=key, label=model.label, type=model.type, lane=model.lane, actors=_actors(model.actors),
        editable=model.editable, funds=model.funds, help=model.help,
        instead=tuple(Instead(item.goal, item.use, item.reason) for item in model.instead),
    )  # fmt: skip


def _action(key: str, model: ActionModel) -> Action:
    # A node of another variant may still be named as a source; routes from it are never asked for.
    return Action(
        id=key, label=model.label, routes=model.routes(), by=_actors(model.by), through=tuple(model.through),
        targets=tuple(model.targets), guards=tuple(model.guards), effects=tuple(model.effects),
        form=tuple(model.form), cost=model.cost, hidden=model.hidden, menu=model.menu,
    )  # fmt: skip


def dump(process: Process) -> str:
    """Canonical JSON of a process, kept beside the instances that run on it.

    Keys stay in the order of the data: the order of actions says which way is the main one.
    """
    body = asdict(process)
    body.pop("version")
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def digest(process: Process) -> str:
    """Version of a process: twelve hex digits over its canonical form."""
    return hashlib.sha256(dump(process).encode()).hexdigest()[:12]


def restore(text: str) -> Process:
    """The process of an earlier version from its canonical JSON."""
    body = json.loads(text)
    body["nodes"] = {key: _restore_node(node) for key, node in body["nodes"].items()}
    body["actions"] = {key: _restore_action(action) for key, action in body["actions"].items()}
    body["goals"] = {key: tuple(nodes) for key, nodes in body["goals"].items()}
    body["finish"] = tuple(body["finish"])
    return Process(**body, version=hashlib.sha256(text.encode()).hexdigest()[:12])


def _restore_actors(actors: list[dict[str, str]]) -> tuple[Actor, ...]:
    return tuple(Actor(Role(actor["role"]), Relation(actor["of"])) for actor in actors)


def _restore_node(node: dict[str, Any]) -> Node:
    return Node(
        **{
            **node,
            "type": NodeType(node["type"]),
            "funds": Funds(node["funds"]),
            "actors": _restore_actors(node["actors"]),
            "instead": tuple(Instead(**item) for item in node["instead"]),
        }
    )


def _restore_action(action: dict[str, Any]) -> Action:
    return Action(
        **{
            **action,
            "by": _restore_actors(action["by"]),
            "through": tuple(action["through"]),
            "targets": tuple(action["targets"]),
            "guards": tuple(Guard(item) for item in action["guards"]),
            "effects": tuple(Effect(item) for item in action["effects"]),
            "form": tuple(action["form"]),
            "cost": Cost(action["cost"]),
        }
    )

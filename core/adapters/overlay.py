"""A region's named operations on the base of a kind, remembering for each part the file and line it came from."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from core.adapters import process_build as build
from core.adapters.process_models import (
    ActionModel,
    CheckModel,
    FieldModel,
    KindModel,
    NodeModel,
    RegionModel,
)
from core.adapters.yaml_reader import Located, problems_of
from core.domain import lint
from core.domain.process import Process

_MODELS: dict[str, type[Any]] = {
    "node": NodeModel,
    "action": ActionModel,
    "field": FieldModel,
    "check": CheckModel,
}
_OF_FORM = ("amount", "title", "funding")
_OF_KIND = (
    "label",
    "start",
    "variants",
    "goals",
    "finish",
    "parents",
    "alone",
    "made",
    "inherits",
    "prefix",
    "menu",
    "renamed",
)


class Overlay:
    """Resolves one kind of one region; `problems` lists every mistake as `file:line: sentence`."""

    def __init__(
        self, base: KindModel, base_file: Located, region: RegionModel, region_file: Located
    ) -> None:
        """`base` and `region` as read from their files."""
        self.base, self.base_file = base, base_file
        self.region, self.region_file = region, region_file
        self.problems: list[str] = []
        raw: Any = copy.deepcopy(base_file.value)
        form = raw.get("form", {})
        self.kind: dict[str, Any] = {key: raw[key] for key in _OF_KIND if key in raw}
        self.kind["form"] = {key: form[key] for key in _OF_FORM if key in form}
        self.words = dict(base.words)
        self.parts: dict[str, dict[str, dict[str, Any]]] = {
            "node": raw["nodes"],
            "action": raw["actions"],
            "field": dict(_flat(form.get("fields", []))),
            "check": {item["id"]: item for item in form.get("checks", [])},
        }
        self.where: dict[tuple[str, ...], tuple[Located, tuple[str | int, ...]]] = {
            (f"{what}s", key): (base_file, path)
            for what in ("field", "check")
            for key, path in _places(form.get(f"{what}s", []), ("form", f"{what}s"))
        }

    def resolve(self) -> list[Process]:
        """One process for each variant, in the order of the data; empty where anything is wrong."""
        for index, operation in enumerate(self.region.processes[self.base.kind]):
            name = next(iter(operation.model_fields_set))
            self._apply(name, getattr(operation, name), ("processes", self.base.kind, index))
        models = {what: self._models(what, model) for what, model in _MODELS.items()}
        kind = self._kind()
        if kind is None or self.problems:
            return []
        self._named(kind, models)
        if self.problems:
            return []
        codes = self.region.codes
        found = []
        for variant in kind.variants:
            process = build.compiled(self.region.region, kind, variant, models, self.words, codes)
            for path, sentence in lint.problems(process, values=frozenset(self.region.values)):
                self._mistake(path, sentence)
            found.append(process)
        return found

    def _named(self, kind: KindModel, models: Mapping[str, Mapping[str, Any]]) -> None:
        """Variants and nodes that the data names have to be there."""
        for what in ("node", "action", "field", "check"):
            for key, part in models[what].items():
                for name in sorted(set(part.variants) - set(kind.variants)):
                    self._mistake((f"{what}s", key), f"“{key}”提到不存在的类别“{name}”")
        for name in sorted({variant for item in kind.parents for variant in item.own} - set(kind.variants)):
            self._mistake(("parents", ""), f"parents 的 own 提到不存在的类别“{name}”")
        for name in sorted(set(kind.renamed.values()) - models["node"].keys() - self.base.nodes.keys()):
            self._mistake(("renamed", ""), f"renamed 提到不存在的节点“{name}”")

    def _apply(self, name: str, value: Any, path: tuple[str | int, ...]) -> None:
        if name == "rename":
            self.words.update(value)
        elif name == "set":
            self._set(value, path)
        else:
            verb, what = name.split("_")
            self._part(verb, what, value, path)

    def _set(self, value: dict[str, Any], path: tuple[str | int, ...]) -> None:
        for key, given in value.items():
            if key in _OF_KIND:
                self.kind[key] = given
            elif key in _OF_FORM:
                self.kind["form"][key] = given
            else:
                self.problems.append(self.region_file.problem((*path, "set", key), f"set: 不认识的键“{key}”"))
            self.where[key, ""] = (self.region_file, path)

    def _part(self, verb: str, what: str, value: Any, path: tuple[str | int, ...]) -> None:
        key = value if verb == "drop" else value.get("id")
        parts = self.parts[what]
        if not isinstance(key, str) or (key in parts) == (verb == "add"):
            state = "已经有了" if verb == "add" else "不存在"
            self.problems.append(self.region_file.problem(path, f"{verb}_{what}: “{key}”{state}"))
            return
        self.where[f"{what}s", key] = (self.region_file, path)
        if verb == "drop":
            for inner in [name for name in parts if name == key or name.startswith(f"{key}.")]:
                del parts[inner]
            return
        body = {k: v for k, v in value.items() if k not in ("id", "after")}
        if "chain" in body:  # a chain replaces whatever routes the base gave
            parts.get(key, {}).pop("from", None)
            parts.get(key, {}).pop("to", None)
        if what in ("field", "check"):
            body["id"] = key.rsplit(".", 1)[-1]
        columns = dict(_flat(body.pop("fields", []), f"{key}."))
        self.parts[what] = _placed(
            parts, key, body if verb == "add" else {**parts[key], **body}, value.get("after")
        )
        self.parts[what].update(columns)

    def _models(self, what: str, model: type[Any]) -> dict[str, Any]:
        result = {}
        for key, body in self.parts[what].items():
            try:
                result[key] = model.model_validate(body)
            except ValidationError as error:
                for text in problems_of(error, self.region_file):
                    self._mistake((f"{what}s", key), text.split(": ", 1)[1])
        return result

    def _kind(self) -> KindModel | None:
        body = {**self.kind, "kind": self.base.kind, "nodes": {}, "actions": {}}
        try:
            return KindModel.model_validate(body)
        except ValidationError as error:
            for item, text in zip(error.errors(), problems_of(error, self.region_file), strict=True):
                self._mistake((str(item["loc"][0]), ""), text.split(": ", 1)[1])
        return None

    def _mistake(self, path: tuple[str, ...], sentence: str) -> None:
        located, real = self.where.get(path, self.where.get((path[0], ""), (self.base_file, path)))
        self.problems.append(located.problem(real, f"[{self.region.region}/{self.base.kind}] {sentence}"))


def _flat(fields: list[dict[str, Any]], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Fields and columns by path: `lines`, `lines.quantity`."""
    for item in fields:
        path = f"{above}{item.get('id')}"
        yield path, {key: value for key, value in item.items() if key != "fields"}
        yield from _flat(item.get("fields", []), f"{path}.")


def _places(
    items: list[dict[str, Any]], above: tuple[str | int, ...], name: str = ""
) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Where each field, column and check stands in the base's file."""
    for index, item in enumerate(items):
        yield f"{name}{item.get('id')}", (*above, index)
        yield from _places(item.get("fields", []), (*above, index, "fields"), f"{name}{item.get('id')}.")


def _placed(
    parts: dict[str, dict[str, Any]], key: str, body: dict[str, Any], after: object
) -> dict[str, dict[str, Any]]:
    """`parts` with `body` under `key`: where it was, behind `after`, or last."""
    if key in parts or after not in parts:
        return {**parts, key: body}
    result: dict[str, dict[str, Any]] = {}
    for name, part in parts.items():
        result[name] = part
        if name == after:
            result[key] = body
    return result

"""Strict YAML: 1.2 scalars, duplicate keys refused, and every value keeps its file and line.

libyaml parses (fast); only the step from nodes to Python values is ours, because the 1.1 schema of PyYAML reads
`no`, `on` and `12:30` as something else and accepts a key twice without a word.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from core.domain.errors import DataError

Path_ = tuple[str | int, ...]
Value = Any  # None, bool, int, float, str, date, or lists and dicts of these
M = TypeVar("M", bound=BaseModel)

_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MESSAGES = {
    "extra_forbidden": "不认识的键",
    "unexpected_keyword_argument": "不认识的键",  # the same of a dataclass
    "missing": "缺少必填项",
}


@dataclass(frozen=True)
class Located:
    """A parsed file: its value, and the line (1-based) of every path inside it."""

    file: Path
    value: Value
    lines: dict[Path_, int]

    def line(self, path: Sequence[str | int]) -> int:
        """Line of the nearest known ancestor of `path`; pydantic adds parts that stand in no file."""
        known = tuple(path)
        while known and known not in self.lines:
            known = known[:-1]
        return self.lines.get(known, 1)

    def problem(self, path: Sequence[str | int], sentence: str) -> str:
        """One mistake as `file:line: sentence`."""
        return f"{self.file}:{self.line(path)}: {sentence}"


def read(file: Path) -> Located:
    """Read one file; raise DataError naming file and line for bad syntax or a key given twice."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DataError([f"{file}:{line}: YAML 语法错误（{error.problem}）"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError([f"{file}:1: 文件不是有效的 UTF-8 YAML"]) from error
    builder = _Builder(file)
    value = None if node is None else builder.build(node, ())
    if builder.problems:
        raise DataError(builder.problems)
    return Located(file, value, builder.lines)


def read_model(file: Path, model: type[M]) -> tuple[M, Located]:
    """Read `file` into a pydantic model; raise DataError listing every mistake with its line."""
    located = read(file)
    try:
        return model.model_validate(located.value), located
    except ValidationError as error:
        raise DataError(problems_of(error, located)) from error


def problems_of(error: ValidationError, located: Located) -> list[str]:
    """Every mistake of a pydantic error as `file:line: path: sentence`."""
    problems = []
    for item in error.errors():
        path = item["loc"]
        name = ".".join(str(part) for part in path) or "（整个文件）"
        problems.append(located.problem(path, f"{name}: {_MESSAGES.get(item['type'], item['msg'])}"))
    return problems


class _Builder:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[Path_, int] = {}
        self.problems: list[str] = []

    def build(self, node: yaml.Node, path: Path_) -> Value:
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        plain = not getattr(node, "style", None)
        return _scalar(node.value, plain=plain)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> Value:
        result: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                line = key_node.start_mark.line + 1
                self.problems.append(f"{self.file}:{line}: 键“{key}”重复出现")
            result[key] = self.build(value_node, (*path, key))
            self.lines[*path, key] = key_node.start_mark.line + 1
        return result


def _scalar(text: str, *, plain: bool) -> Value:
    if not plain:
        return text
    words: dict[str, Value] = {"": None, "null": None, "~": None, "true": True, "false": False}
    if text in words:
        return words[text]
    if _INT.match(text):
        # Codes such as 01 or 0471 are words, not numbers.
        return text if len(text.lstrip("-+")) > 1 and text.lstrip("-+")[0] == "0" else int(text)
    if _FLOAT.match(text):
        return float(text)
    return date.fromisoformat(text) if _DATE.match(text) else text

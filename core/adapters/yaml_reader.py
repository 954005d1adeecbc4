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
from pydantic_core import ErrorDetails

from core.domain.errors import DataError

Path_ = tuple[str | int, ...]
Value = Any  # None, bool, int, float, str, date, or lists and dicts of these
M = TypeVar("M", bound=BaseModel)

_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
# Pydantic's error types in the words of those who write data; `{…}` are the values pydantic gives along. Types that
# no YAML value can cause (bytes, callables, frozen instances) are left to `_OTHERWISE`.
_MESSAGES = {
    "extra_forbidden": "不认识的键",
    "unexpected_keyword_argument": "不认识的键",  # the same of a dataclass
    "invalid_key": "键应为文字",
    "missing": "缺少必填项",
    "missing_argument": "缺少必填项",
    "missing_keyword_only_argument": "缺少必填项",
    "none_required": "必须留空",
    "value_error": "{error}",
    "assertion_error": "{error}",
    "enum": "只能是 {expected}",
    "literal_error": "只能是 {expected}",
    "union_tag_invalid": "{discriminator}“{tag}”不认识，只能是 {expected_tags}",
    "union_tag_not_found": "缺少 {discriminator}",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "multiple_of": "应为 {multiple_of} 的倍数",
    "finite_number": "应为有限的数字",
    "too_short": "至少要有 {min_length} 项，现有 {actual_length} 项",
    "too_long": "最多 {max_length} 项，现有 {actual_length} 项",
    "string_too_short": "至少要有 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "string_pattern_mismatch": "写法不对，应符合 {pattern}",
    "string_not_ascii": "只能用英文字母、数字和英文符号",
    "int_from_float": "应为整数，不能带小数",
    "int_parsing_size": "数字太大",
    "decimal_max_digits": "最多 {max_digits} 位数字",
    "decimal_max_places": "最多 {decimal_places} 位小数",
    "decimal_whole_digits": "小数点前最多 {whole_digits} 位数字",
    "date_from_datetime_inexact": "应为日期，不能带时间",
    "date_past": "应为过去的日期",
    "date_future": "应为将来的日期",
    "datetime_past": "应为过去的时间",
    "datetime_future": "应为将来的时间",
    "timezone_naive": "不能带时区",
    "timezone_aware": "应带时区",
    "url_scheme": "网址应以 {expected_schemes} 开头",
    "url_too_long": "网址最多 {max_length} 个字符",
}
# The same of all errors `<family>_type`, `<family>_parsing` and so on.
_FAMILIES = {
    "string": "应为文字（数字和日期请加引号）",
    "bool": "应为 true 或 false",
    "int": "应为整数",
    "float": "应为数字",
    "decimal": "应为数字",
    "fraction": "应为数字",
    "date": "应为日期，如 2026-01-31",
    "datetime": "应为日期和时间，如 2026-01-31T09:30:00+08:00",
    "time": "应为时间，如 09:30",
    "time_delta": "应为时长，如 PT30M",
    "url": "应为网址，如 https://example.com/",
    "uuid": "应为 UUID",
    **dict.fromkeys(("model", "model_attributes", "dataclass", "dict", "mapping", "arguments"), "应为键值对"),
    **dict.fromkeys(("list", "tuple", "set", "frozen_set", "deque", "iterable", "named_tuple"), "应为列表"),
}
_FAMILY = re.compile(
    r"_(?:exact_)?(?:from_datetime_|from_date_)?(?:type|parsing|syntax_violation|version|unicode)\Z"
)
_OTHERWISE = "值不符合要求"
_ALTERNATIVES = re.compile(r",? or |, ")


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
    located, twice = _parse(file)
    if twice:
        raise DataError(twice)
    return located


def read_model(file: Path, model: type[M]) -> tuple[M, Located]:
    """Read `file` into a pydantic model; raise one DataError listing every mistake with its line."""
    located, problems = _parse(file)
    try:
        read_in = model.model_validate(located.value)
    except ValidationError as error:
        raise DataError([*problems, *problems_of(error, located)]) from error
    if problems:
        raise DataError(problems)
    return read_in, located


def read_on(file: Path, model: type[M], problems: list[str]) -> tuple[M, Located]:
    """Like `read_model`, but keys nobody knows or that come twice are only listed: the rest is judged too."""
    located, found = _parse(file)
    while True:
        try:
            read_in = model.model_validate(located.value)
        except ValidationError as error:
            found += problems_of(error, located)
            if not all(_left_out(located.value, item) for item in error.errors()):
                raise DataError(found) from error
        else:
            problems += found
            return read_in, located


def _left_out(value: Value, item: ErrorDetails) -> bool:
    """Whether it is a key that nobody knows, and is taken out of `value` now."""
    *path, key = item["loc"]
    if item["type"] != "extra_forbidden":
        return False
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):  # a part that pydantic adds and that stands in no file
            return False
    if not isinstance(value, dict) or key not in value:
        return False
    del value[key]
    return True


def _parse(file: Path) -> tuple[Located, list[str]]:
    """The file, and its keys given twice; the last of each stands, so that the rest can be judged too."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DataError([f"{file}:{line}: YAML 语法错误（{error.problem}）"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError([f"{file}:1: 文件不是有效的 UTF-8 YAML"]) from error
    builder = _Builder(file)
    value = None if node is None else builder.build(node, ())
    return Located(file, value, builder.lines), builder.problems


def problems_of(error: ValidationError, located: Located) -> list[str]:
    """Every mistake of a pydantic error as `file:line: path: sentence`."""
    problems = []
    for item in error.errors():
        path = item["loc"]
        name = ".".join(str(part) for part in path) or "（整个文件）"
        problems.append(located.problem(path, f"{name}: {_sentence(item)}"))
    return problems


def _sentence(item: ErrorDetails) -> str:
    """What is wrong, in Chinese for every error type; pydantic's own English reaches nobody."""
    kind = item["type"]
    template = _MESSAGES.get(kind) or _FAMILIES.get(_FAMILY.sub("", kind), _OTHERWISE)
    given = {name: str(value) for name, value in item.get("ctx", {}).items()}
    for name in ("expected", "expected_tags", "expected_schemes", "discriminator"):
        if name in given:
            given[name] = "、".join(part.strip("'") for part in _ALTERNATIVES.split(given[name]))
    return template.format_map(given)


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

"""Whoever writes data is told in Chinese what is wrong, and on which line."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import pytest
import yaml
from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    FutureDate,
    FutureDatetime,
    HttpUrl,
    NaiveDatetime,
    PastDate,
    PastDatetime,
    StringConstraints,
    Tag,
    create_model,
    field_validator,
)
from pydantic_core.core_schema import ErrorType

from core.adapters.yaml_reader import _sentence, read, read_model
from core.domain.errors import DataError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["cat"] = "cat"
    name: str


class Other(BaseModel):
    kind: Literal["dog"] = "dog"


@dataclass
class Plain:
    name: str


def refuse(value: object) -> object:
    message = "每一项只写一个操作"
    raise ValueError(message)


def insist(value: object) -> object:
    raise AssertionError("两个日期前后颠倒")


Tagged = Annotated[Inner | Other, Field(discriminator="kind")]
# What the model wants, what stands in the file, and what the writer reads.
MISTAKES: dict[str, tuple[Any, str, str]] = {
    "string_type": (str, "2026", "应为文字（数字和日期请加引号）"),
    "bool_type": (bool, "[]", "应为 true 或 false"),
    "bool_parsing": (bool, "maybe", "应为 true 或 false"),
    "int_type": (int, "[]", "应为整数"),
    "int_parsing": (int, "three", "应为整数"),
    "int_parsing_size": (int, "'" + "9" * 5000 + "'", "数字太大"),
    "int_from_float": (int, "1.5", "应为整数，不能带小数"),
    "float_type": (float, "[]", "应为数字"),
    "float_parsing": (float, "three", "应为数字"),
    "finite_number": (Annotated[float, Field(allow_inf_nan=False)], "'nan'", "应为有限的数字"),
    "decimal_type": (Decimal, "[]", "应为数字"),
    "decimal_parsing": (Decimal, "three", "应为数字"),
    "decimal_max_digits": (Annotated[Decimal, Field(max_digits=3)], "'1234'", "最多 3 位数字"),
    "decimal_max_places": (Annotated[Decimal, Field(decimal_places=2)], "'1.234'", "最多 2 位小数"),
    "decimal_whole_digits": (
        Annotated[Decimal, Field(max_digits=4, decimal_places=2)],
        "'123'",
        "小数点前最多 2 位数字",
    ),
    "fraction_parsing": (Fraction, "three", "应为数字"),
    "list_type": (list[str], "one", "应为列表"),
    "tuple_type": (tuple[str, ...], "one", "应为列表"),
    "set_type": (set[str], "one", "应为列表"),
    "frozen_set_type": (frozenset[str], "one", "应为列表"),
    "dict_type": (dict[str, str], "one", "应为键值对"),
    "model_type": (Inner, "one", "应为键值对"),
    "dataclass_type": (Plain, "one", "应为键值对"),
    "missing": (Inner, "{kind: cat}", "缺少必填项"),
    "extra_forbidden": (Inner, "{name: x, nmae: y}", "不认识的键"),
    "none_required": (None, "one", "必须留空"),
    "value_error": (Annotated[str, AfterValidator(refuse)], "one", "每一项只写一个操作"),
    "assertion_error": (Annotated[str, AfterValidator(insist)], "one", "两个日期前后颠倒"),
    "enum": (Colour, "green", "只能是 red、blue"),
    "literal_error": (Literal["a", "b", "c"], "d", "只能是 a、b、c"),
    "union_tag_invalid": (Tagged, "{kind: cow}", "只能是 cat、dog"),
    "union_tag_not_found": (Tagged, "{name: x}", "缺少 kind"),
    "greater_than": (Annotated[int, Gt(3)], "3", "应大于 3"),
    "greater_than_equal": (Annotated[int, Ge(3)], "2", "不能小于 3"),
    "less_than": (Annotated[int, Lt(3)], "3", "应小于 3"),
    "less_than_equal": (Annotated[int, Le(3)], "4", "不能大于 3"),
    "multiple_of": (Annotated[int, MultipleOf(5)], "4", "应为 5 的倍数"),
    "too_short": (Annotated[list[str], Field(min_length=2)], "[a]", "至少要有 2 项，现有 1 项"),
    "too_long": (Annotated[list[str], Field(max_length=1)], "[a, b]", "最多 1 项，现有 2 项"),
    "string_too_short": (Annotated[str, StringConstraints(min_length=2)], "a", "至少要有 2 个字"),
    "string_too_long": (Annotated[str, StringConstraints(max_length=2)], "abc", "最多 2 个字"),
    "string_pattern_mismatch": (Annotated[str, Field(pattern="^[0-9]{6}$")], "abc", "应符合 ^[0-9]{6}$"),
    "date_type": (date, "[]", "应为日期，如 2026-01-31"),
    "date_from_datetime_parsing": (date, "2026-13-31T01:02:03", "应为日期，如 2026-01-31"),
    "date_from_datetime_inexact": (date, "2026-01-31T01:02:03", "应为日期，不能带时间"),
    "date_past": (PastDate, "2999-01-01", "应为过去的日期"),
    "date_future": (FutureDate, "1999-01-01", "应为将来的日期"),
    "datetime_type": (datetime, "[]", "应为日期和时间"),
    "datetime_from_date_parsing": (datetime, "soon", "应为日期和时间"),
    "datetime_past": (PastDatetime, "2999-01-01T00:00:00", "应为过去的时间"),
    "datetime_future": (FutureDatetime, "1999-01-01T00:00:00", "应为将来的时间"),
    "timezone_naive": (NaiveDatetime, "2026-01-31T00:00:00Z", "不能带时区"),
    "timezone_aware": (AwareDatetime, "2026-01-31T00:00:00", "应带时区"),
    "time_type": (time, "[]", "应为时间，如 09:30"),
    "time_parsing": (time, "soon", "应为时间，如 09:30"),
    "time_delta_type": (timedelta, "[]", "应为时长，如 PT30M"),
    "time_delta_parsing": (timedelta, "soon", "应为时长，如 PT30M"),
    "url_type": (HttpUrl, "[]", "应为网址"),
    "url_parsing": (HttpUrl, "here", "应为网址"),
    "url_scheme": (HttpUrl, "ftp://a.example/", "网址应以 http、https 开头"),
    "uuid_parsing": (UUID, "one", "应为 UUID"),
}


# Whatever pydantic may give along; an unknown name in a template would fail.
CONTEXT = dict.fromkeys(
    (
        *(
            "error",
            "expected",
            "discriminator",
            "tag",
            "expected_tags",
            "gt",
            "ge",
            "lt",
            "le",
            "multiple_of",
        ),
        *("min_length", "max_length", "actual_length", "pattern", "max_digits", "decimal_places"),
        *("whole_digits", "expected_schemes"),
    ),
    "某",
)


def problem(folder: Path, wanted: Any, text: str, kind: str) -> str:
    """The only mistake, without its place; it has to be the one that is meant."""
    file = folder / "f.yaml"
    file.write_text(f"# a comment\nx: {text}\n", encoding="utf-8")
    model = create_model("Wanted", x=(wanted, ...))
    with pytest.raises(DataError) as caught:
        read_model(file, model)
    (one,) = caught.value.problems
    assert [item["type"] for item in caught.value.__cause__.errors()] == [kind]
    assert one.startswith(f"{file}:2: x")
    return one.removeprefix(f"{file}:2: ")


@pytest.mark.parametrize("kind", MISTAKES)
def test_each_mistake_is_said_in_chinese(tmp_path, kind):
    wanted, text, sentence = MISTAKES[kind]
    said = problem(tmp_path, wanted, text, kind)
    assert sentence in said
    assert "should" not in said
    assert "Input" not in said
    assert "{" not in said or kind == "string_pattern_mismatch"


def test_no_error_type_of_pydantic_is_left_in_english():
    """Even those that no data file causes: the message is Chinese whatever pydantic says."""

    for kind in get_args(ErrorType):
        item = {"type": kind, "loc": (), "msg": "English", "input": None, "ctx": CONTEXT}
        assert re.search(r"[\u4e00-\u9fff]", _sentence(item)), kind


def test_a_validators_own_sentence_has_no_prefix(tmp_path):
    class Own(BaseModel):
        a: str

        @field_validator("a")
        @classmethod
        def _never(cls, value: str) -> str:
            raise ValueError(f"“{value}”不行：要么写 from 和 to，要么写 chain")

    file = tmp_path / "f.yaml"
    file.write_text("a: b\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_model(file, Own)
    assert caught.value.problems == [f"{file}:1: a: “b”不行：要么写 from 和 to，要么写 chain"]


def test_all_mistakes_come_at_once_each_with_its_line(tmp_path):
    class Many(BaseModel):
        model_config = ConfigDict(extra="forbid")

        a: int
        b: list[str]
        c: str

    file = tmp_path / "f.yaml"
    file.write_text("a: one\nb:\n  - x\n  - 7\nd: 1\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_model(file, Many)
    assert caught.value.problems == [
        f"{file}:1: a: 应为整数",
        f"{file}:4: b.1: 应为文字（数字和日期请加引号）",
        f"{file}:1: c: 缺少必填项",
        f"{file}:5: d: 不认识的键",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("01", "01"),
        ("0471", "0471"),
        ("7", 7),
        ("-1.5", -1.5),
        ("'7'", "7"),
        ("true", True),
        ("~", None),
        ("2026-01-31", date(2026, 1, 31)),
    ],
)
def test_scalars_are_those_of_yaml_1_2(tmp_path, text, value):
    file = tmp_path / "f.yaml"
    file.write_text(f"x: {text}\n", encoding="utf-8")
    assert read(file).value == {"x": value}


@pytest.mark.parametrize(
    ("data", "line", "sentence"),
    [
        (b"a: 1\nb: 2\na: 3\n", 3, "键“a”重复出现"),
        (b"a: [1\n", 2, "YAML 语法错误"),
        (b"a: \xff\n", 1, "不是有效的 UTF-8"),
    ],
)
def test_what_is_no_yaml_is_named_with_its_line(tmp_path, data, line, sentence):
    file = tmp_path / "f.yaml"
    file.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read(file)
    assert caught.value.problems[0].startswith(f"{file}:{line}: ")
    assert sentence in caught.value.problems[0]


@given(value=st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=20), max_size=3), max_size=4))
def test_quoted_text_comes_back_as_it_was(tmp_path_factory, value):
    file = tmp_path_factory.mktemp("yaml") / "f.yaml"
    file.write_text(yaml.safe_dump(value, default_style='"', allow_unicode=True), encoding="utf-8")
    assert read(file).value == value


def test_a_tag_without_a_known_alternative_names_them(tmp_path):
    def kind(value: object) -> str | None:
        return value.get("kind") if isinstance(value, dict) else None

    wanted = Annotated[Annotated[Inner, Tag("cat")] | Annotated[Other, Tag("dog")], Discriminator(kind)]
    assert "只能是 cat、dog" in problem(tmp_path, wanted, "{kind: cow}", "union_tag_invalid")

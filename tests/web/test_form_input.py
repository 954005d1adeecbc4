"""Posted fields to values and back, for any form; bad input is named where it stands and never breaks anything."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from core.domain.forms import Field, FieldType, Option
from web.form_input import read, text_of

_OPTIONS = (Option("a", "甲"), Option("b", "乙"))
_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=20)
_CODE = _TEXT.filter(lambda text: " " not in text)
_SHA = st.text("0123456789abcdef", min_size=64, max_size=64)
VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.TEXT: _TEXT,
    FieldType.LONG_TEXT: _TEXT,
    FieldType.INTEGER: st.integers(-999_999_999, 999_999_999),
    FieldType.MONEY: st.integers(-(10**13), 10**13),
    FieldType.DATE: st.dates().map(str),
    FieldType.CHOICE: st.sampled_from(["a", "b"]),
    FieldType.CHOICES: st.lists(st.sampled_from(["a", "b"]), unique=True),
    FieldType.YES_NO: st.booleans(),
    FieldType.CATALOGUE: _CODE,
    FieldType.UNIT: _CODE,
    FieldType.INDICATOR: st.integers(1, 999_999_999),
    FieldType.DOCUMENT: st.from_regex(r"[A-Z]{2}-[0-9]{6}", fullmatch=True),
    FieldType.FILE: st.fixed_dictionaries({"sha256": _SHA, "name": _TEXT}),
}
COLUMNS = tuple(Field(kind.value, kind.value, kind, options=_OPTIONS) for kind in VALUES)
FIELDS = (*COLUMNS, Field("table", "表", FieldType.TABLE, fields=COLUMNS))
ROW = st.fixed_dictionaries({}, optional={kind.value: value for kind, value in VALUES.items()})


def as_posted(fields: tuple[Field, ...], values: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    """What a browser sends of a form that shows these values."""
    found: list[tuple[str, str]] = []
    for item in fields:
        value, name = values.get(item.id), f"{prefix}.{item.id}"
        if item.type is FieldType.TABLE:
            for index, row in enumerate(value or []):
                found += [(f"{name}.{index}._", "1"), *as_posted(item.fields, row, f"{name}.{index}")]
        elif item.type is FieldType.CHOICES:
            found += [(name, one) for one in value or []]
        elif item.type is FieldType.FILE:
            found += [(f"{name}.{part}", (value or {}).get(part, "")) for part in ("sha256", "name")]
        else:
            found.append((name, text_of(item, value)))
    return found


def filled(fields: tuple[Field, ...], values: dict[str, Any]) -> dict[str, Any]:
    empty = {FieldType.CHOICES: [], FieldType.TABLE: []}
    return {item.id: values.get(item.id, empty.get(item.type)) for item in fields}


@given(ROW, st.lists(ROW, max_size=4))
def test_what_a_page_shows_is_read_back(values: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    form = {**values, "table": rows}
    found = read(FIELDS, MultiDict(as_posted(FIELDS, form, "f")), empty_rows=True)
    assert found.wrong == {}
    assert found.values == {**filled(COLUMNS, values), "table": [filled(COLUMNS, row) for row in rows]}


@given(st.lists(st.tuples(st.text("f.tableintgrmoy_0129", max_size=24), st.text(max_size=8)), max_size=12))
def test_anything_may_be_posted(pairs: list[tuple[str, str]]) -> None:
    found = read(FIELDS, MultiDict(pairs))
    assert set(found.values) == {item.id for item in FIELDS}
    assert set(found.wrong) == set(found.typed)


def test_empty_rows_are_no_rows_and_the_others_move_up() -> None:
    posted = MultiDict(
        {"f.table.3.integer": "x", "f.table.7.text": "b", "f.table.5._": "1", "f.table.9.text": " "}
    )
    found = read(FIELDS, posted)
    assert [row["text"] for row in found.values["table"]] == [None, "b"]
    assert found.wrong == {"table.0.integer": "请填整数，例如 12"}
    assert found.typed == {"table.0.integer": "x"}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("money", "1,234.5", 123_450), ("money", "￥5", None), ("money", "-3", -300), ("integer", "1,000", 1000),
        ("integer", "1.5", None), ("integer", "٣", None), ("integer", "9" * 30, None), ("yes_no", "maybe", None),
        ("catalogue", "A02 激光打印机", "A02"), ("indicator", "1e5", None),
    ],
)  # fmt: skip
def test_what_people_type(kind: str, text: str, value: object) -> None:
    found = read(COLUMNS, MultiDict({f"f.{kind}": text}))
    assert found.values[kind] == value
    assert bool(found.wrong) == (value is None and kind != "yes_no")


def test_a_table_too_long_for_the_page_stays_as_it_is_stored() -> None:
    stored = {"table": [{"text": "a"}] * 300}
    found = read(FIELDS, MultiDict({"f.table._": "kept", "f.table.0.text": "b"}), stored)
    assert found.values["table"] == stored["table"]


def test_what_is_worked_out_is_not_read() -> None:
    fields = (Field("total", "合计", FieldType.MONEY, computed="1"),)
    assert read(fields, MultiDict({"f.total": "5"})).values == {}

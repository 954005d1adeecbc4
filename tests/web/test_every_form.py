"""The generated page of every kind of every region: each field is there, is named, and reads back what it shows."""

import re
from dataclasses import replace
from typing import Any

from flask import Flask
from werkzeug.datastructures import MultiDict

from core.domain.accounts import Account
from core.domain.forms import Field, FieldType
from core.domain.process import Process
from core.service import entering, filling
from core.service.filling import Filling
from core.service.system import System
from web import form_shown
from web.form_input import read
from web.form_page import build

SAMPLES: dict[FieldType, Any] = {
    FieldType.TEXT: "<b>文字", FieldType.LONG_TEXT: "两行\n文字", FieldType.INTEGER: 3, FieldType.MONEY: 1_050,
    FieldType.DATE: "2026-03-31", FieldType.YES_NO: True, FieldType.CATALOGUE: "A02021003", FieldType.UNIT: "AG0001",
    FieldType.INDICATOR: 1, FieldType.DOCUMENT: "JH-150299-2026-000001",
    FieldType.FILE: {"sha256": "0" * 64, "name": "a.pdf"},
}  # fmt: skip


def sample(item: Field) -> Any:
    if item.type is FieldType.TABLE:
        return [{column.id: sample(column) for column in item.fields} for _ in range(2)]
    if item.type is FieldType.CHOICE:
        return item.options[0].value if item.options else "x"
    if item.type is FieldType.CHOICES:
        return [option.value for option in item.options[:2]]
    return SAMPLES[item.type]


def fill(system: System, actor: Account, process: Process, values: dict[str, Any]) -> Filling:
    """With every field open, also those that the first node locks (of these: `test_locked_fields`)."""
    draft = entering.blank(process, actor.unit, actor.id, None, system.clock())
    with system.database.read() as tx:
        return replace(filling._filling(system, tx, actor, draft, process, values, None), locked=frozenset())


def drawn(app: Flask, found: Filling) -> str:
    page = build(found, None, found_catalogue(app))
    with app.test_request_context():
        macros: Any = app.jinja_env.get_template("_field.html").module
        return "".join(
            macros.table(box, loud=True)
            if box.field.type is FieldType.TABLE
            else macros.field(box, loud=True)
            for box in page.boxes
        )


def found_catalogue(app: Flask) -> Any:
    return app.extensions["caigou"].system.catalogue


def test_every_field_of_every_form_is_drawn(system: System, app: Flask, actor: Account) -> None:
    for process in system.processes.all():
        html = drawn(app, fill(system, actor, process, {}))
        place = f"{process.region}/{process.kind}/{process.variant}"
        paths = set(re.findall(r'data-path="([^"]+)"', html))
        for item in process.form.fields:
            assert item.id in paths, place
            for column in item.fields:
                assert f"{item.id}.__.{column.id}" in paths, f"{place} {column.id}"
        live = re.sub(r"<template>.*?</template>", "", html, flags=re.DOTALL)
        ids = re.findall(r' id="([^"]+)"', live)
        assert len(ids) == len(set(ids)), place
        for named in re.findall(r'aria-describedby="([^"]+)"', live):
            assert set(named.split()) <= set(ids), place
        assert set(re.findall(r' for="([^"]+)"', live)) <= set(ids), place


def test_what_every_form_shows_is_read_back(system: System, app: Flask, actor: Account) -> None:
    for process in system.processes.all():
        values = {item.id: sample(item) for item in process.form.fields if not item.computed}
        found = fill(system, actor, process, values)
        html = re.sub(r"<template>.*?</template>", "", drawn(app, found), flags=re.DOTALL)
        assert "<b>文字" not in html
        again = read(process.form.fields, MultiDict(posted(html)), empty_rows=True)
        assert again.wrong == {}, process.kind
        for item in process.form.fields:
            if not item.computed:
                asked = {column.id for column in item.fields if not column.computed}
                shown, sent = found.values.get(item.id), again.values[item.id]
                assert plain(sent, asked) == plain(shown, asked), f"{process.region}/{process.kind}/{item.id}"


def plain(value: Any, asked: set[str]) -> Any:
    """Without what is worked out, which no form sends."""
    if asked:
        return [{name: row.get(name) or None for name in asked} for row in value]
    return value or None


def posted(html: str) -> list[tuple[str, str]]:
    """What a browser would send of this page."""
    from html import unescape

    found = []
    for tag in re.findall(r"<input[^>]*>", html, re.DOTALL):
        name, value = (re.search(rf'{key}="([^"]*)"', tag) for key in (r"\sname", r"\svalue"))
        kind = re.search(r'type="(\w+)"', tag)
        if name and (
            not kind or kind[1] not in {"radio", "checkbox", "file"} or re.search(r"\schecked", tag)
        ):
            found.append((name[1], unescape(value[1]) if value else ""))
    for name, inner in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        found.append((name, unescape(chosen[1]) if chosen else ""))
    for name, inner in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', html, re.DOTALL):
        found.append((name, unescape(inner)))
    return found


def test_every_form_can_be_read(system: System, actor: Account) -> None:
    for process in system.processes.all():
        values = {item.id: sample(item) for item in process.form.fields}
        found = fill(system, actor, process, values)
        words = form_shown.Words(system.catalogue, {})
        shown = form_shown.shown(process.form.fields, found.values, words)
        assert [one.label for one in shown] == [item.label for item in process.form.fields]
        assert not any(pair.differs for pair in form_shown.pairs(shown, shown))

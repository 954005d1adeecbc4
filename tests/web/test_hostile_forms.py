"""What no page would send: every field of every form missing, of a wrong type, too long, negative, of somebody else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from core.domain import form_state
from core.domain.accounts import Account
from core.domain.errors import InvalidError
from core.domain.process import Process
from core.service import entering, filling
from core.service.system import System
from tests.web.conftest import HANDLER, OFFICE, OTHER, Browser, account_of
from tests.web.test_every_form import drawn
from web import form_shown
from web.form_input import read
from web.form_page import build

HOSTILE: tuple[Any, ...] = (
    None, "", 0, -1, -(10**20), 10**30, 1.5, float("nan"), float("inf"), True, [], {}, [[]], [None], [{}], {"a": {}},
    "x" * 100_000, "\x00", "a\ud800b", "=1+1", "1e309", "١٢", "２", "2026-02-30", "9999-12-31", "0000-00-00",
    {"sha256": "../../etc/passwd", "name": "\x00"}, {"sha256": 5}, [{"indicator": 10**30, "amount_fen": -5}], ["x"] * 50,
)  # fmt: skip
TYPED = (
    "",
    "-1",
    "1" * 400,
    "1e309",
    "NaN",
    "٣",
    "\x00",
    "a\ud800b",
    "=1+1",
    "1,2,3",
    "-",
    "¥",
    "x" * 20_000,
)


def every_form(system: System) -> Iterator[Process]:
    """Each kind of form once: regions and variants share most of them."""
    seen = set()
    for process in system.processes.all():
        known = tuple(
            (item.id, item.type, tuple(column.id for column in item.fields)) for item in process.form.fields
        )
        if known not in seen:
            seen.add(known)
            yield process


def test_no_value_breaks_a_form(system: System, app: Flask, actor: Account) -> None:
    """Judged, drawn to be changed and drawn to be read, with each field and each column as bad as can be."""
    words = form_shown.Words(system.catalogue, {})
    for process in every_form(system):
        draft = entering.blank(process, actor.unit, actor.id, None, system.clock())
        with system.database.read() as tx:
            for bad in HOSTILE:
                every = {item.id: bad for item in process.form.fields}
                rows = {
                    t.id: [{column.id: bad for column in t.fields}] for t in process.form.fields if t.fields
                }
                for values in (every, {**every, **rows}):
                    if form_state.unwritable(values):
                        with pytest.raises(InvalidError):
                            filling._filling(system, tx, actor, draft, process, values, None)
                        continue
                    found = filling._filling(system, tx, actor, draft, process, values, None)
                    assert build(found, None, system.catalogue).plain()
                    assert form_shown.shown(process.form.fields, found.values, words)


def test_what_is_hostile_is_drawn_and_escaped(system: System, app: Flask, actor: Account) -> None:
    process = system.processes.current("neimenggu", "plan", "mall")
    draft = entering.blank(process, actor.unit, actor.id, None, system.clock())
    with system.database.read() as tx:
        for item in process.form.fields:
            for bad in HOSTILE:
                if form_state.unwritable(bad):
                    continue
                found = filling._filling(system, tx, actor, draft, process, {item.id: bad}, None)
                assert f'data-path="{item.id}"' in drawn(app, found)


def test_no_typed_text_breaks_reading(system: System) -> None:
    for process in system.processes.all():
        for item in process.form.fields:
            names = [
                f"f.{item.id}",
                f"f.{item.id}.0",
                f"f.{item.id}.0._",
                f"f.{item.id}.x.y",
                f"f.{item.id}.sha256",
            ]
            names += [f"f.{item.id}.0.{column.id}" for column in item.fields]
            for name in names:
                for text in TYPED:
                    result = read(process.form.fields, MultiDict([(name, text), (f"{name}.deeper", text)]))
                    assert all(isinstance(sentence, str) for sentence in result.wrong.values())


@pytest.mark.parametrize("bad", ["\x00", "\ud800", "\x1b", "a" * 5000, "９" * 30])
def test_broken_text_is_refused_on_every_surface(app: Flask, browse: Any, bearer: Any, bad: str) -> None:
    """JSON, query, form and chat: said as a mistake, never an error of ours."""
    client, headers, browser = app.test_client(), bearer(HANDLER), browse(HANDLER)
    form = {"name": bad, "lines": [{"name": bad, "quantity": bad}], bad[:50]: 1}
    for path, body in (
        ("/api/v1/documents", {"variant": "mall", "form": form}),
        ("/api/v1/documents", {"variant": bad[:20], "form": {}, "parent": bad[:20]}),
        ("/api/v1/kinds/plan/mall/preview", {"form": form}),
        ("/api/v1/chat", {"text": bad, "key": "k" * 12}),
        ("/api/v1/sessions", {"login": bad, "password": bad}),
    ):
        sent_json = client.post(path, data=json.dumps(body), content_type="application/json", headers=headers)
        assert sent_json.status_code < 500, path
    for path in ("/documents", "/todo", "/budgets", "/catalogue/options", "/documents/new/plan/mall/above"):
        for name in ("q", "text", "kind", "node", "since", "least", "before", "under", "variant"):
            shown = browser.client.get(path, query_string={name: bad.encode("utf-8", "surrogatepass")})
            assert shown.status_code < 500, (path, name)
    fields = {**browser.form("/documents/new/plan/mall"), "f.name": bad, "f.lines.0.name": bad, "key": bad}
    sent = {name: text.encode("utf-8", "surrogatepass") for name, text in fields.items()}
    assert browser.client.post("/documents/new/plan/mall", data=sent).status_code in {303, 422}
    said = {**browser.form("/", "/chat"), "text": bad}
    said_bytes = {name: text.encode("utf-8", "surrogatepass") for name, text in said.items()}
    assert browser.client.post("/chat", data=said_bytes).status_code < 500


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, "9" * 4400])
def test_no_number_is_too_big(browse: Any, bearer: Any, app: Flask, number: int | str) -> None:
    browser, client = browse(HANDLER), app.test_client()
    paths = [
        f"/indicators/{number}", f"/documents?before={number}", f"/todo?before={number}",
        f"/documents/JH-150299-2026-000001/versions/{number}?with={number}",
    ]  # fmt: skip
    assert {browser.get(path).status_code for path in paths} <= {200, 404}
    for path in ("indicators/{}/movements", "repairs/{}", "documents?before={}", "staff?unit={}"):
        answer = client.get(f"/api/v1/{path.format(number)}", headers=bearer(HANDLER))
        assert answer.status_code < 500, path
    token = browser.form("/", "/chat")["csrf_token"]
    for path, fields in (
        ("/news", {"cursor": number, "known": number, "waiting": number}),
        ("/feedback", {"conversation": "x", "seq": number, "good": 1}),
        (f"/documents/views/{number}/delete", {}),
        (f"/repairs/{number}", {"version": number, "key": "k" * 12}),
        ("/notices/seen", {"id": number}),
        ("/todo/batch", {"pick": f"JH-150299-2026-000001:{number}", "action": "submit", "key": "k" * 12}),
        ("/documents/JH-150299-2026-000001/figures", {"version": number, "key": "k" * 12}),
        ("/account/acting", {"deputy": number}),
        ("/documents/new/plan/mall", {"do": f"remove:lines.{number}", "f.lines.0._": 1}),
    ):
        assert browser.post(path, {"csrf_token": token, **fields}).status_code < 500, path


def test_money_documents_and_units_of_others_are_refused(
    system: System, browse: Any, app: Flask, bearer: Any
) -> None:
    with system.database.read() as tx:
        other = account_of(system, OTHER).unit
        foreign = tx.ledger.indicators(other.id)[0].id
    line = {"catalogue": "A02021003", "name": "激光打印机", "quantity": 1, "unit_price_fen": 100}
    form = {"name": "激光打印机", "lines": [line], "funding": [{"indicator": foreign, "amount_fen": 100}]}
    made = app.test_client().post(
        "/api/v1/documents", json={"variant": "mall", "form": form}, headers=bearer(HANDLER)
    ).get_json()  # fmt: skip
    assert any(path.startswith("funding") for path in made["form_errors"]), made["form_errors"]
    number = made["summary"]["number"]
    for who in (OTHER, OFFICE):
        for path in (f"/documents/{number}", f"/documents/{number}/edit", f"/documents/{number}/goals/void"):
            assert browse(who).get(path).status_code in {403, 404}, path
    taken = app.test_client().post(
        "/api/v1/documents", json={"kind": "contract", "variant": "contract", "form": {}, "parent": number}, headers=bearer(OTHER)
    )  # fmt: skip
    assert taken.status_code in {404, 409}


def test_pages_answer_a_form_without_its_frame(browse: Any) -> None:
    browser: Browser = browse(HANDLER)
    token = browser.form("/", "/chat")["csrf_token"]
    for path in (
        "/documents/new/plan/mall",
        "/documents/new/nothing/x",
        "/todo/batch",
        "/documents/views",
        "/attachments",
    ):
        assert browser.post(path, {"csrf_token": token}).status_code in {303, 404, 422}, path
    assert browser.post("/documents/new/plan/mall", {}).status_code == 400

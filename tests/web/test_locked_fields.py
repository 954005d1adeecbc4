"""Where a step lets only some fields be changed: those first, the others folded up and in words, never as codes."""

from dataclasses import replace

from flask import Flask

from core.domain import form_state
from core.domain.accounts import Account
from core.service.flow import stays
from core.service.system import System
from tests.web.test_every_form import drawn, fill, found_catalogue, sample
from web.form_page import build
from web.words import span


def test_what_stays_is_shown_in_words(system: System, app: Flask, actor: Account) -> None:
    process = system.processes.current("fujian", "contract", "contract")
    values = {item.id: sample(item) for item in process.form.fields if not item.computed}
    values["supplier_size"] = next(f for f in process.form.fields if f.id == "supplier_size").options[0].value
    found = replace(
        fill(system, actor, process, values),
        number="HT-1",
        locked=form_state.locked(process, "account_change"),
    )
    page = build(found, None, found_catalogue(app))
    free = {box.path for boxes in page.sections for box in boxes}
    assert free == {"payees", "account_reason", "account_statement"}
    locked = {box.path: box for boxes in page.locked for box in boxes}
    assert locked.keys() == {item.id for item in process.form.fields} - free
    size = next(f for f in process.form.fields if f.id == "supplier_size").options[0]
    assert (locked["supplier_size"].words, size.value == size.label) == (size.label, False)
    line = {box.field.id: box.words for box in locked["lines"].rows[0]}
    assert line["catalogue"].endswith("（A02021003）")
    assert line["unit_price_fen"] == "10.50"
    assert "{'sha256'" not in drawn(app, found)


def test_a_new_page_has_no_empty_locked_fields(system: System, app: Flask, actor: Account) -> None:
    process = system.processes.current("fujian", "project", "project")
    found = replace(fill(system, actor, process, {}), locked=form_state.locked(process, process.start))
    page = build(found, None, found_catalogue(app))
    assert {"name", "lines", "funding"} <= {box.path for boxes in page.sections for box in boxes}
    assert all(box.hidden for boxes in page.locked for box in boxes)


def test_time_spent_is_counted_at_each_node(system: System, actor: Account) -> None:
    from core.service import documents, flow

    plan = documents.listing(system, actor, kind="plan")[0].number
    view, found = documents.get(system, actor, plan), flow.flow(system, actor, plan)
    now = system.clock()
    spent = stays(view.history, now)
    assert sum(spent.values()) <= (now - view.history[0].at).total_seconds()
    assert {node.id for node in found.nodes if node.spent_s} <= spent.keys()
    assert [span(s) for s in (20, 60, 3_700, 90_000, 180_000)] == [
        "不到 1 分钟", "1 分钟", "1 小时 1 分钟", "1 天 1 小时", "2 天 2 小时",
    ]  # fmt: skip

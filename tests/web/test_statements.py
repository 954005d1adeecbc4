"""Statements on pages and as spreadsheets."""

import io
from collections.abc import Callable

from flask import Flask
from openpyxl import load_workbook

from core.service import documents, ledger
from core.service.system import System
from tests.web.conftest import HANDLER, OTHER, Browser, account_of


def test_an_indicators_and_a_documents_statement(
    system: System, browse: Callable[[str], Browser], number: Callable[[str], str]
) -> None:
    browser, document = browse(HANDLER), number("服务器")
    actor = account_of(system, HANDLER)
    item = next(one for one in ledger.indicators(system, actor) if one.frozen_fen or one.used_fen)
    page = browser.get(f"/indicators/{item.id}").text
    assert "期初" in page
    assert f"/indicators/{item.id}.xlsx" in page
    money = f"/documents/{document}/money"
    assert money in browser.get(f"/documents/{document}").text
    assert "冻结" in browser.get(money).text
    for address, wanted in ((f"/indicators/{item.id}.xlsx", "期初"), (f"{money}.xlsx", "冻结")):
        answer = browser.get(address)
        assert answer.status_code == 200
        cells = [cell for row in load_workbook(io.BytesIO(answer.data)).active.iter_rows() for cell in row]
        assert wanted in {cell.value for cell in cells}
        assert not [cell for cell in cells if cell.data_type == "f"], "nothing is a formula"
    for address in (money, f"{money}.xlsx", f"/indicators/{item.id}.xlsx"):
        assert browse(OTHER).get(address).status_code == 404
    with system.database.read() as tx:
        plan = documents.get(system, actor, number("培训服务")).document
        account = tx.ledger.account_of(plan.id)
    assert account, "a filed plan has an account of its own, which is no indicator"
    for address in (f"/indicators/{account.id}", f"/indicators/{account.id}.xlsx"):
        assert browser.get(address).status_code == 404, address


def test_a_documents_statement_through_the_api(
    system: System, app: Flask, bearer: Callable[[str], dict[str, str]], number: Callable[[str], str]
) -> None:
    document, client = number("服务器"), app.test_client()
    address = f"/api/v1/documents/{document}/movements"
    actor = account_of(system, HANDLER)
    answer = client.get(address, headers=bearer(HANDLER))
    assert answer.status_code == 200, answer.text
    found = [
        (one["code"], [line["amount_fen"] for line in one["items"]]) for one in answer.get_json()["items"]
    ]
    wanted = [
        (one.indicator.code, [line.amount_fen for line in one.lines])
        for one in ledger.of_document(system, actor, document)
    ]
    assert found == wanted != []
    assert client.get(address, headers=bearer(OTHER)).status_code == 404

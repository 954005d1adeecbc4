"""A contract under change on its page: only what the step asks for is open, the rest in words; both versions compared."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.core.fujian_money.stage import Stage
from tests.core.fujian_money.test_web import app, browse
from tests.web.conftest import Browser

__all__ = ["app", "browse"]  # fixtures


@pytest.mark.covers("fj-5.1.5")
def test_what_a_step_locks_is_apart_and_versions_show_what_differs(
    stage: Stage, app: Flask, browse: Callable[[str], Browser]
) -> None:
    stage.plan()
    stage.contract("contract", 4)
    stage.acts("contract", "change_account")
    number, browser = stage.document("contract").number, browse("handler")
    edit = browser.get(f"/documents/{number}/edit").text
    open_, _, fixed = edit.partition("这一步不能改的内容")
    assert 'name="f.account_reason"' in open_
    assert 'name="f.name"' not in edit
    assert "小型企业" in fixed
    with stage.system.database.read() as tx:
        kept = tx.documents.forms(stage.document("contract").id)[0].seq
    same = browser.get(f"/documents/{number}/versions/{kept}").text
    assert "完全一样" in same
    fields = {
        **browser.form(f"/documents/{number}/edit", None), "f.account_reason": "开户行并入别的银行",
        "f.payees.0._": "1", "f.payees.0.name": "示范供应商", "f.payees.0.bank": "新银行", "f.payees.0.account": "62001",
    }  # fmt: skip
    assert browser.post(f"/documents/{number}/edit", fields).status_code == 303
    page = browser.get(f"/documents/{number}/versions/{kept}").text
    assert "开户行并入别的银行" in page
    assert page.count('class="differs"') >= 2
    assert "没有变的" in page

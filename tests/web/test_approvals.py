"""Deciding together on the pages and through the API: each account sees and does what is its own."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from core.service import acts, documents
from core.service.system import System
from tests.web.conftest import HANDLER, OFFICE, OTHER, Browser, account_of

OFFICE_SECOND = "150299CZJK0102"
REVIEWS = ("15029910100102", "15029910100001")


@pytest.fixture
def here(system: System, number: Callable[[str], str]) -> str:
    """A plan that waits for the 业务科室初审."""
    found = number("空调机")
    for login in REVIEWS:
        actor = account_of(system, login)
        document = documents.get(system, actor, found).document
        if document.node != "office_first":
            acts.perform(
                system, actor, found, "pass", version=document.version, arguments={}, key=f"go-{login}"
            )
    assert documents.get(system, account_of(system, OFFICE), found).document.node == "office_first"
    return found


def choice(page: str, name: str) -> str:
    """Value of the option that names this person, in the first form that offers it."""
    found = re.search(rf'<option value="(\d+)"[^>]*>{name}', page)
    assert found, page
    return found[1]


def test_an_opinion_is_asked_and_given_on_the_page(
    system: System, here: str, browse: Callable[[str], Browser]
) -> None:
    second = account_of(system, OFFICE_SECOND)
    office, other = browse(OFFICE), browse(OFFICE_SECOND)
    path = f"/documents/{here}"
    page = office.get(path).text
    offered = re.findall(r"<summary>(\S+?)</summary>", page)
    assert [one for one in offered if one in {"转办", "委派", "前加签", "后加签"}] == [
        "委派",
        "前加签",
        "后加签",
    ]
    fields = {
        **office.form(path, f"{path}/assignments"), "kind": "opinion", "to": choice(page, second.name), "note": "",
    }  # fmt: skip
    assert office.post(f"{path}/assignments", {**fields, "to": ""}).status_code == 422
    sent = office.post(f"{path}/assignments", fields)
    assert sent.status_code == 422
    assert "请填理由" in sent.text
    assert office.post(f"{path}/assignments", {**fields, "note": "参数合适吗"}).status_code == 303
    page = office.get(path).text
    assert "收回委派" in page
    assert f"等 {second.label} 办理" in page
    asked = other.get(path).text
    assert "轮到您办理" in asked
    (line,) = [one for one in other.get("/todo").text.split("<li") if f'href="{path}"' in one]
    assert "轮到您办理" in line  # a list, too, knows whom a task was given to by name
    assert "参数合适吗" in asked
    found = re.search(rf"{path}/assignments/\d+/answer", asked)
    assert found
    fields = other.form(path, found[0])
    assert other.post(found[0], {**fields, "agrees": "no", "note": ""}).status_code == 422
    assert other.post(found[0], {**fields, "agrees": "yes", "note": "合适"}).status_code == 303
    assert "轮到您办理" in office.get(path).text
    assert (
        other.post(found[0], {**fields, "agrees": "yes", "note": "再说一次", "key": "k" * 12}).status_code
        == 409
    )


def test_a_signer_is_added_and_removed_through_the_api(
    app: Flask, bearer: Callable[[str], dict[str, str]], here: str
) -> None:
    client = app.test_client()
    mine, theirs = bearer(OFFICE), bearer(OFFICE_SECOND)
    at = f"/api/v1/documents/{here}"
    decision = client.get(f"{at}/decision", headers=mine).get_json()
    (gift,) = [one for one in decision["gifts"] if one["kind"] == "after"]
    given = {"kind": "after", "to": gift["to"][0][0], "note": "请复核", "version": decision["version"]}
    made = client.post(f"{at}/assignments", json=given, headers=mine)
    assert made.status_code == 200, made.text
    assert made.get_json()["document"]["node"] == "office_first"
    decision = client.get(f"{at}/decision", headers=mine).get_json()
    (line,) = decision["lines"]
    assert (line["state"], line["back"]) == ("later", "减签")
    version = {"version": decision["version"]}
    path = f"{at}/assignments/{line['id']}"
    early = client.post(f"{path}/answer", json={"agrees": True, **version}, headers=theirs)
    assert (early.status_code, early.get_json()["code"]) == (404, "not_found")
    refused = client.post(f"{path}/back", json=version, headers=theirs)
    assert refused.status_code == 403
    assert client.post(f"{path}/back", json=version, headers=mine).status_code == 200
    stale = client.post(f"{at}/assignments", json=given, headers=mine)
    assert (stale.status_code, stale.get_json()["code"]) == (409, "moved")


def test_bad_input_and_strangers(app: Flask, bearer: Callable[[str], dict[str, str]], here: str) -> None:
    client = app.test_client()
    mine, stranger, author = bearer(OFFICE), bearer(OTHER), bearer(HANDLER)
    at = f"/api/v1/documents/{here}"
    version = client.get(f"{at}/decision", headers=mine).get_json()["version"]
    good = {"kind": "before", "to": 1, "note": "x", "version": version}
    for wrong in (
        {"kind": "vote"},
        {"to": 0},
        {"to": 2**63},
        {"note": ""},
        {"note": "长" * 501},
        {"more": 1},
    ):
        answer = client.post(f"{at}/assignments", json={**good, **wrong}, headers=mine)
        assert answer.status_code == 422, wrong
        assert set(answer.get_json()["fields"]) == set(wrong)
    assert client.post(f"{at}/assignments", json=good, headers=mine).get_json()["fields"].keys() == {"to"}
    assert client.get(f"{at}/decision", headers=stranger).status_code == 404
    assert client.get(f"{at}/decision", headers=author).get_json()["gifts"] == []
    assert client.post(f"{at}/assignments", json=good, headers=author).status_code == 403

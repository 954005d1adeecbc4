import json
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import demo
from tests.web.conftest import HANDLER, OTHER, REVIEWER

LINE = {
    "catalogue": "A02021003",
    "name": "激光打印机",
    "quantity": 2,
    "unit": "台",
    "unit_price_fen": 180_000,
    "requirement": "双面",
}
FORM = {
    "name": "激光打印机",
    "lines": [LINE],
    "funding": [{"indicator": 2, "amount_fen": 360_000}],
    "implementation": "网上竞价",
}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def rooms(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value
            else:
                yield from rooms(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from rooms(item)


def test_the_description_covers_every_endpoint(app: Flask, client: FlaskClient) -> None:
    described = client.get("/api/openapi.json").get_json()
    assert described["openapi"].startswith("3.")
    paths = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    plain = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path) for path in paths}
    assert plain == set(described["paths"])
    for ref in rooms(described["paths"]):
        assert ref.split("/")[-1] in described["components"]["schemas"], ref
    assert described["security"] == [{"bearer": []}]
    assert described["paths"]["/api/v1/sessions"]["post"]["security"] == []


@pytest.mark.parametrize("depth", [800, 900, 970, 100_000])
def test_what_is_nested_too_deeply_is_malformed(client: FlaskClient, depth: int) -> None:
    """Open to anyone; a parser that gives up is no fault of ours."""
    deep = '{"login": ' + "[" * depth + "]" * depth + "}"
    answer = client.post("/api/v1/sessions", data=deep, content_type="application/json")
    assert answer.status_code in (400, 422)


def test_a_session_of_a_program(client: FlaskClient) -> None:
    assert client.get("/api/v1/me").get_json()["code"] == "not_signed_in"
    opened = client.post("/api/v1/sessions", json={"login": HANDLER, "password": demo.PASSWORD})
    assert opened.status_code == 201
    assert "Set-Cookie" not in opened.headers
    headers = {"Authorization": f"Bearer {opened.get_json()['token']}"}
    me = client.get("/api/v1/me", headers=headers).get_json()
    assert (me["login"], me["role"]) == (HANDLER, "handler")
    assert client.delete("/api/v1/sessions", headers=headers).status_code == 204
    assert client.get("/api/v1/me", headers=headers).status_code == 401
    wrong = client.post("/api/v1/sessions", json={"login": HANDLER, "password": "no"})
    assert (wrong.status_code, wrong.get_json()["code"]) == (401, "wrong_password")


def test_a_plan_from_entry_to_review(client: FlaskClient, bearer: Callable[[str], dict[str, str]]) -> None:
    headers = {**bearer(HANDLER), "Idempotency-Key": "create-0001"}
    made = client.post("/api/v1/documents", json={"variant": "mall", "form": FORM}, headers=headers)
    assert made.status_code == 201, made.text
    again = client.post("/api/v1/documents", json={"variant": "mall", "form": FORM}, headers=headers)
    number = made.get_json()["summary"]["number"]
    assert again.get_json()["summary"]["number"] == number
    saved = client.put(
        f"/api/v1/documents/{number}",
        json={"form": {**FORM, "need_by": "2026-12-31"}, "version": made.get_json()["summary"]["version"]},
        headers=bearer(HANDLER),
    )
    assert saved.status_code == 200, saved.text
    offers = client.get(f"/api/v1/documents/{number}/offers", headers=bearer(HANDLER)).get_json()
    assert "submit" in {offer["action"] for offer in offers["items"]}
    act = {"action": "submit", "version": offers["version"]}
    headers = {**bearer(HANDLER), "Idempotency-Key": "submit-0001"}
    sent = client.post(f"/api/v1/documents/{number}/acts", json=act, headers=headers).get_json()
    assert (sent["document"]["node"], sent["repeated"]) == ("unit_second", False)
    once_more = client.post(f"/api/v1/documents/{number}/acts", json=act, headers=headers).get_json()
    assert once_more["repeated"] is True
    stale = client.post(f"/api/v1/documents/{number}/acts", json=act, headers=bearer(HANDLER))
    assert stale.status_code in {403, 409}
    drawn = client.get(f"/api/v1/documents/{number}/flow", headers=bearer(HANDLER)).get_json()
    assert [node["id"] for node in drawn["nodes"] if node["state"] == "current"] == ["unit_second"]
    todo = client.get("/api/v1/todo", headers=bearer(REVIEWER)).get_json()
    assert number in {item["number"] for item in todo["documents"]}


def test_mistakes_are_named_field_by_field(
    client: FlaskClient, bearer: Callable[[str], dict[str, str]]
) -> None:
    form = {**FORM, "lines": [{**LINE, "quantity": "many", "colour": "red"}], "extra": 1}
    answer = client.post("/api/v1/documents", json={"variant": "mall", "form": form}, headers=bearer(HANDLER))
    assert answer.status_code == 201, answer.text
    errors = answer.get_json()["form_errors"]
    assert errors["lines.0.quantity"] == "第 1 行：数量要填整数"
    assert {"lines.0.colour", "extra"} <= set(errors)
    draft = client.post(
        "/api/v1/documents", json={"variant": "mall", "form": {**FORM, "name": "x"}}, headers=bearer(HANDLER)
    )
    assert "name" in draft.get_json()["form_errors"]
    query = client.get("/api/v1/documents?limit=0&x=1", headers=bearer(HANDLER)).get_json()
    assert set(query["fields"]) == {"limit", "x"}


def test_kinds_say_what_a_form_holds(client: FlaskClient, bearer: Callable[[str], dict[str, str]]) -> None:
    told = client.get("/api/v1/kinds", headers=bearer(HANDLER)).get_json()
    kinds = {kind["kind"]: kind for kind in told["items"]}
    assert told["label"] == "内蒙古"
    mall = next(one for one in kinds["plan"]["variants"] if one["variant"] == "mall")
    assert mall["may_enter"]
    lines = next(field for field in mall["fields"] if field["id"] == "lines")
    assert {"catalogue", "quantity", "unit_price_fen", "total_fen"} <= {one["id"] for one in lines["fields"]}
    assert kinds["mall_order"]["alone"] is False
    assert kinds["mall_order"]["parents"][0]["kind"] == "plan"
    other = client.get("/api/v1/kinds", headers=bearer(REVIEWER)).get_json()["items"]
    plan = next(kind for kind in other if kind["kind"] == "plan")
    assert not any(one["may_enter"] for one in plan["variants"])


def test_a_form_is_judged_without_being_saved(
    client: FlaskClient, bearer: Callable[[str], dict[str, str]], number: Callable[[str], str]
) -> None:
    headers = bearer(HANDLER)
    form = {**FORM, "funding": [{"indicator": 2, "amount_fen": 1}]}
    told = client.post("/api/v1/kinds/plan/mall/preview", json={"form": form}, headers=headers).get_json()
    assert told["form"]["lines"][0]["total_fen"] == told["amount_fen"] == 360_000
    assert "funding" in told["form_errors"]
    assert "agency" in told["hidden"]
    assert "implementation" in told["required"]
    plan = number("办公椅")
    change = {"form": {**FORM, "name": "不在目录里"}}
    again = client.post(f"/api/v1/documents/{plan}/preview", json=change, headers=headers).get_json()
    assert "name" in again["form_errors"]
    shown = client.get(f"/api/v1/documents/{plan}", headers=headers).get_json()
    assert shown["form"]["name"] == "办公椅"
    foreign = client.post(f"/api/v1/documents/{plan}/preview", json=change, headers=bearer(OTHER))
    assert foreign.status_code == 404
    void = client.post("/api/v1/kinds/no/such/preview", json={"form": {}}, headers=headers)
    assert void.status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {"name": "a\x00b"}, {"name": "\ud800"}, {"lines": [[[[[[[[1]]]]]]]]}, {"\x00": 1}, {"lines": [{"name": "\x01"}]},
    ],
)  # fmt: skip
def test_what_no_database_keeps_is_refused(
    client: FlaskClient, bearer: Callable[[str], dict[str, str]], form: dict[str, object]
) -> None:
    given = json.dumps({"variant": "mall", "form": form})  # half characters travel escaped
    headers = {**bearer(HANDLER), "Content-Type": "application/json"}
    answer = client.post("/api/v1/documents", data=given, headers=headers)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "form",
    [
        {}, {"lines": "x"}, {"lines": [1, None, "x", {}]}, {"funding": [{"indicator": 10**30, "amount_fen": -1}]},
        {"name": 5, "agency": ["x"], "lines": {"a": 1}}, {"lines": [{"quantity": 10**40, "unit_price_fen": 1.5}]},
        {"need_by": True, "implementation": {"a": "b"}}, {"funding": [{"indicator": True}]}, {"extra": {"deep": [1]}},
    ],
)  # fmt: skip
def test_any_form_can_be_looked_at(
    client: FlaskClient, bearer: Callable[[str], dict[str, str]], form: dict[str, object]
) -> None:
    """Nothing that a program sends as a form breaks a page afterwards."""
    headers = bearer(HANDLER)
    given = {"variant": "mall", "form": form}
    made = client.post("/api/v1/documents", json=given, headers=headers)
    assert made.status_code in {201, 422}, made.text
    preview = client.post("/api/v1/kinds/plan/mall/preview", json={"form": form}, headers=headers)
    assert preview.status_code in {200, 422}
    if made.status_code == 201:
        number = made.get_json()["summary"]["number"]
        assert made.get_json()["form_errors"]
        client.post("/signin")
        for path in (f"/documents/{number}", f"/documents/{number}/edit", "/todo", "/documents"):
            assert client.get(path, headers=headers).status_code == 200, path


def test_lists_are_filtered(client: FlaskClient, bearer: Callable[[str], dict[str, str]]) -> None:
    headers = bearer(HANDLER)

    def titles(query: str) -> set[str]:
        items = client.get(f"/api/v1/documents?{query}", headers=headers).get_json()["items"]
        return {item["title"] for item in items}

    assert titles("least_fen=18000000&most_fen=18000000") == {"学校食堂设备"}
    assert titles("folder=mine&q=激光") == {"激光打印机"}
    assert titles("until=2020-01-01T00:00:00Z") == set()
    assert client.get("/api/v1/documents?folder=x", headers=headers).status_code == 422


def test_foreign_things_are_not_found(
    client: FlaskClient, bearer: Callable[[str], dict[str, str]], number: Callable[[str], str]
) -> None:
    plan, headers = number("激光打印机"), bearer(OTHER)
    for path in ("", "/flow", "/offers", "/plans-to/void", "/certificate"):
        assert client.get(f"/api/v1/documents/{plan}{path}", headers=headers).status_code == 404
    assert client.get("/api/v1/indicators/1/movements", headers=headers).status_code == 404
    assert client.get("/api/v1/repairs/99", headers=headers).status_code == 404


def test_lists_go_page_by_page(client: FlaskClient, bearer: Callable[[str], dict[str, str]]) -> None:
    headers, seen, before = bearer(HANDLER), [], ""
    while True:
        page = client.get(f"/api/v1/documents?kind=plan&limit=4{before}", headers=headers).get_json()
        seen += [item["number"] for item in page["items"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert len(seen) == len(set(seen)) == 11


@pytest.mark.covers("nm-2")
def test_a_way_is_shown_begun_and_taken(
    client: FlaskClient, bearer: Callable[[str], dict[str, str]], number: Callable[[str], str]
) -> None:
    plan = number("激光打印机")
    way = client.get(f"/api/v1/documents/{plan}/plans-to/editable", headers=bearer(HANDLER)).get_json()
    assert [step["action"] for step in way["steps"]] == ["withdraw", "return"]
    begin = {"goal": "editable", "fingerprint": way["fingerprint"]}
    repair = client.post(f"/api/v1/documents/{plan}/repairs", json=begin, headers=bearer(HANDLER))
    assert repair.status_code == 201, repair.text
    version = client.get(f"/api/v1/documents/{plan}", headers=bearer(HANDLER)).get_json()["summary"][
        "version"
    ]
    path = f"/api/v1/repairs/{repair.get_json()['id']}/advance"
    foreign = client.post(path, json={"version": version}, headers=bearer(OTHER))
    assert foreign.status_code in {403, 404}
    moved = client.post(path, json={"version": version}, headers=bearer(HANDLER)).get_json()
    assert moved["position"] == 1
    task = client.get("/api/v1/todo", headers=bearer(REVIEWER)).get_json()["tasks"][0]
    given = {"version": task["version"], "arguments": {"opinion": "请改"}}
    done = client.post(path, json=given, headers=bearer(REVIEWER)).get_json()
    assert done["state"] == "done"
    no_way = client.get(
        f"/api/v1/documents/{number('服务器')}/plans-to/editable", headers=bearer(HANDLER)
    ).get_json()
    assert (no_way["possible"], no_way["instead"]) == (False, "void")
    heard = client.get("/api/v1/notices", headers=bearer(HANDLER)).get_json()["items"]
    assert heard
    seen = {"ids": [item["id"] for item in heard]}
    assert client.post("/api/v1/notices/seen", json=seen, headers=bearer(HANDLER)).status_code == 204
    assert client.get("/api/v1/notices", headers=bearer(HANDLER)).get_json()["items"] == []


def test_the_conversation_is_the_same_as_on_the_page(
    client: FlaskClient, bearer: Callable[[str], dict[str, str]]
) -> None:
    headers = bearer(HANDLER)
    first = client.post(
        "/api/v1/chat", json={"text": "流程到哪里了", "key": "message-1"}, headers=headers
    ).get_json()
    card = first["replies"][0]["card"]
    assert card["type"] == "flow"
    assert {"id", "label", "lane", "state"} <= set(card["nodes"][0])
    again = client.post(
        "/api/v1/chat", json={"text": "流程到哪里了", "key": "message-1"}, headers=headers
    ).get_json()
    assert again == first
    more = {"conversation": first["conversation"], "text": "你好", "key": "message-2"}
    assert client.post("/api/v1/chat", json=more, headers=bearer(REVIEWER)).status_code == 404
    long = client.post("/api/v1/chat", json={"text": "长" * 1001, "key": "message-3"}, headers=headers)
    assert long.get_json()["fields"] == {"text": "太长了"}


def test_money_and_catalogue(client: FlaskClient, bearer: Callable[[str], dict[str, str]]) -> None:
    headers = bearer(HANDLER)
    for item in client.get("/api/v1/indicators", headers=headers).get_json()["items"]:
        assert item["available_fen"] == item["total_fen"] - item["frozen_fen"] - item["used_fen"]
        assert client.get(f"/api/v1/indicators/{item['id']}/movements", headers=headers).status_code == 200
    items = client.get("/api/v1/catalogue?q=打印机", headers=headers).get_json()["items"]
    assert "A02021003" in {item["code"] for item in items}


def test_signing(
    client: FlaskClient, bearer: Callable[[str], dict[str, str]], number: Callable[[str], str]
) -> None:
    headers, plan = bearer(HANDLER), number("服务器")
    answer = client.get("/api/v1/seals", headers=headers)
    if answer.status_code == 503:
        pytest.skip("SoftHSM is not installed")
    seal = answer.get_json()["items"][0]["serial"]
    version = client.get(f"/api/v1/documents/{plan}", headers=headers).get_json()["summary"]["version"]
    wrong = {"version": version, "seal": seal, "pin": "00000000"}
    refused = client.post(f"/api/v1/documents/{plan}/signature", json=wrong, headers=headers)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "pin_wrong")
    assert "00000000" not in refused.text
    signed = client.post(
        f"/api/v1/documents/{plan}/signature", json={**wrong, "pin": demo.PIN}, headers=headers
    )
    assert signed.status_code == 200, signed.text
    pdf = client.get(f"/api/v1/documents/{plan}/certificate", headers=headers)
    assert pdf.data.startswith(b"%PDF")

from collections.abc import Callable

import pytest
from flask import Flask
from structlog.testing import capture_logs

from core.domain import errors as domain
from tests.web.conftest import HANDLER, Browser
from web.errors import TABLE, status_and_title


def kinds() -> list[type[domain.DomainError]]:
    return [
        kind
        for kind in vars(domain).values()
        if isinstance(kind, type) and issubclass(kind, domain.DomainError)
    ]


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_of_error_has_its_row(kind: type[domain.DomainError]) -> None:
    assert kind in TABLE
    error = kind(["x:1: y"]) if kind is domain.DataError else kind("x")
    assert 400 <= status_and_title(error)[0] < 600


def test_a_code_goes_before_the_class() -> None:
    assert status_and_title(domain.AuthenticationError("x", code="locked"))[0] == 423


def test_problem_details(app: Flask, bearer: Callable[[str], dict[str, str]]) -> None:
    answer = app.test_client().get("/api/v1/documents/JH-1", headers=bearer(HANDLER))
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert body["code"] == "not_found"
    assert "JH-1" in body["detail"]
    assert set(body) >= {"type", "title", "status", "fields", "instance"}


def test_a_person_gets_a_page_in_chinese(browse: Callable[[str], Browser]) -> None:
    answer = browse(HANDLER).get("/documents/JH-1")
    assert answer.status_code == 404
    assert "没有找到编号为“JH-1”的单据" in answer.text
    unknown = browse(HANDLER).get("/nowhere")
    assert unknown.status_code == 404
    assert "这个地址没有页面" in unknown.text
    assert "Not Found" not in unknown.text


def test_htmx_gets_a_fragment(browse: Callable[[str], Browser]) -> None:
    answer = browse(HANDLER).get("/documents/JH-1", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert "<html" not in answer.text
    assert 'role="alert"' in answer.text


def test_what_nobody_expected_stays_inside(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    fields = {**browser.form("/", "/chat"), "text": "炸"}
    with capture_logs() as logs:
        answer = browser.post("/chat", fields)
    assert answer.status_code == 500
    assert "secret internals" not in answer.text
    assert "Traceback" not in answer.text
    assert logs[-1]["reference"] in answer.text
    assert "没有保存任何东西" in answer.text


def test_methods_and_media_types_are_refused_in_words(
    app: Flask, bearer: Callable[[str], dict[str, str]]
) -> None:
    client = app.test_client()
    assert client.delete("/api/v1/me", headers=bearer(HANDLER)).get_json()["code"] == "method_not_allowed"
    answer = client.post("/api/v1/chat", data="text", headers=bearer(HANDLER))
    assert answer.get_json()["code"] == "bad_request"
    broken = client.post("/api/v1/chat", data="{", content_type="application/json", headers=bearer(HANDLER))
    assert broken.status_code == 422
    assert broken.get_json()["fields"]["text"] == "必填"


def test_too_much_is_refused(browse: Callable[[str], Browser]) -> None:
    answer = browse(HANDLER).post("/chat", {"text": "长" * 3_000_000})
    assert answer.status_code == 413
    assert "内容太大" in answer.text

from pathlib import Path

from flask import Flask

from core.service.system import System
from core.settings import Settings
from tests.web.echo import EchoTalk
from web import readiness
from web.app import create_app
from web.parts import Parts


def build(system: System, parts: Parts) -> Flask:
    url = str(system.database.engine.url)  # type: ignore[attr-defined]
    settings = Settings(var=Path("unused"), database_url=url)
    return create_app(system, parts, secret_key=b"k" * 32, checks=readiness.checks(system, settings, parts))


def test_alive_and_ready(system: System) -> None:
    client = build(system, Parts(talk=EchoTalk(system))).test_client()
    assert client.get("/healthz").text == "ok\n"
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.get_json() == {
        "ready": True,
        "checks": {"database": True, "migrations": True, "knowledge": True},
    }


def test_not_ready_without_knowledge_or_newest_tables(system: System) -> None:
    client = build(system, Parts()).test_client()
    assert client.get("/readyz").get_json()["checks"]["knowledge"] is False
    with system.database.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["migrations"] is False
    assert "older" not in answer.text


def test_requests_are_counted_by_route_and_not_by_address(app: Flask) -> None:
    client = app.test_client()
    for name in ("a", "b", "c"):
        client.get(f"/documents/{name}")
    measured = client.get("/metrics").text
    assert 'http_requests_total{method="GET",route="/documents/<number>",status="302"} 3.0' in measured
    assert "/documents/a" not in measured
    assert 'http_request_seconds_count{route="/documents/<number>"} 3.0' in measured

"""/api/v1/feed: for anyone, page by page, each notice once."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from core.adapters.publication_store import publication
from core.adapters.tables import document
from core.domain.publishing import Content, Table
from core.service.publication_ports import Publication
from web.parts import system


@pytest.fixture
def published(app: Flask) -> list[str]:
    """Addresses of five more notices."""
    with app.app_context():
        running = system()
    with running.database.engine.connect() as connection:
        number = connection.execute(select(document.c.id).limit(1)).scalar_one()
        known = connection.execute(select(publication.c.address)).scalars().all()
    fresh = [f"FEED-{len(known)}-{index}" for index in range(5)]
    content = Content((("项目名称", "=1+1"),), (Table("清单", ("名称",), (("打印机",),)),))
    for address in fresh:
        with running.database.write() as tx:
            tx.publications.add(
                number,
                Publication(
                    address, "neimenggu", "JH-1", "公告", "打印机", "示范单位", content, datetime.now(UTC)
                ),
            )
    return fresh


def test_a_program_follows_it_without_a_session(app: Flask, published: list[str]) -> None:
    client, after, seen = app.test_client(), 0, []
    while True:
        page = client.get(f"/api/v1/feed?after={after}&limit=2").get_json()
        seen += page["items"]
        after = page["next"]
        if not page["more"]:
            break
    assert [item["address"] for item in seen][-5:] == published
    assert [item["seq"] for item in seen] == list(range(1, len(seen) + 1))
    last = seen[-1]
    assert last["lines"] == [["项目名称", "=1+1"]]
    assert last["tables"] == [{"label": "清单", "header": ["名称"], "rows": [["打印机"]]}]
    assert client.get(last["url"]).status_code == 200
    assert client.get(f"/api/v1/feed?after={after}").get_json() == {"items": [], "next": after, "more": False}
    assert {item["region"] for item in client.get("/api/v1/feed?region=neimenggu").get_json()["items"]} == {
        "neimenggu"
    }


@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", "limit=0", "limit=201", "region=A'B", "other=1", "after=99999999999999999999"],
)
def test_a_wrong_question_is_named(app: Flask, query: str) -> None:
    assert app.test_client().get(f"/api/v1/feed?{query}").status_code == 422


def test_a_region_that_there_is_not(app: Flask) -> None:
    assert app.test_client().get("/api/v1/feed?region=nowhere").status_code == 404

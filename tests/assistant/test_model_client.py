"""The client of an OpenAI-compatible model, over HTTP against a small server: what it takes, and that it never waits for long."""

import json
from collections.abc import Iterator

import pytest

from assistant.model_client import HttpModel, ModelSettings, model_settings
from core.domain.errors import DataError
from tests.assistant.model_server import ModelServer, serving


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as model:
        yield model


def client(server: ModelServer, **changes: object) -> HttpModel:
    values: dict[str, object] = {"url": server.url, "chat": "small", "key": "secret-key", "seconds": 5.0}
    return HttpModel(ModelSettings(**{**values, **changes}))  # type: ignore[arg-type]


def test_it_orders_and_words_by_chat(server: ModelServer) -> None:
    server.chat = lambda given: f'好的：{{"order": {list(range(len(given["titles"])))[::-1]}}}'
    model = client(server)
    assert model.order("哪个", ["甲", "乙", "丙"]) == [2, 1, 0]
    path, body, headers = server.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret-key"
    assert body["model"] == "small"
    assert "tools" not in body
    assert json.loads(body["messages"][1]["content"]) == {"question": "哪个", "titles": ["甲", "乙", "丙"]}
    assert "哪个" not in body["messages"][0]["content"]
    server.chat = lambda given: json.dumps({"text": f" {given['answer']}呀 "})
    assert model.word("怎么", "这样") == "这样呀"


def test_it_orders_by_embeddings_where_there_are_some(server: ModelServer) -> None:
    server.vectors = lambda texts: [[1.0, 0.0], [0.0, 1.0], [1.0, 0.1], [0.5, 0.5]][: len(texts)]
    assert client(server, embedding="vectors").order("问", ["甲", "乙", "丙"]) == [1, 2, 0]
    assert server.asked[0][0] == "/v1/embeddings"
    assert client(server, chat="", embedding="vectors").word("问", "答") is None
    server.vectors = lambda _texts: [[1.0, 0.0], [1.0]]
    assert client(server, embedding="vectors").order("问", ["甲"]) is None
    server.vectors = lambda _texts: [[1.0]]
    assert client(server, embedding="vectors").order("问", ["甲"]) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"not json", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}',
        b'{"choices": [{"message": {"content": "{\\"order\\": \\"0\\"}"}}]}', b"\xff\xfe", b"[" * 100_000,
        b'{"choices": [{"message": {"content": "{\\"order\\": [true, 0]}"}}]}',
        b'{"choices": [{"message": {"tool_calls": [{"function": {"name": "approve"}}]}}]}',
        b'{"choices": [{"message": {"content": "' + b"x" * 3_000_000 + b'"}}]}',
    ],
)  # fmt: skip
def test_what_is_no_answer_is_none(server: ModelServer, raw: bytes) -> None:
    server.raw = raw
    assert client(server).order("问", ["甲", "乙"]) is None
    server.asked.clear()
    assert client(server).word("问", "答") is None
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [302, 307, 400, 401, 429, 500, 503])
def test_other_states_are_no_answer_and_nothing_is_followed(server: ModelServer, status: int) -> None:
    server.status = status
    assert client(server).word("问", "答") is None
    assert [path for path, _, _ in server.asked] == ["/v1/chat/completions"]


def test_it_is_not_waited_for_and_not_asked_again_for_a_while(server: ModelServer) -> None:
    now = [0.0]
    settings = ModelSettings(server.url, "small", seconds=0.2)
    model = HttpModel(settings, clock=lambda: now[0])
    server.hold.clear()
    assert model.word("问", "答") is None
    server.hold.set()
    server.chat = lambda _given: '{"text": "好"}'
    assert model.word("问", "答") is None
    assert len(server.asked) == 1
    now[0] += 31
    assert model.word("问", "答") == "好"
    assert model.word("问", "答") == "好"


def test_an_answer_that_drips_is_cut_off(server: ModelServer) -> None:
    server.trickle = True
    server.chat = lambda _given: json.dumps({"text": "好" * 500})
    assert client(server, seconds=0.3).word("问", "答") is None


def test_nobody_there_is_no_answer() -> None:
    with serving() as gone:
        pass
    assert client(gone).order("问", ["甲", "乙"]) is None


def test_it_is_off_until_an_address_is_set() -> None:
    assert model_settings({}) is None
    found = model_settings(
        {"CAIGOU_MODEL_URL": "http://10.0.0.5:8000/v1/", "CAIGOU_MODEL_NAME": "q", "CAIGOU_MODEL_KEY": "k"}
    )
    assert found == ModelSettings("http://10.0.0.5:8000/v1", "q", "", "k", 2.0)
    assert "k" not in repr(found).replace("key", "")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"URL": "10.0.0.5"}, "CAIGOU_MODEL_URL"),
        ({"URL": "file:///etc/passwd"}, "CAIGOU_MODEL_URL"),
        ({"URL": "http://a/v1", "NAME": ""}, "CAIGOU_MODEL_NAME"),
        ({"URL": "http://a/v1", "SECONDS": "0"}, "CAIGOU_MODEL_SECONDS"),
        ({"URL": "http://a/v1", "SECONDS": "nan"}, "CAIGOU_MODEL_SECONDS"),
        ({"URL": "http://a/v1", "SECONDS": "fast"}, "CAIGOU_MODEL_SECONDS"),
    ],
)
def test_settings_that_cannot_be_read_are_named(settings: dict[str, str], said: str) -> None:
    given = {f"CAIGOU_MODEL_{name}": value for name, value in {"NAME": "q", **settings}.items()}
    with pytest.raises(DataError, match=said):
        model_settings(given)

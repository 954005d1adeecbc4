"""A small model of the tests' own, at an OpenAI-compatible address on loopback."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.servers import running

Given = dict[str, Any]
Chat = Callable[[Given], str]


class ModelServer:
    """What it was asked, and what it says next: `chat` gives the content for the JSON that the user message holds."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Given, dict[str, str]]] = []
        self.chat: Chat = lambda _given: "{}"
        self.vectors: Callable[[list[str]], list[list[float]]] = lambda texts: [[1.0] for _ in texts]
        self.status = 200
        self.raw: bytes | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.trickle = False
        self.url = ""

    def answer(self, path: str, body: Given) -> bytes:
        if self.raw is not None:
            return self.raw
        if path.endswith("/embeddings"):
            rows = [{"index": at, "embedding": one} for at, one in enumerate(self.vectors(body["input"]))]
            return json.dumps({"data": rows[::-1]}).encode()
        content = self.chat(json.loads(body["messages"][-1]["content"]))
        return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


def _handler(model: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked.append((self.path, body, dict(self.headers)))
            model.hold.wait(30)
            data = model.answer(self.path, body)
            self.send_response(model.status)
            self.send_header("Location", f"{model.url}/elsewhere")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            try:
                if model.trickle:
                    for at in range(len(data)):
                        self.wfile.write(data[at : at + 1])
                        self.wfile.flush()
                        threading.Event().wait(0.05)
                self.wfile.write(data if not model.trickle else b"")
            except OSError:
                return  # the client has stopped listening

        def log_message(self, *_arguments: object) -> None:
            return

    return Handler


@contextmanager
def serving() -> Iterator[ModelServer]:
    model = ModelServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(model))
    server.daemon_threads = True
    with running(server) as port:
        model.url = f"http://127.0.0.1:{port}/v1"
        try:
            yield model
        finally:
            model.hold.set()

"""The two servers that `bench_chat` compares, each alone in its process: the application, and one empty route."""

import sys
from pathlib import Path

from flask import Flask
from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from core.adapters.database import make_engine
from core.bootstrap import build_system
from core.settings import Settings
from web.server import Server, options


def chat(folder: Path) -> Flask:
    """The application as it is served, less its limit of messages a minute."""
    from assistant.knowledge import open_knowledge
    from web.app import create_app
    from web.parts import Parts
    from web.wiring import AssistantTalk

    system = build_system(Settings(var=folder, database_url=f"sqlite:///{folder}/caigou.db"))
    knowledge = open_knowledge()
    knowledge.retriever("neimenggu")
    parts = Parts(talk=AssistantTalk(system, knowledge))
    return create_app(system, parts, secret_key=b"bench" * 8, config={"RATELIMIT_ENABLED": False})


def empty(folder: Path) -> Flask:
    """A route that writes one row in one transaction, on the same kind of database."""
    engine = make_engine(f"sqlite:///{folder}/empty.db")
    metadata = MetaData()
    row = Table("said", metadata, Column("id", Integer, primary_key=True), Column("text", String(200)))
    metadata.create_all(engine)
    app = Flask("empty")

    @app.post("/")
    def write() -> str:
        with engine.begin() as connection:
            connection.execute(insert(row).values(text="x"))
        return "ok"

    return app


def main() -> None:
    """`chat|empty PORT FOLDER`."""
    kind, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    app = {"chat": chat, "empty": empty}[kind](folder)
    Server(app, options("127.0.0.1", port, 1, _ready, _forked)).run()


def _ready(_arbiter: object) -> None:
    """Nothing to announce."""


def _forked(_arbiter: object, _worker: object) -> None:
    """One worker: engines were not used before the fork except by a loader that closed its connection."""


if __name__ == "__main__":
    main()

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core import demo
from core.adapters.database import SqlDatabase
from core.bootstrap import build_system
from core.service import documents
from core.service.accounts import sign_in
from core.service.system import System
from core.settings import Settings
from tests.core.conftest import fast_engine
from tests.support.servers import serving
from tests.web.echo import EchoTalk
from web.app import create_app
from web.parts import Parts

HANDLER, REVIEWER, OTHER, SUPPORT = "15029910100101", "15029910100102", "15029910200101", "150299PT000101"
OFFICE = "150299CZJK0101"


@dataclass
class Clock:
    """Real time, moved forward at will."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def system(demo_home: Path, tmp_path: Path, clock: Clock) -> Iterator[System]:
    """The demonstration world; only this test changes it."""
    copy = tmp_path / "caigou.db"
    shutil.copyfile(demo_home / "caigou.db", copy)
    settings = Settings(var=demo_home, database_url=f"sqlite:///{copy}")
    built = build_system(settings, clock=clock, engine=fast_engine(settings.database_url))
    yield built
    assert isinstance(built.database, SqlDatabase)
    built.database.engine.dispose()


@pytest.fixture
def app(system: System) -> Flask:
    parts = Parts(talk=EchoTalk(system))
    return create_app(system, parts, secret_key=b"k" * 32, config={"RATELIMIT_ENABLED": False})


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """Address of the application on a socket of this machine."""
    with serving(app) as address:
        yield address


class Browser:
    """Flask's client that sends the tokens of the forms it saw, as a browser would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **given: object) -> TestResponse:
        return self.client.get(path, **given)  # type: ignore[arg-type]

    def form(self, path: str, action: str | None = None) -> dict[str, str]:
        """Hidden fields of the form on `path` that goes to `action` (the first one without)."""
        page = self.get(path).text
        forms = re.findall(r"<form[^>]*method=\"post\"[^>]*>.*?</form>", page, re.DOTALL)
        wanted = f'action="{action}"' if action else ""
        found = next(form for form in forms if wanted in form and "/signout" not in form)
        hidden = re.findall(r'<input type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', found)
        return dict(hidden)

    def post(self, path: str, fields: dict[str, object], **given: object) -> TestResponse:
        return self.client.post(path, data=fields, **given)  # type: ignore[arg-type]

    def act(self, number: str, action: str, **fields: object) -> TestResponse:
        """Take an act through its form on the document's page."""
        target = f"/documents/{number}/acts/{action}"
        return self.post(
            target, {**self.form(f"/documents/{number}", target), **fields}, follow_redirects=True
        )


@pytest.fixture
def browse(app: Flask) -> Callable[[str], Browser]:
    """A browser signed in as the login given."""

    def signed_in(login: str) -> Browser:
        browser = Browser(app.test_client())
        fields = {**browser.form("/signin"), "login": login, "password": demo.PASSWORD}
        assert browser.post("/signin", fields).status_code == 303
        return browser

    return signed_in


@pytest.fixture
def bearer(app: Flask, system: System) -> Callable[[str], dict[str, str]]:
    """Headers of a program signed in as the login given."""
    return lambda login: {"Authorization": f"Bearer {sign_in(system, login, demo.PASSWORD).token}"}


@pytest.fixture
def number(system: System) -> Callable[[str], str]:
    """Number of the demonstration plan of this name."""

    def find(name: str) -> str:
        actor = sign_in(system, HANDLER, demo.PASSWORD).account
        return next(
            d.number for d in documents.listing(system, actor, kind="plan") if d.title.startswith(name)
        )

    return find

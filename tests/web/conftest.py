import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core import demo
from core.domain.accounts import Account
from core.service import documents
from core.service.accounts import sign_in
from core.service.system import System
from core.settings import Settings
from kb import Entry, Library, open_library
from kb.entries import mapped
from tests.support.servers import serving
from tests.support.shared import copy_of
from tests.web.echo import app_over
from web import wiring

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
def system(demo_world: Settings, tmp_path: Path, clock: Clock) -> Iterator[System]:
    """The demonstration world; only this test changes it."""
    with copy_of(demo_world, tmp_path / "caigou.db", clock) as made:
        yield made


@pytest.fixture
def app(system: System) -> Flask:
    return app_over(system)


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """Address of the application on a socket of this machine."""
    with serving(app) as address:
        yield address


@pytest.fixture(scope="session")
def few_phrasings() -> Library:
    """All entries of two regions with as few phrasings as there must be: what is trained and replayed takes a tenth."""
    whole = open_library()

    def shortened(entry: Entry) -> Entry:
        few = {
            voice: tuple(getattr(entry.phrasings, voice))[:3] for voice in type(entry.phrasings).model_fields
        }
        return entry.model_copy(update={"phrasings": entry.phrasings.model_copy(update=few)})

    kept = (entry for entry in whole.entries.values() if entry.region in {"neimenggu", "fujian"})
    return replace(whole, entries=mapped(shortened(entry) for entry in kept))


@pytest.fixture
def console(
    system: System,
    few_phrasings: Library,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Flask:
    """The whole application, on little knowledge; its indexes are trained once for a process."""
    monkeypatch.setattr("assistant.knowledge.open_library", lambda: few_phrasings)
    monkeypatch.setenv("CAIGOU_VAR", str(tmp_path_factory.getbasetemp() / "console"))
    settings = Settings(var=tmp_path, database_url=str(system.database.engine.url))  # type: ignore[attr-defined]
    return wiring.application(system, settings)


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


def signed_in(app: Flask, login: str) -> Browser:
    """A browser of a demonstration account."""
    browser = Browser(app.test_client())
    fields = {**browser.form("/signin"), "login": login, "password": demo.PASSWORD}
    assert browser.post("/signin", fields).status_code == 303
    return browser


@pytest.fixture
def browse(app: Flask) -> Callable[[str], Browser]:
    """A browser signed in as the login given."""
    return partial(signed_in, app)


@pytest.fixture
def bearer(app: Flask, system: System) -> Callable[[str], dict[str, str]]:
    """Headers of a program signed in as the login given."""
    return lambda login: {"Authorization": f"Bearer {sign_in(system, login, demo.PASSWORD).token}"}


def account_of(system: System, login: str) -> Account:
    """Who has this login, without a session: checking a password takes longer than most of what tests look at."""
    with system.database.read() as tx:
        known = tx.accounts.credentials(login)
    assert known is not None
    return known.account


@pytest.fixture
def actor(system: System) -> Account:
    """The school's handler."""
    return account_of(system, HANDLER)


@pytest.fixture
def number(system: System) -> Callable[[str], str]:
    """Number of the demonstration plan of this name."""

    def find(name: str) -> str:
        actor = account_of(system, HANDLER)
        return next(
            d.number for d in documents.listing(system, actor, kind="plan") if d.title.startswith(name)
        )

    return find

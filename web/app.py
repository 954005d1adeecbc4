"""The application: parts put together, nothing else."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, url_for
from flask.json.provider import DefaultJSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from core.domain.accounts import ROLE_LABELS
from core.service.system import System
from web import (
    account,
    api,
    approvals,
    attachments,
    budget_upload,
    chat,
    desk,
    entrance,
    errors,
    feedback,
    forms,
    health,
    imports,
    indicators,
    intake,
    knowledge,
    lists,
    numbers,
    overview,
    portal,
    probe,
    release,
    reports,
    sealing,
    security,
    session,
    staff,
    status,
    support,
    told,
    words,
)
from web.parts import House, Parts

PAGES = (
    session.pages,
    entrance.pages,
    account.pages,
    staff.pages,
    chat.pages,
    lists.pages,  # the blueprint of documents, with the lists
    told.pages,
    approvals.pages,
    forms.pages,
    attachments.pages,
    imports.pages,
    indicators.pages,
    budget_upload.pages,
    overview.pages,
    reports.pages,
    portal.pages,
    sealing.pages,
)


class _Json(DefaultJSONProvider):
    """Chinese stays as it is; what is nested deeper than Python goes is malformed like anything else unreadable."""

    ensure_ascii = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def create_app(  # noqa: PLR0913 - what a deployment decides, each with a default
    system: System,
    parts: Parts,
    *,
    secret_key: bytes,
    checks: Mapping[str, health.Check] | None = None,
    limits_storage: str = "memory://",
    webhooks: Sequence[Blueprint] = (),
    secure: bool = False,
    proxies: int = 0,
    config: Mapping[str, Any] | None = None,
) -> Flask:
    """A Flask application over `system`. Pages whose part is missing are not registered.

    `limits_storage` is a Redis URL as soon as there is more than one process. `webhooks` prove who sent a request
    by a signature of their own, so they need neither session nor form token. `secure`: browsers come by HTTPS.
    `proxies` reverse proxies in front are believed about whom they speak for, and nobody else is.
    """
    app = Flask(__name__)
    app.secret_key = secret_key
    app.json = _Json(app)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["caigou"] = House(system, parts)
    app.config.update(config or {})
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as its documentation says
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    numbers.register(app)
    attachments.register(app)  # first: it says how much of a request may be read
    security.register(app, limits_storage=limits_storage, secure=secure)
    errors.register(app)
    words.register(app)
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    if parts.desk:
        app.register_blueprint(desk.pages)
    if parts.watch:
        app.register_blueprint(status.pages)
    if parts.reports:
        probe.register(app)
    if parts.editing:
        for blueprint in (knowledge.pages, release.pages, intake.pages, feedback.pages):
            app.register_blueprint(blueprint)
        app.add_template_filter(knowledge.region_label)
    if parts.binding_codes:
        app.register_blueprint(support.binding_pages)
    for blueprint in webhooks:
        security.csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    app.add_template_global(chat.waiting_count)
    app.add_template_global(portal.published)
    api.register(app)
    health.register(app, dict(checks or {}), [status.Metrics(parts.watch)] if parts.watch else [])
    app.jinja_env.globals.update(parts=parts, role_labels=ROLE_LABELS, static=_static(app))
    return app


def _static(app: Flask) -> Callable[[str], str]:
    """Addresses of our own files with a digest in them, so that browsers may keep them for good."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 365 * 24 * 3600
    folder = Path(str(app.static_folder))
    digests = {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()[:12]
        for path in folder.rglob("*")
        if path.is_file()
    }
    return lambda name: url_for("static", filename=name, v=digests[name])

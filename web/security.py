"""Who is signed in, forms that only our pages may send, limits, headers."""

from flask import Flask, Response, g, request
from flask import session as browser_session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFProtect, generate_csrf

from core.domain.accounts import Account, Session
from core.domain.errors import AuthenticationError, ConflictError
from core.domain.rights import Capability
from core.service import accounts, rights
from diagnostics.agent import HOST, PORT
from web.parts import system

TOKEN = "token"  # noqa: S105 - the name under which the browser's cookie holds it

# The page may ask the desk's own agent on loopback, and nothing else outside this site.
AGENT = f"http://{HOST}:{PORT}"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self' {AGENT}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address)


class SignedIn(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """flask-login's user around our server-side session."""

    def __init__(self, session: Session) -> None:
        """Keep the session; its account is who acts."""
        self.session = session

    def get_id(self) -> str:
        """Account id; flask-login wants text."""
        return str(self.session.account.id)


def bearer() -> str | None:
    """Token of the Authorization header."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token else None


def token() -> str | None:
    """Token of this request, of the header or the cookie."""
    return bearer() or browser_session.get(TOKEN)


def _load(_request: object) -> SignedIn | None:
    given = token()
    if given is None:
        return None
    try:
        return SignedIn(accounts.session(system(), given))
    except AuthenticationError as error:
        g.refused = error  # said when a page needs a session, not on pages that are open to all
        return None


def require_session() -> None:
    """before_request of everything that is not open to all."""
    if not current_user.is_authenticated:
        raise getattr(g, "refused", None) or AuthenticationError("请先登录")
    meant = request.form.get("_account") if request.method == "POST" and not bearer() else None
    if meant and meant != current_user.get_id():
        raise ConflictError(
            "这个表单是另一个账号填的，现在登录的账号不同，没有提交。请换回原来的账号登录后再提交",
            code="other_account",
        )


def actor() -> Account:
    """Who acts; only behind `require_session`."""
    account: Account = current_user.session.account
    return account


def signed_in() -> Session | None:
    """The session of this request, if there is a good one."""
    return current_user.session if current_user.is_authenticated else None


def opened() -> Session:
    """The session of this request; only behind `require_session`."""
    session: Session = current_user.session
    return session


def device() -> str:
    """What the browser says it is, in a word or two; the owner of a session recognises it by that."""
    told = request.headers.get("User-Agent", "")
    names = {
        "MicroMessenger": "微信",
        "Edg": "Edge",
        "Firefox": "Firefox",
        "Chrome": "Chrome",
        "Safari": "Safari",
    }
    systems = {
        "iPhone": "iPhone",
        "Android": "Android",
        "Windows": "Windows",
        "Mac OS": "Mac",
        "Linux": "Linux",
    }
    found = [next((word for mark, word in table.items() if mark in told), "") for table in (names, systems)]
    return " · ".join(word for word in found if word) or told.split("/")[0][:40] or "程序"


def can(capability: str) -> bool:
    """Whether the account of this request has a capability; for what a page shows, the use case decides anew."""
    session = signed_in()
    return session is not None and rights.allows(system(), session.account, Capability(capability))


def account_or_address() -> str:
    """Key for limits: the account where known, else the address."""
    return f"account:{current_user.get_id()}" if current_user.is_authenticated else get_remote_address()


def protect_api() -> None:
    """A program with a bearer token needs no form token; a browser with a cookie does."""
    if bearer() is None and TOKEN in browser_session:
        csrf.protect()


def _only_https(response: Response) -> Response:
    response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def register(app: Flask, *, limits_storage: str, secure: bool = False) -> None:
    """Attach sessions, CSRF, limits and headers to `app`; `secure`: browsers come by HTTPS and only so."""
    if secure:
        app.after_request(_only_https)
    app.config.update(
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="caigou",
        # A form may lie open for hours (nm-13); it is bound to the browser's session, not to the clock.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        RATELIMIT_STORAGE_URI=limits_storage,
        RATELIMIT_HEADERS_ENABLED=True,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_PARTS=5000,
    )
    manager = LoginManager()
    manager.session_protection = None  # the server-side session is the authority, not the cookie
    manager.request_loader(_load)
    manager.init_app(app)
    csrf.init_app(app)
    limiter.enabled = app.config.get("RATELIMIT_ENABLED", True)  # init_app only ever switches it off
    limiter.init_app(app)
    app.after_request(_headers)
    app.add_template_global(signed_in)
    app.add_template_global(can)
    app.add_template_global(generate_csrf)

"""The one table from what went wrong to HTTP, and the three faces of an error: problem details, fragment, page."""

import secrets
from http import HTTPStatus

import structlog
from flask import Flask, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from core.domain import errors as domain
from web.kept import kept_form

log = structlog.get_logger("web.errors")

# Looked up by code first, then by class. Status, and the title people see.
TABLE: dict[str | type[Exception], tuple[int, str]] = {
    "locked": (423, "账号暂时锁定"),
    "wrong_password": (401, "登录没有成功"),
    "session_expired": (401, "登录已过期"),
    "code_needed": (401, "还差动态口令"),
    "wrong_code": (401, "动态口令不对"),
    "certificate_unbound": (401, "证书还没有绑定账号"),
    "password_needed": (401, "请输入密码"),
    "other_account": (409, "账号换了"),
    "csrf": (400, "页面放得太久了"),
    "too_many": (429, "操作太快了"),
    "too_large": (413, "内容太大"),
    "bad_request": (400, "请求看不懂"),
    domain.NotFoundError: (404, "没有找到"),
    domain.ForbiddenError: (403, "这一步不归这个账号办"),
    domain.InvalidError: (422, "有内容要改一下"),
    domain.ConflictError: (409, "单据刚刚变了"),
    domain.BlockedError: (409, "现在还不能办"),
    domain.AuthenticationError: (401, "请先登录"),
    domain.UnavailableError: (503, "外部系统暂时没有回应"),
    domain.DataError: (500, "系统出了点问题"),
    domain.DomainError: (400, "没有办成"),
    Exception: (500, "系统出了点问题"),
}

# What the framework itself may say, in our codes and words.
FRAMEWORK: dict[int, tuple[str, str]] = {
    400: ("bad_request", "请求的格式不对，请回到页面重新操作"),
    404: ("not_found", "这个地址没有页面，可能是链接旧了；从上面的菜单可以找到要办的事"),
    405: ("method_not_allowed", "这个地址不接受这种操作，请从页面上的按钮进入"),
    413: ("too_large", "提交的内容太大，请减少一些再试"),
    415: ("bad_request", "请用 JSON 提交，Content-Type 写 application/json"),
}

EXPIRED_ADVICE = (
    "登录时间过长，令牌已经失效。请在同一个浏览器另开一个标签页登录，然后关掉它，回到这个页面重新提交，"
    "填好的内容不会丢"
)


def status_and_title(error: Exception) -> tuple[int, str]:
    """Row of the table for `error`."""
    code = getattr(error, "code", None)
    if isinstance(code, str) and code in TABLE:
        return TABLE[code]
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def as_domain(error: Exception) -> domain.DomainError | None:
    """What the framework raised, in our words; None for what nobody expected."""
    if isinstance(error, domain.DomainError):
        if error.code == "session_expired":
            return domain.AuthenticationError(EXPIRED_ADVICE, code=error.code, fields=error.fields)
        return None if isinstance(error, domain.DataError) else error
    if isinstance(error, CSRFError):
        return domain.DomainError(
            "页面打开太久或浏览器没有带上校验信息，为安全起见没有提交。请刷新页面再试一次", code="csrf"
        )
    if isinstance(error, RateLimitExceeded):
        return domain.DomainError("操作太频繁了，请等一分钟再试", code="too_many")
    if isinstance(error, HTTPException) and error.code in FRAMEWORK:
        code, message = FRAMEWORK[error.code]
        return domain.DomainError(message, code=code)
    return None


def wants_problem() -> bool:
    """Whether the asker is a program."""
    return request.path.startswith("/api/")


def wants_fragment() -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def register(app: Flask) -> None:
    """Translate every exception of `app`."""
    app.register_error_handler(Exception, _handle)


def _handle(error: Exception) -> AnyResponse:
    if isinstance(error, HTTPException) and error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
        return make_response(error.get_response())
    known = as_domain(error)
    if known is None:
        known = _unexpected(error)
        status, title = 500, TABLE[Exception][1]
    else:
        status, title = status_and_title(known)
        if isinstance(error, HTTPException) and error.code:
            status = error.code
    response = _face(known, status, title)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers.setdefault("Retry-After", "60")
    return response


def _unexpected(error: Exception) -> domain.DomainError:
    """Log everything under a reference and say nothing of it."""
    reference = secrets.token_hex(4)
    log.error("unexpected", reference=reference, path=request.path, exc_info=error)
    return domain.DomainError(
        f"这不是您的操作问题，没有保存任何东西。请稍后再试；如果还不行，请把编号 {reference} 告诉客服",
        code="internal",
        fields={"reference": reference},
    )


def _face(error: domain.DomainError, status: int, title: str) -> AnyResponse:
    if wants_problem():
        return problem(error, status, title)
    signed_out = status == HTTPStatus.UNAUTHORIZED and request.endpoint != "session.sign_in"
    if wants_fragment():
        return make_response(
            render_template("_error.html", error=error, title=title, signed_out=signed_out), status
        )
    if signed_out and request.method == "GET":
        if error.code == "session_expired":
            return redirect(url_for("session.sign_in", next=request.full_path.rstrip("?"), expired=1))
        return redirect(url_for("session.sign_in", next=request.full_path.rstrip("?")))
    fields = kept_form() if signed_out or error.code == "csrf" else None
    template = "kept.html" if fields else "error.html"
    page = render_template(template, error=error, title=title, status=status, kept=fields)
    return make_response(page, status)


def problem(error: domain.DomainError, status: int, title: str) -> Response:
    """RFC 9457 problem details."""
    body = {
        "type": f"urn:caigou:problem:{error.code}",
        "title": title,
        "status": status,
        "detail": error.message,
        "code": error.code,
        "fields": {name: _plain(value) for name, value in error.fields.items()},
        "instance": request.path,
    }
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _plain(value: object) -> object:
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)

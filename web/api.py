"""/api/v1: the same use cases as the pages, for programs. Described at /api/openapi.json."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from flask import Blueprint, Flask, Response, jsonify, request
from pydantic import BaseModel, ValidationError
from spectree import Response as Answers
from spectree import SpecTree

from core.domain.accounts import ROLE_LABELS, Account
from core.domain.errors import InvalidError
from web.openapi import described
from web.schemas import LONGEST_KEY, SHORTEST_KEY, AccountOut, Problem
from web.security import csrf, protect_api, require_session

spec = SpecTree(
    "flask",
    title="政府采购助手",
    version="v1",
    path="apidoc",  # its own pages, which are not served; routes below this path would be left out
    mode="strict",
    annotations=False,
    validation_error_status=422,
    validation_error_model=Problem,
    security_schemes=[{"name": "bearer", "data": {"type": "http", "scheme": "bearer"}}],
    security={"bearer": []},
)

pages = Blueprint("api", __name__, url_prefix="/api/v1")
csrf.exempt(pages)  # protect_api decides: a bearer token cannot be sent by a foreign page
pages.before_request(protect_api)

_ERRORS = {f"HTTP_{status}": Problem for status in (400, 401, 403, 404, 409, 413, 415, 423, 429, 503)}
_FILES: dict[str, str] = {}  # operation → media type of the file it gives


def route(  # noqa: PLR0913 - what an endpoint is, each with a default
    method: str,
    rule: str,
    *,
    gives: type[BaseModel] | None,
    takes: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    form: type[BaseModel] | None = None,
    status: int = 200,
    public: bool = False,
    media: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """One endpoint: its models, its place in the description, whether a session is needed; `media` of a file it gives."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        if media:
            _FILES[function.__name__] = media
        answers = Answers(**{f"HTTP_{status}": gives}, **_ERRORS)
        checked = spec.validate(
            json=takes,
            query=query,
            form=form,
            resp=answers,
            before=_refuse_bad_input,
            tags=[rule.split("/")[1]],
            security=[] if public else None,
            operation_id=function.__name__,
        )(function)

        def guarded(**arguments: Any) -> Any:
            if not public:
                require_session()
            if takes is not None and not request.is_json:
                raise InvalidError("请用 JSON 提交", code="bad_request")
            if takes is not None:
                _refuse_half_characters()
            return checked(**arguments)

        guarded.__wrapped__ = checked  # type: ignore[attr-defined]  # spectree finds the description through it
        pages.add_url_rule(rule, endpoint=function.__name__, view_func=guarded, methods=[method])
        return function

    return register


def _refuse_half_characters() -> None:
    """Of a surrogate pair: JSON can say one, but it can neither be kept nor sent back."""
    try:
        json.dumps(request.get_json(silent=True), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        message = "内容里有不完整的字符（半个表情符号之类），请重新输入"
        raise InvalidError(message, fields={"body": "有不完整的字符"}) from None


def _refuse_bad_input(_request: Any, _response: Any, error: Exception | None, *_rest: Any) -> None:
    """Every wrong field, in our shape of a problem."""
    if not isinstance(error, ValidationError):
        return
    raise InvalidError("提交的内容有不对的地方，逐项写在 fields 里", fields=fields_of(error))


def fields_of(error: ValidationError, *above: str) -> dict[str, str]:
    """`lines.0.quantity` → sentence."""
    return {
        ".".join([*above, *(str(part) for part in item["loc"])]) or "body": _sentence(
            item["type"], item.get("ctx", {})
        )
        for item in error.errors()
    }


def _sentence(kind: str, limits: Mapping[str, Any]) -> str:
    if kind == "string_too_short" and (least := limits["min_length"]) > 1:
        return f"太短了，至少 {least} 个字符"
    return _SENTENCES.get(kind, "格式不对")


_SENTENCES = {
    "missing": "必填",
    "extra_forbidden": "没有这个字段",
    "string_too_long": "太长了",
    "string_too_short": "不能为空",
    "int_parsing": "要填整数",
    "int_type": "要填整数",
    "string_type": "要填文字",
    "literal_error": "不在可选的值里",
    "greater_than_equal": "太小了",
    "less_than_equal": "太大了",
    "list_type": "要填列表",
    "dict_type": "要填对象",
    "too_long": "太多了",
}


def body() -> Any:
    """The checked JSON body."""
    return request.context.json  # type: ignore[attr-defined]


def asked() -> Any:
    """The checked query."""
    return request.context.query  # type: ignore[attr-defined]


def idempotency_key() -> str:
    """`Idempotency-Key`; without one the act is simply new."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if key and not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise InvalidError("Idempotency-Key 要 8 到 64 个字符", fields={"Idempotency-Key": "长度不对"})
    return key or uuid4().hex


def account_out(account: Account) -> AccountOut:
    """An account as the API shows it."""
    unit = account.unit
    return AccountOut(
        login=account.login, name=account.name, role=account.role.value, role_label=ROLE_LABELS[account.role],
        unit_name=unit.name, unit_code=unit.code, division=unit.division, region=unit.region,
    )  # fmt: skip


def register(app: Flask) -> None:
    """All endpoints and their description."""
    from web import (  # noqa: F401 - their routes register themselves
        api_account,
        api_approvals,
        api_documents,
        api_feed,
        api_forms,
        api_money,
        api_people,
        api_reports,
        api_staff,
        api_told,
    )

    if "api" not in app.blueprints:
        app.register_blueprint(pages)

    @app.get("/api/openapi.json")
    def openapi() -> Response:
        spec.app = app
        return jsonify(described(spec.spec, _FILES))

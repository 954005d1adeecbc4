"""The page with the code that binds WeChat; there when that part is wired in."""

from flask import Blueprint, render_template

from web.parts import BindingCodes, house
from web.security import actor, limiter, require_session

binding_pages = Blueprint("binding", __name__)
binding_pages.before_request(require_session)


def _codes() -> BindingCodes:
    found = house().parts.binding_codes
    assert found is not None, "registered only with binding codes"  # noqa: S101
    return found


@binding_pages.get("/wechat-binding")
def explain() -> str:
    """How binding works; a code is made on request only."""
    return render_template("binding.html", code=None)


@binding_pages.post("/wechat-binding")
@limiter.limit("5 per minute")
def issue() -> str:
    """A fresh one-time code."""
    return render_template("binding.html", code=_codes().issue(actor().id))

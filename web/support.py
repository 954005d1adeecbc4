"""The page with the code that binds WeChat; there when that part is wired in."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

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
    return render_template("binding.html", code=None, bound=bool(_codes().openids_of(actor().id)))


@binding_pages.post("/wechat-binding")
@limiter.limit("5 per minute")
def issue() -> str:
    """A fresh one-time code."""
    mine = actor().id
    return render_template("binding.html", code=_codes().issue(mine), bound=bool(_codes().openids_of(mine)))


@binding_pages.post("/wechat-binding/end")
def end() -> Response:
    """Whoever bound it, the account alone decides."""
    _codes().unbind(actor().id)
    flash("已解除微信绑定，公众号里不能再用您的账号")
    return redirect(url_for(".explain"), 303)

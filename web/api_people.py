"""/api/v1: sessions, the account, the conversation, notices, catalogue."""

from flask import Response

from core.service import accounts, catalogue, notices
from core.service.accounts import sign_out as end_session
from web import chat
from web.api import account_out, asked, body, route
from web.parts import system
from web.schemas import (
    AccountOut,
    CatalogueQuery,
    ChatIn,
    ChatOut,
    ItemOut,
    Items,
    NoticeOut,
    Notices,
    SeenIn,
    SessionOut,
    SignIn,
    Suggestions,
    SuggestQuery,
)
from web.security import account_or_address, actor, device, limiter, token


@route("POST", "/sessions", takes=SignIn, gives=SessionOut, status=201, public=True)
@limiter.limit("20 per minute")
def sign_in() -> tuple[SessionOut, int]:
    """Open a session."""
    opened = accounts.sign_in(system(), body().login, body().password, device=device())
    out = SessionOut(token=opened.token, expires_at=opened.expires_at, account=account_out(opened.account))
    return out, 201


@route("DELETE", "/sessions", gives=None, status=204)
def sign_out() -> tuple[Response, int]:
    """End this session."""
    end_session(system(), token() or "")
    return Response(status=204), 204


@route("GET", "/me", gives=AccountOut)
def me() -> AccountOut:
    """Who is signed in."""
    return account_out(actor())


@route("POST", "/chat", takes=ChatIn, gives=ChatOut)
@limiter.limit("60 per minute", key_func=account_or_address)
def talk() -> ChatOut:
    """One message to the assistant, as from the page."""
    turn = chat.turn(body().text, body().conversation, body().key, body().page)
    return ChatOut(conversation=turn.conversation, replies=turn.replies)


@route("GET", "/suggest", query=SuggestQuery, gives=Suggestions)
@limiter.limit("240 per minute", key_func=account_or_address)
def suggest() -> Suggestions:
    """Up to five questions like the one being typed."""
    return Suggestions(items=list(chat.talk().suggest(actor(), asked().q)))


@route("GET", "/notices", gives=Notices)
def unseen_notices() -> Notices:
    """Notices not yet seen."""
    return Notices(items=[NoticeOut.model_validate(item) for item in notices.unseen(system(), actor())])


@route("POST", "/notices/seen", takes=SeenIn, gives=None, status=204)
def see_notices() -> tuple[Response, int]:
    """These were read."""
    notices.mark_seen(system(), actor(), body().ids)
    return Response(status=204), 204


@route("GET", "/catalogue", query=CatalogueQuery, gives=Items)
def search_catalogue() -> Items:
    """Items that a plan line may name."""
    found = catalogue.search(system(), asked().q)
    return Items(items=[ItemOut.model_validate(item) for item in found])

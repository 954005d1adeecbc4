"""Where the application meets the assistant, WeChat and the settings."""

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from flask import Flask

from assistant import desk_store, live, probing, sheets, store, suggestions, turn
from assistant.cards import Reply, Turn
from assistant.channel import PlainConversations
from assistant.desk import Desk
from assistant.knowledge import Knowledge, open_live
from assistant.model_client import HttpModel, model_settings
from assistant.replies import say
from core.adapters.database import SqlDatabase
from core.adapters.exchange_client import shared_secrets
from core.adapters.secret_key import secret_key
from core.domain.accounts import Account, Session
from core.service.ports import Notice
from core.service.system import System
from core.settings import Settings
from diagnostics.desk_reports import DeskReports
from diagnostics.page import Seen
from diagnostics.result import Report
from diagnostics.watch_store import WatchStore
from kb.editing import Editing
from kb.features import cache_folder
from web import exchange, readiness
from web.app import create_app
from web.imports import SHEETS
from web.parts import House, Parts, Said
from web.wechat import webhook
from web.wechat.client import WeChatClient
from web.wechat.config import Channel, load_channels
from web.wechat.inbox import SqlInbox
from web.wechat.service import ChannelService, ThreadRunner
from web.wechat.store import SqlBindings, SqlTokenStore

CHANNEL = "web"


@dataclass(frozen=True)
class AssistantTalk:
    """The assistant on the web: one conversation of an account at a time, kept between visits."""

    system: System
    knowledge: Knowledge

    def respond(
        self, session: Session, conversation: str | None, text: str, key: str, *, page: str | None = None
    ) -> Turn:
        """One turn."""
        return turn.respond(
            self.system, self.knowledge, session.account, conversation, text, key, page=page, channel=CHANNEL,
            expires_at=session.expires_at, session=session,
        )  # fmt: skip

    def past(self, account: Account, conversation: str | None) -> tuple[str | None, Sequence[Said]]:
        """What was said, oldest first."""
        kept, owner = store.of(self.system), store.Owner(account.id)
        name = conversation or kept.latest(owner, CHANNEL)
        if name is None:
            return None, ()
        kept.own(name, owner)
        rated = desk_store.of(self.system).rated(name)
        return name, [_said(message, rated) for message in kept.messages(name)]

    def last(self, account: Account, conversation: str) -> int:
        """Number of the last message."""
        kept = store.of(self.system)
        found = kept.messages(conversation, 1) if kept.load(conversation, store.Owner(account.id)) else []
        return found[-1].seq if found else -1

    def news(
        self, account: Account, conversation: str | None, after: int, unseen: Sequence[Notice]
    ) -> tuple[str | None, Sequence[Said]]:
        """Messages that came since, with notices told among them."""
        name, messages = live.since(self.system, account, conversation, after, unseen, CHANNEL)
        return name, [_said(message, {}) for message in messages]

    def desk_facts(self, session: Session) -> Mapping[str, str]:
        """True time, end of the session, the certificate bound."""
        return probing.facts(self.system, session)

    def examined(
        self, session: Session, conversation: str, report: Report | None, page: Seen
    ) -> Sequence[Reply]:
        """Told into the conversation, and given back."""
        return probing.told(self.system, self.knowledge, session, conversation, report, page)

    def checked(
        self, account: Account, conversation: str | None, number: str, name: str, content: bytes
    ) -> tuple[str, Said]:
        """Told into the conversation, and given back."""
        known, replies = sheets.told(
            self.system, account, conversation, number, name, content, SHEETS, CHANNEL
        )
        return known, Said(say("sheet_sent", name=name), replies, self.last(account, known))

    def rate(self, account: Account, conversation: str, seq: int, *, good: bool, reason: str) -> None:
        """What the account thinks of an answer."""
        live.rate(self.system, account, conversation, seq, good=good, reason=reason)

    def title(self, account: Account, topic: str) -> str:
        """The entry's title."""
        entry = self.knowledge.known(account.region, topic)
        return entry.title if entry else topic

    def suggest(self, account: Account, text: str) -> Sequence[str]:
        """Questions of the account's region."""
        return suggestions.similar(self.knowledge, account.region, text)


def _said(message: store.Message, rated: Mapping[int, bool]) -> Said:
    if message.role == "user":
        return Said(message.text, (), message.seq)
    replies = message.replies or (Reply(message.text),)
    return Said("", replies, message.seq, message.role == "staff", rated.get(message.seq))


@dataclass(frozen=True)
class WeChat:
    """The channels and what serves them."""

    channels: Mapping[str, Channel]
    bindings: SqlBindings
    service: ChannelService


def wechat(system: System, settings: Settings, knowledge: Knowledge) -> WeChat | None:
    """Over the channels of `CAIGOU_WECHAT_CHANNELS`; None where there are none. DataError where they are wrong."""
    channels = load_channels(os.environ.get("CAIGOU_WECHAT_CHANNELS", ""))
    if not channels:
        return None
    assert isinstance(system.database, SqlDatabase)  # noqa: S101 - the only one there is outside tests
    engine = system.database.engine
    secret = hmac.new(secret_key(settings.var), b"wechat", hashlib.sha256).digest()
    bindings = SqlBindings(engine, system.clock, secret)
    service = ChannelService(
        channels,
        PlainConversations(system, knowledge, secret),
        bindings,
        SqlInbox(engine, system.clock),
        WeChatClient(channels, SqlTokenStore(engine, system.clock)),
        secret,
    )
    return WeChat(channels, bindings, service)


def follow_ups(system: System, settings: Settings) -> ChannelService | None:
    """WeChat's answers as the worker takes them up."""
    found = wechat(system, settings, Knowledge(open_live(system).current, _helper()))
    return found.service if found else None


def _helper() -> HttpModel | None:
    """The model of `CAIGOU_MODEL_URL`, where there is one; DataError where its settings are wrong."""
    settings = model_settings()
    return HttpModel(settings) if settings else None


def application(system: System, settings: Settings) -> Flask:
    """The whole application over a running core."""
    live = open_live(system, bring_in=True)
    knowledge = Knowledge(live.current, _helper())
    channels = wechat(system, settings, knowledge)
    assert isinstance(system.database, SqlDatabase)  # noqa: S101 - the only one there is outside tests
    parts = Parts(
        talk=AssistantTalk(system, knowledge),
        desk=Desk(system),
        binding_codes=channels.bindings if channels else None,
        watch=WatchStore(system.database.engine),
        reports=DeskReports(system.database.engine),
        editing=Editing(system, system.database.engine, live, cache_folder()),
    )
    webhooks = [exchange.create_blueprint(shared_secrets(settings.var))]
    if channels:
        # threads answer sooner than the queue; what they leave behind in a crash, the worker takes up
        webhooks.append(
            webhook.create_blueprint(channels.channels, channels.service, ThreadRunner(channels.service))
        )
    return create_app(
        system,
        parts,
        secret_key=secret_key(settings.var),
        checks=readiness.checks(system, settings, parts),
        limits_storage=settings.redis_url or "memory://",
        webhooks=webhooks,
        secure=settings.secure,
        proxies=settings.proxies,
    )


def warm_up(app: Flask) -> None:
    """Open what is slow to open, in the background of a process that already answers."""
    talk = cast("House", app.extensions["caigou"]).parts.talk
    if isinstance(talk, AssistantTalk):
        for region in talk.knowledge.library.regions:
            talk.knowledge.retriever(region)

"""Where the application meets the assistant, WeChat and the settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask

from assistant import store, turn
from assistant.cards import Reply, Turn
from assistant.handoff import Tickets
from assistant.knowledge import Knowledge, open_knowledge
from core.domain.accounts import Account, Session
from core.domain.errors import NotFoundError
from core.service.system import System
from core.settings import Settings
from web import readiness
from web.app import create_app
from web.parts import Parts, Said
from web.security import secret_key

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
            expires_at=session.expires_at,
        )  # fmt: skip

    def past(self, account: Account, conversation: str | None) -> tuple[str | None, Sequence[Said]]:
        """What was said, oldest first."""
        kept, owner = store.of(self.system), store.Owner(account.id)
        name = conversation or kept.latest(owner, CHANNEL)
        if name is None:
            return None, ()
        if kept.load(name, owner) is None:
            raise NotFoundError("没有找到这段对话", fields={"conversation": "没有找到"})
        return name, [_said(message) for message in kept.messages(name)]


def _said(message: store.Message) -> Said:
    if message.role == "user":
        return Said(message.text, ())
    return Said("", message.replies or (Reply(message.text),))


def application(system: System, settings: Settings) -> Flask:
    """The whole application over a running core."""
    parts = Parts(talk=AssistantTalk(system, open_knowledge()), tickets=Tickets(system))
    return create_app(
        system,
        parts,
        secret_key=secret_key(settings.var),
        checks=readiness.checks(system, settings, parts),
        limits_storage=settings.redis_url or "memory://",
    )

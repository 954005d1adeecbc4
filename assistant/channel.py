"""The same conversation on channels of plain text (WeChat): one conversation for each user and account."""

import hashlib
import hmac
from dataclasses import dataclass

from assistant import store, turn
from assistant.knowledge import Knowledge
from assistant.plain import render
from core.service import accounts
from core.service.system import System


@dataclass(frozen=True)
class PlainConversations:
    """Turns of users who are known by an openid. `secret` keys the hashes that stand for them in the tables."""

    system: System
    knowledge: Knowledge
    secret: bytes
    region: str = turn.DEFAULT_REGION

    def turn(self, channel: str, openid: str, account_id: int | None, text: str, key: str) -> str:
        """Answer `text`; called again with `key`, nothing happens twice.

        Binding another account begins another conversation: what was said under one account stays with it.
        """
        account = accounts.in_force(self.system, account_id) if account_id is not None else None
        peer = self._peer(channel, openid)
        conversation = self._hash("conversation", peer, str(account_id))
        answer = turn.respond(
            self.system, self.knowledge, account, conversation, text, key, region=self.region,
            channel=f"wechat:{channel}"[:20], peer=peer,
        )  # fmt: skip
        return render(answer)

    def forget(self, channel: str, openid: str) -> None:
        """Delete what this openid wrote and was told."""
        store.of(self.system).forget(store.Owner(None, self._peer(channel, openid)))

    def _peer(self, channel: str, openid: str) -> str:
        return self._hash("peer", channel, openid)

    def _hash(self, *parts: str) -> str:
        return hmac.new(self.secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

"""What tests of the assistant look at: the demonstration accounts by name, their documents by title."""

from dataclasses import dataclass, field
from itertools import count

from assistant import store, turn
from assistant.cards import Turn
from assistant.channel import PlainConversations
from assistant.conversation import State
from assistant.knowledge import Knowledge
from core.domain.accounts import Account
from core.service import documents, ledger, lists
from core.service.page_ports import Query
from core.service.system import System
from core.service.views import DocumentSummary, DocumentView
from core.worlds import places

LOGINS = {
    "handler": "15029910100101",
    "reviewer": "15029910100102",
    "other": "15029910200101",
    "supervising": "15029910100001",
    "office": "150299CZJK0101",
    "office2": "150299CZJK0102",
    "procurement": "150299CZCG0101",
    "agency": "150299AG000101",
    "supplier": "150299SP000101",
    "support": "150299PT000101",
    "admin": "150299PT000102",
    "procurement2": "150299CZCG0102",
}


@dataclass
class World:
    """One copy of the demonstration world."""

    system: System
    knowledge: Knowledge
    region: str = "neimenggu"
    conversations: dict[str, str] = field(default_factory=dict)
    keys: "count[int]" = field(default_factory=count)
    named: dict[str, str] = field(default_factory=dict)  # documents of a walk

    def account(self, name: str) -> Account:
        with self.system.database.read() as tx:
            division = places()[self.region].division
            found = tx.accounts.credentials(
                LOGINS.get(name, name).replace(places()["neimenggu"].division, division, 1)
            )
        assert found is not None, name
        return found.account

    def say(self, who: str, text: str, *, key: str = "", page: str | None = None) -> Turn:
        """One turn in this person's own conversation."""
        answer = turn.respond(
            self.system, self.knowledge, self.account(who) if who != "nobody" else None,
            self.conversations.get(who), text, key or f"k{next(self.keys)}", page=page,
        )  # fmt: skip
        self.conversations[who] = answer.conversation
        return answer

    def write(self, who: str, text: str, *, key: str = "") -> str:
        """One turn on the plain-text channel, as a WeChat user bound to this account."""
        channel = PlainConversations(self.system, self.knowledge, b"secret", self.region)
        account = self.account(who).id if who != "nobody" else None
        return channel.turn(self.region, f"openid-{who}", account, text, key or f"k{next(self.keys)}")

    def state(self, who: str, *, plain: bool = False) -> State:
        """Where this person's conversation stands."""
        kept = store.of(self.system)
        account = self.account(who) if who != "nobody" else None
        if plain:
            peer = PlainConversations(self.system, self.knowledge, b"secret")._peer(
                self.region, f"openid-{who}"
            )
            owner = store.Owner(account.id if account else None, peer)
            known = kept.latest(owner, f"wechat:{self.region}")
        else:
            owner, known = store.Owner(account.id if account else None), self.conversations.get(who)
        opened = kept.load(known, owner) if known else None
        return opened.state if opened else State()

    def number(self, title: str, kind: str = "plan", who: str = "handler") -> str:
        """Number of the document whose title has this word; `contract:台式机` names a kind, `contract:` its newest live one."""
        if title in self.named:
            return self.named[title]
        if ":" in title:
            kind, _, title = title.partition(":")
            return min(self.titled(title, kind, who), key=lambda one: one.stage == "ended").number
        found = self.titled(title, kind, who)
        assert len(found) == 1, (title, [one.title for one in found])
        return found[0].number

    def titled(self, words: str, kind: str, who: str) -> list[DocumentSummary]:
        return lists.find(self.system, self.account(who), Query(kind=kind, words=words))

    def view(self, title: str, who: str = "handler", kind: str = "plan") -> DocumentView:
        return documents.get(self.system, self.account(who), self.number(title, kind, who))

    def available(self, code: str) -> int:
        """Fen of an indicator of the school that can still be used."""
        rows = ledger.indicators(self.system, self.account("handler"))
        return next(row.available_fen for row in rows if row.code.endswith(code))

    def order(self) -> str:
        """Number of the one open mall order."""
        found = documents.listing(self.system, self.account("handler"), kind="mall_order")
        assert len(found) == 1
        return found[0].number

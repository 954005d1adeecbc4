"""What happens in a conversation while its page is open: news, a person of the staff; and what was thought of answers."""

from collections.abc import Sequence

from assistant import desk_store, news, store
from assistant.store import Message, Owner
from core.domain.accounts import Account
from core.domain.errors import InvalidError, NotFoundError
from core.service import notices
from core.service.ports import Notice
from core.service.system import System

REASON_LIMIT = 200


def since(
    system: System,
    account: Account,
    conversation_id: str | None,
    after: int,
    unseen: Sequence[Notice],
    channel: str,
) -> tuple[str | None, list[Message]]:
    """The conversation and its messages after number `after`, oldest first; news are written into it first.

    NotFoundError for a conversation of someone else.
    """
    kept, owner = store.of(system), Owner(account.id)
    if conversation_id is not None:
        kept.own(conversation_id, owner)
    if unseen:
        conversation_id = conversation_id or kept.begin(owner, account.region, channel, system.clock())
        _tell(system, account, conversation_id, unseen)
    if conversation_id is None:
        return None, []
    return conversation_id, kept.messages(conversation_id, after=after)


def _tell(system: System, account: Account, conversation_id: str, unseen: Sequence[Notice]) -> None:
    """Notices become a message, except those that a person of the staff has just said here."""
    kept = store.of(system)
    said = {one.text for one in kept.messages(conversation_id, 20) if one.role == "staff"}
    replies = news.told_replies([one for one in unseen if one.text not in said], ())
    # Two open pages may both come here; a notice told twice is better than one told to nobody.
    if replies:
        text = "\n".join(reply.text for reply in replies)
        kept.tell(conversation_id, text, system.clock(), role="assistant", replies=replies)
    notices.mark_seen(system, account, [one.id for one in unseen])


def rate(
    system: System, account: Account, conversation_id: str, seq: int, *, good: bool, reason: str = ""
) -> None:
    """Keep what the asker thinks of an answer. NotFoundError for an answer that is not the asker's."""
    if len(reason) > REASON_LIMIT:
        raise InvalidError(f"理由请不超过 {REASON_LIMIT} 字", fields={"reason": "太长了"})
    mine = store.of(system).load(conversation_id, Owner(account.id))
    values = {"good": good, "reason": reason.strip(), "at": system.clock()}
    if mine is None or not desk_store.of(system).rate(conversation_id, seq, values):
        raise NotFoundError("没有找到这条答复", fields={"message": "没有找到"})

"""Exchange with other systems: the outbox is delivered, and what they push is taken in.

Delivery is at least once: a message that may have arrived is sent again under the same key, and receivers act once
for a key. HTTP happens outside any database transaction.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.errors import BlockedError, ConflictError, DomainError, InvalidError
from core.domain.rights import Capability
from core.service import acts, rights
from core.service.exchange_ports import ExchangePort, RefusedError, UnreachableError
from core.service.ports import OutboxMessage, ParkedMessage, Transaction
from core.service.system import System

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than any send may take; a message whose sender died waits for this
MOST_ATTEMPTS = 8
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
_SETTLE_TRIES = 3
_NOTE_LIMIT = 200

TOPICS = {
    "mall.dispatch": "下达到电子卖场",
    "mall.withdraw": "从电子卖场撤回",
    "agency.dispatch": "下达到代理机构",
    "agency.withdraw": "从代理机构撤回",
    "portal.publish": "发布到政府采购网",
}


@dataclass(frozen=True)
class Stuck:
    """A parked message as staff see it."""

    message: ParkedMessage
    label: str


def pause(attempts: int) -> timedelta:
    """How long to wait after the `attempts`-th try failed: 5 s, 10 s, 20 s … up to 10 minutes."""
    return min(_FIRST_PAUSE * (1 << (attempts - 1)), _LONGEST_PAUSE)


def deliver_due(system: System, port: ExchangePort, *, limit: int = 20) -> int:
    """Send what is due, in order per document; how many messages arrived.

    Any number of workers may do this at once. A system that does not answer is left alone for the rest of the round.
    """
    with system.database.read() as tx:
        due = tx.outbox.due(system.clock(), limit)
    silent: set[str] = set()
    arrived = 0
    for message in due:
        receiver = message.topic.partition(".")[0]
        claimed = None if receiver in silent else _claim(system, message)
        if claimed is None:
            continue
        try:
            port.send(receiver, claimed.topic, claimed.body, claimed.key)
        except UnreachableError as error:
            silent.add(receiver)
            _postpone(system, claimed, error, for_good=False)
        except RefusedError as error:
            _postpone(system, claimed, error, for_good=True)
        else:
            arrived += _settle(system, claimed)
    return arrived


def _claim(system: System, message: OutboxMessage) -> OutboxMessage | None:
    now = system.clock()
    with system.database.write() as tx:
        return tx.outbox.claim(message, now, now + LEASE)


def _postpone(system: System, message: OutboxMessage, error: DomainError, *, for_good: bool) -> None:
    now = system.clock()
    parked = for_good or message.attempts >= MOST_ATTEMPTS
    log.warning("exchange %s key=%s attempt=%s %s", message.topic, message.key, message.attempts, error.code)
    with system.database.write() as tx:
        if (
            tx.outbox.postponed(message, now + pause(message.attempts), error.message, parked=parked)
            and parked
        ):
            document = tx.documents.by_id(message.document_id)
            label = TOPICS.get(message.topic, message.topic)
            tell = f"{document.number} “{label}”没有办成：{error.message}。已转客服处理，您不用再操作"
            tx.records.notify({document.author_id}, document.number, tell, now)


def _settle(system: System, message: OutboxMessage) -> int:
    """Mark as delivered and move the document, in one transaction; 1 when this sender did it."""
    for _ in range(_SETTLE_TRIES):
        try:
            with system.database.write() as tx:
                if not tx.outbox.delivered(message):
                    return 0
                if message.topic.endswith(".dispatch"):
                    _dispatched(system, tx, message)
                return 1
        except ConflictError:  # someone moved the document between our look and our act: look again
            continue
    return 0  # the lease runs out, the message is sent again, and this is tried again


def _dispatched(system: System, tx: Transaction, message: OutboxMessage) -> None:
    document = tx.documents.by_id(message.document_id)
    action = system.processes.version(document.process_version, tx).actions["dispatch"]
    if document.node in action.routes:
        platform = tx.accounts.system(document.region)
        acts.perform_in(
            system, tx, platform, document.number, "dispatch",
            version=document.version, arguments={}, key=f"outbox:{message.key}",
        )  # fmt: skip
    elif document.node not in action.routes.values():
        _compensate(system, tx, message, document)


def _compensate(system: System, tx: Transaction, message: OutboxMessage, document: Document) -> None:
    """The plan left while it was on its way (somebody asked to cancel it): take it back over there."""
    topic = message.topic.replace(".dispatch", ".withdraw")
    tx.outbox.send(document.id, topic, message.body, f"{message.key}-undo", system.clock())


def stuck(system: System, actor: Account) -> list[Stuck]:
    """Parked messages of the region, oldest first; for support staff and administrators."""
    rights.require(system, actor, Capability.MANAGE_OUTBOX)
    with system.database.read() as tx:
        return [Stuck(item, TOPICS.get(item.topic, item.topic)) for item in tx.outbox.parked(actor.region)]


def resume(system: System, actor: Account, message_id: int) -> None:
    """Send a parked message again, from the first attempt on. BlockedError(code `not_parked`) when it is not."""
    rights.require(system, actor, Capability.MANAGE_OUTBOX)
    now = system.clock()
    with system.database.write() as tx:
        found = _parked(tx, actor, message_id)
        if not tx.outbox.resume(message_id, now):
            raise _not_parked()
        _audit(tx, actor, now, "exchange_resume", found, {})


def set_aside(system: System, actor: Account, message_id: int, reason: str) -> None:
    """Give a parked message up, so that later ones of its document can go. InvalidError without a reason."""
    rights.require(system, actor, Capability.MANAGE_OUTBOX)
    if not 0 < len(reason.strip()) <= _NOTE_LIMIT:
        raise InvalidError(f"请写明理由，不超过 {_NOTE_LIMIT} 字", fields={"reason": "请填写理由"})
    with system.database.write() as tx:
        found = _parked(tx, actor, message_id)
        if not tx.outbox.set_aside(message_id, reason.strip()):
            raise _not_parked()
        _audit(tx, actor, system.clock(), "exchange_set_aside", found, {"reason": reason.strip()})


def _parked(tx: Transaction, actor: Account, message_id: int) -> ParkedMessage:
    found = next((item for item in tx.outbox.parked(actor.region) if item.id == message_id), None)
    if found is None:
        raise _not_parked()
    return found


def _not_parked() -> BlockedError:
    return BlockedError("这条消息已经不在待处理里了，请刷新", code="not_parked")


def _audit(
    tx: Transaction, actor: Account, at: datetime, act: str, found: ParkedMessage, more: dict[str, str]
) -> None:
    tx.records.audit(
        actor.region, at, actor.login, act, found.number, {"message": found.id, "topic": found.topic, **more}
    )

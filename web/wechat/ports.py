"""What the channel needs from the rest of the product, and the job that passes between its own parts."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Clock = Callable[[], datetime]
"""Gives the present as a timezone-aware UTC `datetime`."""

Kind = Literal["text", "voice", "image", "other", "greet", "forget"]
"""What is to be done: a turn of the conversation, a fixed answer, the greeting, or deletion."""


@dataclass(frozen=True, slots=True)
class Job:
    """One message to be answered. `key` is keyed and hashed: it names the message without naming the user."""

    key: str
    channel: str
    openid: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An answer that is to go out as customer-service messages."""

    channel: str
    openid: str
    text: str


@dataclass(frozen=True, slots=True)
class Collected:
    """An answer for the waiting request, "" if there is nothing to say; `more` if a rest has become due."""

    text: str
    more: bool = False


class Conversations(Protocol):
    """The assistant. The same as on the web; wired up by the application."""

    def turn(self, channel: str, openid: str, account_id: int | None, text: str, key: str) -> str:
        """Answer `text`. `key` makes acts idempotent: called again with it, nothing happens twice."""
        ...

    def forget(self, channel: str, openid: str) -> None:
        """Delete what this openid wrote and was told."""
        ...


class Bindings(Protocol):
    """Which account an openid speaks for."""

    def account_of(self, channel: str, openid: str) -> int | None:
        """The bound account, or None."""
        ...

    def redeem(self, channel: str, openid: str, code: str) -> str:
        """Bind with a one-time code from the web page; returns what to tell the user."""
        ...

    def forget(self, channel: str, openid: str) -> None:
        """Delete the binding."""
        ...


class Inbox(Protocol):
    """Messages under way, shared by all processes; each step is taken by exactly one of them.

    working → ready → done         answered while WeChat waits: the request collects it
    working → late → due → sending → done   answered later: goes out as customer-service messages
    """

    def first_time(self, job: Job) -> bool:
        """Insert `job`; False if a delivery with its key was here before."""
        ...

    def load(self, key: str) -> Job | None:
        """The job where it still waits for its answer."""
        ...

    def finish(self, key: str, reply: str) -> bool:
        """Store the answer; True if it is now due to be sent, because nobody waits for it any more."""
        ...

    def collect(self, key: str, *, split: Callable[[str], tuple[str, str]]) -> Collected | None:
        """Take the answer for the waiting request, or None. `split` gives what it can carry and the rest.

        The rest becomes due to be sent.
        """
        ...

    def give_up(self, key: str) -> bool:
        """The request stops waiting; False if the answer came first and can be collected."""
        ...

    def take_due(self, key: str) -> Outgoing | None:
        """Take the answer in order to send it; None if another process did, or nothing is due."""
        ...

    def sent(self, key: str, *, again: str = "") -> None:
        """Sending ended: delete the content, or keep `again` to be sent in a later try."""
        ...

    def forget(self, channel: str, openid: str) -> None:
        """Delete the content of all jobs of this openid."""
        ...

    def stale(self) -> list[str]:
        """Keys of jobs that a process left behind, each given to one caller only."""
        ...


class Runner(Protocol):
    """Runs `ChannelService.run(key)` in the background: a thread, or a task of a queue."""

    def start(self, key: str) -> None:
        """Return at once."""
        ...


class Sender(Protocol):
    """Customer-service messages of all channels."""

    def send_text(self, channel: str, openid: str, text: str) -> None:
        """Send one message; raises `WeChatError`."""
        ...


def keyed_hash(secret: bytes, *parts: str) -> str:
    """64 hexadecimal digits that stand for `parts` and cannot be guessed back without `secret`."""
    return hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

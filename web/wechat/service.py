"""From a delivered message to its answer: accepted once, answered once, delivered once.

`accept` stores the job before any work; `run` answers it in the background; `wait` collects the answer while
WeChat still listens; what comes later goes out as customer-service messages; `resume` picks up after a crash.
"""

import logging
import re
import time
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from core.domain.errors import DomainError
from web.wechat import texts
from web.wechat.config import Channel
from web.wechat.errors import WeChatError
from web.wechat.messages import Event, Image, Message, Text, Voice
from web.wechat.ports import Bindings, Collected, Conversations, Inbox, Job, Kind, Runner, Sender, keyed_hash
from web.wechat.split import split_text

logger = logging.getLogger(__name__)

_MAX_MESSAGES = 3  # of one answer: WeChat allows three after an event, five after a message
_BIND = re.compile(r"(?P<word>绑定码?)?\s*[:：]?\s*(?P<code>[0-9]{6,8})")
_UNBIND = re.compile("解绑微信|微信解绑|解除微信绑定")  # 解绑 alone is what people say of a CA key
_POLL_SECONDS = (0.01, 0.1)


class ChannelService:
    """All channels' messages. `secret` keys the hashes that stand for users in keys and logs."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        conversations: Conversations,
        bindings: Bindings,
        inbox: Inbox,
        sender: Sender,
        secret: bytes,
    ) -> None:
        self._channels = channels
        self._conversations = conversations
        self._bindings = bindings
        self._inbox = inbox
        self._sender = sender
        self._secret = secret

    def accept(self, channel: str, message: Message) -> str | None:
        """Store `message` as a job; its key if there is something to do, None if it was here before."""
        todo = _todo(message)
        if todo is None:
            return None
        key = keyed_hash(self._secret, "inbox", channel, message.key)
        kind, text = todo
        job = Job(key=key, channel=channel, openid=message.openid, kind=kind, text=text)
        return key if self._inbox.first_time(job) else None

    def run(self, key: str) -> None:
        """Answer the job `key`, or send its answer where one is due. Any number of calls act once."""
        job = self._inbox.load(key)
        if job is not None:
            logger.info("wechat message channel=%s kind=%s user=%s", job.channel, job.kind, self._user(job))
            if not self._inbox.finish(key, self._answer(job)):
                return  # the waiting request hands it over
        self._deliver(key)

    def wait(self, key: str, seconds: float) -> Collected:
        """The answer if it comes within `seconds`; otherwise nothing, and it will be sent later.

        Where it has `more`, `run` is to be called once this part is on its way.
        """
        deadline = time.monotonic() + seconds
        pause, longest = _POLL_SECONDS
        while (reply := self._inbox.collect(key, split=_first)) is None:
            if time.monotonic() >= deadline:
                given_up = self._inbox.give_up(key)  # where it fails, the answer has just come
                return (None if given_up else self._inbox.collect(key, split=_first)) or Collected("")
            time.sleep(pause)
            pause = min(pause * 1.5, longest)
        return reply

    def resume(self, runner: Runner) -> int:
        """Start what a crashed process left behind; to be called at the start and every minute. How many."""
        keys = self._inbox.stale()
        for key in keys:
            runner.start(key)
        return len(keys)

    def _answer(self, job: Job) -> str:
        try:
            return self._answer_for(job)
        except DomainError as error:
            return error.message
        except Exception:
            logger.exception("wechat turn failed channel=%s user=%s", job.channel, self._user(job))
            return texts.FAILED

    def _answer_for(self, job: Job) -> str:
        if job.kind == "text":
            return self._turn(job)
        if job.kind == "forget":
            return self._forget(job)
        if job.kind == "greet":
            channel = self._channels.get(job.channel)
            return (channel and channel.greeting) or texts.GREETING
        return {"voice": texts.VOICE, "image": texts.IMAGE, "other": texts.OTHER}[job.kind]

    def _turn(self, job: Job) -> str:
        account_id = self._bindings.account_of(job.channel, job.openid)
        code = _BIND.fullmatch(unicodedata.normalize("NFKC", job.text).strip())
        if account_id is not None and _UNBIND.fullmatch(job.text.strip()):
            self._bindings.forget(job.channel, job.openid)
            self._conversations.forget(job.channel, job.openid)  # it holds what only the account may see
            return texts.UNBOUND
        # For who is bound already, bare digits are an answer to a question, such as a plan's number
        if code and (account_id is None or code["word"]):
            return self._bindings.redeem(job.channel, job.openid, code["code"])
        return self._conversations.turn(job.channel, job.openid, account_id, job.text, job.key)

    def _forget(self, job: Job) -> str:
        """WeChat demands that the data of who leaves is deleted; the log keeps that it was, not of whom."""
        self._bindings.forget(job.channel, job.openid)
        self._conversations.forget(job.channel, job.openid)
        self._inbox.forget(job.channel, job.openid)
        logger.info("wechat forgotten channel=%s user=%s", job.channel, self._user(job))
        return ""

    def _deliver(self, key: str) -> None:
        due = self._inbox.take_due(key)
        if due is None:
            return
        pieces = split_text(due.text, most=_MAX_MESSAGES)
        for number, piece in enumerate(pieces):
            try:
                self._sender.send_text(due.channel, due.openid, piece)
            except WeChatError as error:
                user = keyed_hash(self._secret, "user", due.channel, due.openid)
                logger.warning(
                    "wechat send failed channel=%s user=%s code=%s errcode=%s",
                    due.channel, user, error.code, error.fields.get("errcode"),
                )  # fmt: skip
                self._inbox.sent(key, again="\n".join(pieces[number:]) if error.may_send_again else "")
                return
        self._inbox.sent(key)

    def _user(self, job: Job) -> str:
        return keyed_hash(self._secret, "user", job.channel, job.openid)


class ThreadRunner:
    """`Runner` with threads of this process, for the embedded mode."""

    def __init__(self, service: ChannelService, *, threads: int = 8) -> None:
        self._service = service
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="wechat")

    def start(self, key: str) -> None:
        self._pool.submit(self._run, key)

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown()

    def _run(self, key: str) -> None:
        try:
            self._service.run(key)
        except Exception:
            # The job stays in the inbox and `resume` takes it up
            logger.exception("wechat job failed")


def _todo(message: Message) -> tuple[Kind, str] | None:
    """What a message asks for; None for events that ask for nothing."""
    if isinstance(message, Text):
        return ("text", message.content) if message.content.strip() else ("other", "")
    if isinstance(message, Voice):
        return ("text", message.recognition) if message.recognition else ("voice", "")
    if isinstance(message, Image):
        return "image", ""
    if not isinstance(message, Event):
        return "other", ""
    if message.event == "CLICK" and message.event_key:
        return "text", message.event_key
    todo: dict[str, Kind] = {"subscribe": "greet", "SCAN": "greet", "unsubscribe": "forget"}
    return (todo[message.event], "") if message.event in todo else None


def _first(reply: str) -> tuple[str, str]:
    """What one passive reply carries, and the rest."""
    pieces = split_text(reply, most=_MAX_MESSAGES)
    return (pieces[0], "\n".join(pieces[1:])) if pieces else ("", "")

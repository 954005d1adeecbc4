"""Bindings and the shared access token in SQL."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Engine, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from core.adapters.database import reader_of
from web.wechat import texts
from web.wechat.client import AccessToken
from web.wechat.errors import WeChatError
from web.wechat.ports import Clock, keyed_hash
from web.wechat.tables import bind_attempt, bind_code, binding, token

_CODE_DIGITS = 8
_CODE_SECONDS = 600
_TRIES_EACH = 5  # wrong codes of one user in ten minutes
_TRIES_ALL = 200  # wrong codes in a channel: with eight digits a guess stays hopeless for many users together
_LEASE_SECONDS = 30  # longer than both calls a refresh may make
_WAIT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class BindCode:
    """A one-time code to be shown on the web page, once; only its hash is stored."""

    code: str
    expires_at: datetime


class SqlBindings:
    """`Bindings` over `wechat_binding`, `wechat_bind_code`, `wechat_bind_attempt`."""

    def __init__(self, engine: Engine, now: Clock, secret: bytes) -> None:
        """`secret` keys the hashes of codes and of who tried them."""
        self._engine = engine
        self._reader = reader_of(engine)  # no write lock for a look
        self._now = now
        self._secret = secret

    def account_of(self, channel: str, openid: str) -> int | None:
        query = select(binding.c.account_id).where(_is(channel, openid))
        with self._reader.connect() as connection:
            return connection.scalar(query)

    def openids_of(self, account_id: int) -> list[tuple[str, str]]:
        """(channel, openid) of every place where this account can be told something."""
        query = select(binding.c.channel, binding.c.openid).where(binding.c.account_id == account_id)
        with self._reader.connect() as connection:
            return [(row.channel, row.openid) for row in connection.execute(query)]

    def issue(self, account_id: int) -> BindCode:
        """A new code of eight digits for the signed-in account, good for ten minutes; earlier ones expire."""
        expires_at = self._seconds() + _CODE_SECONDS
        while True:
            code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}d}"
            row = {"code_hash": self._hash(code), "account_id": account_id, "expires_at": expires_at}
            old = or_(bind_code.c.account_id == account_id, bind_code.c.expires_at <= self._seconds())
            try:
                with self._engine.begin() as connection:
                    connection.execute(delete(bind_code).where(old))
                    connection.execute(insert(bind_code).values(row))
            except IntegrityError:
                continue  # someone else holds this very code now: draw again
            return BindCode(code, datetime.fromtimestamp(expires_at, UTC))

    def redeem(self, channel: str, openid: str, code: str) -> str:
        """Bind `openid` to the account of `code`; wrong codes are counted before the code is looked at."""
        who = keyed_hash(self._secret, "try", channel, openid)
        if not self._may_try(channel, who):
            return texts.TOO_MANY_TRIES
        with self._engine.begin() as connection:
            found = (bind_code.c.code_hash == self._hash(code)) & (bind_code.c.expires_at > self._seconds())
            account_id = connection.scalar(delete(bind_code).where(found).returning(bind_code.c.account_id))
            if account_id is None:
                return texts.CODE_WRONG
            same_account = (binding.c.channel == channel) & (binding.c.account_id == account_id)
            connection.execute(delete(binding).where(or_(_is(channel, openid), same_account)))
            row = {
                "channel": channel,
                "openid": openid,
                "account_id": account_id,
                "bound_at": self._seconds(),
            }
            connection.execute(insert(binding).values(row))
            connection.execute(delete(bind_attempt).where(bind_attempt.c.who == who))
        return texts.BOUND

    def forget(self, channel: str, openid: str) -> None:
        who = keyed_hash(self._secret, "try", channel, openid)
        with self._engine.begin() as connection:
            connection.execute(delete(binding).where(_is(channel, openid)))
            connection.execute(delete(bind_attempt).where(bind_attempt.c.who == who))

    def unbind(self, account_id: int) -> None:
        """From the web page: no openid speaks for this account any more, and no code of it is good."""
        with self._engine.begin() as connection:
            connection.execute(delete(binding).where(binding.c.account_id == account_id))
            connection.execute(delete(bind_code).where(bind_code.c.account_id == account_id))

    def _may_try(self, channel: str, who: str) -> bool:
        """Count this try, then judge: tries at the same time all see each other."""
        now = self._seconds()
        mine = (bind_attempt.c.channel == channel) & (bind_attempt.c.who == who)
        with self._engine.begin() as connection:
            connection.execute(delete(bind_attempt).where(bind_attempt.c.tried_at <= now - _CODE_SECONDS))
            connection.execute(insert(bind_attempt).values(channel=channel, who=who, tried_at=now))
        with self._reader.connect() as connection:
            each = connection.scalar(select(func.count()).where(mine)) or 0
            everyone = connection.scalar(select(func.count()).where(bind_attempt.c.channel == channel)) or 0
        return each <= _TRIES_EACH and everyone <= _TRIES_ALL

    def _hash(self, code: str) -> str:
        return keyed_hash(self._secret, "bind-code", code)

    def _seconds(self) -> int:
        return int(self._now().timestamp())


def _is(channel: str, openid: str) -> ColumnElement[bool]:
    return (binding.c.channel == channel) & (binding.c.openid == openid)


class SqlTokenStore:
    """`TokenStore` over `wechat_token`: one refresher at a time, whatever the number of workers.

    The lock is a lease in the row, not a held transaction: a call to WeChat may take seconds, and SQLite has
    one writer.
    """

    def __init__(self, engine: Engine, now: Clock) -> None:
        self._engine = engine
        self._reader = reader_of(engine)  # no write lock for a look
        self._now = now

    def current(self, app_id: str) -> str | None:
        good = (token.c.app_id == app_id) & (token.c.expires_at > self._seconds())
        with self._reader.connect() as connection:
            return connection.scalar(select(token.c.token).where(good))

    def refresh(self, app_id: str, stale: str | None, fetch: Callable[[], AccessToken]) -> str:
        self._ensure_row(app_id)
        holder = secrets.token_hex(16)
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            value = self.current(app_id)
            if value is not None and value != stale:
                return value
            if self._take_lease(app_id, holder):
                return self._refresh_as(holder, app_id, stale, fetch)
            if time.monotonic() > deadline:
                raise WeChatError("access_token 正在由其他进程更新，请稍后再试。", code="wechat_busy")
            time.sleep(0.05)

    def _refresh_as(
        self, holder: str, app_id: str, stale: str | None, fetch: Callable[[], AccessToken]
    ) -> str:
        mine = (token.c.app_id == app_id) & (token.c.lease == holder)
        values: dict[str, object] = {"lease": None, "lease_until": 0}
        try:
            # Another may have finished between the look and the lease
            value = self.current(app_id)
            if value is None or value == stale:
                fresh = fetch()
                value = fresh.value
                values |= {"token": value, "expires_at": self._seconds() + fresh.seconds}
            return value
        finally:
            with self._engine.begin() as connection:
                connection.execute(update(token).where(mine).values(**values))

    def _take_lease(self, app_id: str, holder: str) -> bool:
        now = self._seconds()
        free = (token.c.app_id == app_id) & (token.c.lease_until <= now)
        statement = update(token).where(free).values(lease=holder, lease_until=now + _LEASE_SECONDS)
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount == 1

    def _ensure_row(self, app_id: str) -> None:
        row = {"app_id": app_id, "token": None, "expires_at": 0, "lease": None, "lease_until": 0}
        with self._reader.connect() as connection:
            if connection.scalar(select(token.c.app_id).where(token.c.app_id == app_id)) is not None:
                return
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(token).values(row))
        except IntegrityError:
            return  # another worker was first

    def _seconds(self) -> int:
        return int(self._now().timestamp())

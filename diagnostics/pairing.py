"""Pairing of one page with the desk's agent: a code read from the screen, used once, becomes a token."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from core.domain.errors import AuthenticationError

CODE_LIFE_S = 300.0
TOKEN_LIFE_S = 8 * 3600.0  # a working day
MAX_TRIES = 5
CODE_DIGITS = 8


@dataclass(frozen=True)
class Paired:
    """A page that was let in. `reference` is what the page calls its conversation; sent along with reports."""

    origin: str
    reference: str
    until: float


class Pairing:
    """One code for the life of the agent; nothing of it is kept on disk."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` in seconds, never going back."""
        self._clock = clock
        self._lock = Lock()
        self._code: str | None = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        self._until = clock() + CODE_LIFE_S
        self._tries = 0
        self._tokens: dict[str, Paired] = {}

    @property
    def code(self) -> str | None:
        """The code to show; None once used, run out or guessed at too often."""
        return self._code if self._clock() < self._until else None

    def pair(self, code: str, origin: str, reference: str) -> str:
        """A token for pages of `origin`. AuthenticationError for a wrong, used or outdated code."""
        with self._lock:
            current = self.code
            if current is None:
                raise AuthenticationError("配对码已失效，请重新启动诊断助手取得新的配对码", code="code_void")
            self._tries += 1
            right = secrets.compare_digest(code.encode(), current.encode())
            if right or self._tries >= MAX_TRIES:
                self._code = None
            if not right:
                left = MAX_TRIES - self._tries
                raise AuthenticationError(f"配对码不对，还可以试 {left} 次", code="code_wrong")
            token = secrets.token_urlsafe(32)
            self._tokens[token] = Paired(origin, reference, self._clock() + TOKEN_LIFE_S)
            return token

    def paired(self, token: str, origin: str) -> Paired:
        """Who holds `token`. AuthenticationError where it is unknown, outdated or another origin's."""
        found = self._tokens.get(token)
        if found is None or found.origin != origin or self._clock() >= found.until:
            raise AuthenticationError(
                "还没有配对，或配对已过期，请输入诊断助手显示的配对码", code="not_paired"
            )
        return found

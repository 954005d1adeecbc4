"""Errors of the whole product: a stable code, a Chinese sentence for the user, and the fields concerned.

They never speak of HTTP; `web.errors` holds the one table that translates codes.
"""

from collections.abc import Mapping


class DomainError(Exception):
    """Base of every error a user may see.

    `code` is stable and snake_case; `message` is Chinese and says what is wrong, where, and how to mend it;
    `fields` names the inputs concerned (field → sentence or value).
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        """Keep `message` for the user, override the class's `code` where a finer one exists."""
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})
        if code is not None:
            self.code = code


class NotFoundError(DomainError):
    """The thing does not exist, or the asker may not know that it does."""

    code = "not_found"


class ForbiddenError(DomainError):
    """The account is known but may not do this."""

    code = "forbidden"


class InvalidError(DomainError):
    """Input is wrong; `fields` maps each wrong field to a sentence."""

    code = "invalid"


class ConflictError(DomainError):
    """The document moved since it was shown; nothing was done."""

    code = "moved"


class BlockedError(DomainError):
    """A rule forbids the act now; `fields["reasons"]` lists the sentences."""

    code = "blocked"


class AuthenticationError(DomainError):
    """Sign-in failed, the session is missing, expired, or the account is locked."""

    code = "not_signed_in"


class UnavailableError(DomainError):
    """A part outside (signing module, mall, finance) does not answer; trying later may help."""

    code = "unavailable"


class DataError(DomainError):
    """Data files are wrong. `problems` lists every mistake as `file:line: sentence`."""

    code = "bad_data"

    def __init__(self, problems: list[str]) -> None:
        """Keep all problems, sorted as found."""
        super().__init__("数据文件有错误：\n" + "\n".join(problems))
        self.problems = list(problems)

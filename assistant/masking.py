"""What leaves a conversation (into the knowledge, to a model) without the numbers of people and documents."""

import re

from assistant.understanding import hear

_DIGITS = re.compile(r"\d[\d -]{5,}\d")  # telephone, account and card numbers


def masked(text: str, limit: int) -> str:
    """In one line, at most `limit` characters; documents are 这条计划, other long numbers 某号码."""
    return unnumbered(hear(text).plain, limit)


def unnumbered(text: str, limit: int) -> str:
    """As it was written, in one line, at most `limit` characters; long numbers are 某号码."""
    return _DIGITS.sub("某号码", " ".join(text.split()))[:limit]

"""Certificates in keys (CA锁): how they are named, whose makers are accepted, how their numbers are compared."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_SEPARATORS = re.compile(r"[\s:：-]")
_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_HEAD, _TAIL = 6, 2  # of an account number that others may see


@dataclass(frozen=True)
class KeyCertificate:
    """What is kept of a certificate: `serial` in upper-case hexadecimal, `sha256` of its DER, times in UTC."""

    serial: str
    issuer: str
    subject: str
    not_after: datetime
    sha256: str

    @property
    def owner(self) -> str:
        """`青原市示范中学公章`: the common name of the subject, else all of it."""
        return common_name(self.subject)


@dataclass(frozen=True)
class Vendor:
    """An accepted certificate authority of a region, with the spellings its certificates bear."""

    name: str
    spellings: tuple[str, ...]


def common_name(name: str) -> str:
    """`CN=某局公章,O=某局,C=CN` → `某局公章`."""
    found = re.search(r"(?:^|[,+])CN=((?:\\.|[^,+\\])*)", name)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else name


def accepted(issuer: str, vendors: Sequence[Vendor]) -> bool:
    """Whether one of the region's vendors issued it; a region that names none leaves it to the chain alone."""
    low = issuer.casefold()
    return not vendors or any(word.casefold() in low for vendor in vendors for word in vendor.spellings)


def serials(text: str) -> frozenset[str]:
    """All serials that `text` may mean, as upper-case hexadecimal: people copy it in hexadecimal or in decimal.

    Empty for text that is no number.
    """
    plain = _SEPARATORS.sub("", text)
    bare = plain[2:] if plain[:2] in {"0x", "0X"} else plain
    if not _HEX.match(bare):
        return frozenset()
    meant = {int(bare, 16)} | ({int(bare)} if plain.isascii() and plain.isdecimal() else set())
    return frozenset(f"{number:X}" for number in meant)


def masked_login(login: str) -> str:
    """`15029910100101` → `150299******01`, for those whose account it is not."""
    if len(login) <= _HEAD + _TAIL:
        return "*" * len(login)
    return f"{login[:_HEAD]}{'*' * (len(login) - _HEAD - _TAIL)}{login[-_TAIL:]}"

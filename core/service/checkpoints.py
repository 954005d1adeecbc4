"""Signed checkpoints of the audit: what each region's chain was at a time, to be kept where the database is not.

A chain beside its data can be rewritten whole, or lose its tail together with its head. A checkpoint says how many
entries there were and what the last one's hash was, signed with a key of the installation; every later look at the
chains can be held against it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from core.domain.calendar import HERE
from core.domain.errors import BlockedError, InvalidError
from core.service.ports import Transaction
from core.service.system import System

FORMAT = "caigou-audit-checkpoint-1"
Heads = Mapping[str, tuple[int, str]]  # region → (entries, hash of the last one)


class CheckpointKey(Protocol):
    """The installation's key. Public keys and signatures are base64 texts."""

    @property
    def public(self) -> str: ...
    def sign(self, body: bytes) -> str: ...
    def genuine(self, public: str, body: bytes, signature: str) -> bool: ...


class Shelf(Protocol):
    """Where the daily checkpoints lie, one a day."""

    def has(self, day: date) -> bool: ...
    def latest(self) -> str | None: ...
    def keep(self, day: date, text: str) -> None: ...


@dataclass(frozen=True)
class Checkpoint:
    """What was signed; `at` is UTC."""

    at: datetime
    heads: Heads
    public: str
    signature: str

    @property
    def count(self) -> int:
        """Entries of all chains."""
        return sum(seq for seq, _ in self.heads.values())

    @property
    def body(self) -> dict[str, Any]:
        """What the signature is over."""
        return {
            "format": FORMAT, "at": self.at.isoformat(), "count": self.count, "key": self.public,
            "chains": {region: {"seq": seq, "hash": digest} for region, (seq, digest) in sorted(self.heads.items())},
        }  # fmt: skip

    @property
    def text(self) -> str:
        """The file."""
        return json.dumps({**self.body, "signature": self.signature}, ensure_ascii=False, indent=2) + "\n"


def make(system: System, key: CheckpointKey) -> Checkpoint:
    """Sign how the chains stand now; BlockedError, which names every break, where one does not verify."""
    with system.database.read() as tx:
        broken, heads = tx.records.broken_audit(), tx.records.audit_heads()
    if broken:
        raise BlockedError(
            "审计链有问题，没有签检查点：" + "；".join(broken),
            code="audit_broken",
            fields={"reasons": broken},
        )
    unsigned = Checkpoint(system.clock(), heads, key.public, "")
    return Checkpoint(unsigned.at, heads, key.public, key.sign(_canonical(unsigned)))


def read(text: str) -> Checkpoint:
    """A checkpoint from its file; InvalidError where it is none. Nothing is believed yet."""
    try:
        given = json.loads(text)
        chains = given["chains"].items()
        heads = {region: (int(chain["seq"]), str(chain["hash"])) for region, chain in chains}
        at = datetime.fromisoformat(given["at"])
        found = Checkpoint(at, heads, str(given["key"]), str(given["signature"]))
        known = {**found.body, "signature": found.signature} == given
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        known = False
    if not known:
        raise InvalidError(
            "这不是审计检查点文件，或已经损坏", code="bad_checkpoint", fields={"file": "不是检查点"}
        )
    return found


def problems(system: System, key: CheckpointKey, checkpoint: Checkpoint, trusted: str) -> list[str]:
    """What is wrong with the record as it is now, seen from a checkpoint; `trusted` is the public key that it must bear.

    Empty: every chain verifies, and still begins with all that the checkpoint has seen.
    """
    if checkpoint.public != trusted or not key.genuine(trusted, _canonical(checkpoint), checkpoint.signature):
        return ["检查点的签名不对：文件被改过，或不是这把密钥签的"]
    with system.database.read() as tx:
        found = tx.records.broken_audit()
        for region, (seq, digest) in sorted(checkpoint.heads.items()):
            found += _lost(tx, checkpoint, region, seq, digest)
    return found


def _lost(tx: Transaction, checkpoint: Checkpoint, region: str, seq: int, digest: str) -> list[str]:
    when = f"{checkpoint.at.astimezone(HERE):%Y-%m-%d %H:%M}"
    now = tx.records.audit_hash(region, seq)
    if now is None:
        left = tx.records.audit_heads().get(region, (0, ""))[0]
        return [f"{region}：{when} 的检查点时已有 {seq} 条，现在只有 {left} 条，末尾的记录被删过"]
    return [] if now == digest else [f"{region} 第 {seq} 条：与 {when} 的检查点不一致，链被改写过"]


def daily(system: System, key: CheckpointKey, shelf: Shelf) -> bool:
    """Keep today's checkpoint unless there is one; whether one was made.

    BlockedError where the record does not agree with the latest one: a rewritten chain is never signed anew.
    """
    today = system.today
    if shelf.has(today):
        return False
    latest = shelf.latest()
    if latest is not None and (found := problems(system, key, read(latest), key.public)):
        raise BlockedError(
            "审计记录与上一个检查点不一致，没有再签：" + "；".join(found),
            code="audit_broken",
            fields={"reasons": found},
        )
    shelf.keep(today, make(system, key).text)
    return True


def _canonical(checkpoint: Checkpoint) -> bytes:
    body = {**checkpoint.body, "at": checkpoint.at.astimezone(UTC).isoformat()}
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

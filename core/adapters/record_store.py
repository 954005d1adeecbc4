"""Audit chain, idempotency, notices, certificates, repairs and process versions in SQL."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from core.adapters.identity_tables import account, deputy
from core.adapters.prepared import Prepared
from core.adapters.process_build import dump
from core.adapters.staff_store import holding
from core.adapters.tables import (
    audit,
    audit_head,
    certificate,
    idempotency,
    inserted_id,
    notice,
    process_version,
    repair,
    repair_waiting,
)
from core.domain.accounts import Role
from core.domain.calendar import day_of
from core.domain.errors import ConflictError
from core.domain.ledger import PUSHES
from core.domain.process import Process
from core.service.ports import Certificate, Notice, RepairRow

_GENESIS = "0" * 64
_AUDITED = ("region", "seq", "at", "account", "act", "subject", "body", "previous")


def chain_hash(row: Any) -> str:
    """Hash over every field of an audit row and, through `previous`, over all rows before it."""
    canonical = json.dumps([row[name] for name in _AUDITED], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


_NEXT_SEQ = Prepared(
    text(
        "INSERT INTO audit_head (region, seq, hash) VALUES (:region, 1, :hash) "
        "ON CONFLICT (region) DO UPDATE SET seq = audit_head.seq + 1 RETURNING seq, hash"
    ).columns(audit_head.c.seq, audit_head.c.hash)
)
# Held to the end of the transaction, so that of two clicks the second sees what the first has done.
_KEY_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_KEEP_PROCESS = text(
    "INSERT INTO process_version (version, body) VALUES (:version, :body) ON CONFLICT DO NOTHING"
)


# Statements of every act are built once: building one costs more than running it.
_ADD_AUDIT = Prepared(insert(audit))
_SET_HEAD = Prepared(
    update(audit_head).where(audit_head.c.region == bindparam("sought")).values(hash=bindparam("newest"))
)
_REMEMBERED = Prepared(
    select(idempotency.c.digest, idempotency.c.result).where(
        idempotency.c.account_id == bindparam("owner"), idempotency.c.key == bindparam("sought")
    )
)
_REMEMBER = Prepared(insert(idempotency))
# Nobody asks for the new id.
_ADD_NOTICE = Prepared(insert(notice).inline(), "account_id", "number", "text", "at", "seen")
_OVERTAKEN = Prepared(
    update(notice)
    .where(
        notice.c.account_id == bindparam("account"),
        notice.c.seen.is_(False),
        notice.c.number == bindparam("sought"),
    )
    .values(seen=True)
)
_STANDING_IN = Prepared(
    select(deputy.c.deputy_id, account.c.name)
    .join(account, account.c.id == deputy.c.principal_id)
    .where(deputy.c.principal_id == bindparam("principal"), holding(bindparam("day")))
)
_RUNNING = (
    select(repair)
    .where(repair.c.document_id.in_(bindparam("sought", expanding=True)), repair.c.state == "running")
    .order_by(repair.c.id)
)
_RUNNING_OF_ONE = Prepared(
    select(repair)
    .where(repair.c.document_id == bindparam("sought"), repair.c.state == "running")
    .order_by(repair.c.id)
)
_CERTIFICATE = Prepared(
    select(certificate)
    .where(certificate.c.document_id == bindparam("sought"))
    .order_by(certificate.c.id.desc())
    .limit(1)
)
# Every turn of a conversation asks these two.
_UNSEEN = Prepared(
    select(notice)
    .where(notice.c.account_id == bindparam("account"), notice.c.seen.is_(False))
    .order_by(notice.c.id)
)
_WAITING = Prepared(
    select(repair)
    .join(repair_waiting, repair_waiting.c.repair_id == repair.c.id)
    .where(repair_waiting.c.unit_id == bindparam("unit"), repair_waiting.c.role == bindparam("role"))
    .order_by(repair.c.id)
)


class RecordStore:
    """Implements `core.service.ports.Records`."""

    def __init__(self, connection: Connection) -> None:
        """Work on one connection."""
        self._connection = connection

    def audit(
        self, region: str, at: datetime, account: str, act: str, subject: str, body: Mapping[str, Any]
    ) -> None:
        """Append to the region's chain. Touching the head first makes writers of one region queue up."""
        head = _NEXT_SEQ.one(self._connection, {"region": region, "hash": _GENESIS})
        row = {
            "region": region,
            "seq": head.seq,
            "at": at.isoformat(),
            "account": account,
            "act": act,
            "subject": subject,
            "body": json.dumps(body, ensure_ascii=False, sort_keys=True),
            "previous": head.hash,
        }
        row["hash"] = chain_hash(row)
        _ADD_AUDIT.change(self._connection, row)
        _SET_HEAD.change(self._connection, {"sought": region, "newest": row["hash"]})

    def latest(self, region: str, acts: Collection[str]) -> datetime | None:
        """When one of these acts was last recorded in a region."""
        found = self._connection.execute(
            select(func.max(audit.c.at)).where(audit.c.region == region, audit.c.act.in_(acts))
        ).scalar()
        return datetime.fromisoformat(found) if found else None

    def imports(self, region: str, codes: Collection[str]) -> list[tuple[datetime, Mapping[str, Any]]]:
        """When finance pushed indicators of these codes, and what it pushed; oldest first."""
        statement = select(audit.c.at, audit.c.body).where(
            audit.c.region == region, audit.c.act.in_(PUSHES), audit.c.subject.in_(codes)
        )
        rows = self._connection.execute(statement.order_by(audit.c.seq))
        return [(datetime.fromisoformat(row.at), json.loads(row.body)) for row in rows]

    def audit_heads(self) -> dict[str, tuple[int, str]]:
        """Of each region's chain: how many entries, and the hash of the last one."""
        return {row.region: (row.seq, row.hash) for row in self._connection.execute(select(audit_head))}

    def audit_hash(self, region: str, seq: int) -> str | None:
        """Hash of one entry; None where there is none."""
        statement = select(audit.c.hash).where(audit.c.region == region, audit.c.seq == seq)
        return self._connection.execute(statement).scalar_one_or_none()

    def broken_audit(self) -> list[str]:
        """Every break of a chain as a sentence; empty when the audit verifies."""
        problems: list[str] = []
        heads = self.audit_heads()
        last: dict[str, tuple[int, str]] = {}
        for row in self._connection.execute(select(audit).order_by(audit.c.region, audit.c.seq)).mappings():
            seq, previous = last.get(row["region"], (0, _GENESIS))
            place = f"{row['region']} 第 {row['seq']} 条"
            if row["seq"] != seq + 1:
                problems.append(f"{place}：前面缺 {row['seq'] - seq - 1} 条记录")
            if row["previous"] != previous:
                problems.append(f"{place}：与上一条接不上")
            if chain_hash(row) != row["hash"]:
                problems.append(f"{place}：内容被改过")
            last[row["region"]] = (row["seq"], row["hash"])
        problems += [
            f"{region}：末尾的记录被删过"
            for region in sorted(heads.keys() | last.keys())
            if heads.get(region, (0, _GENESIS)) != last.get(region, (0, _GENESIS))
        ]
        return problems

    def remembered(self, account_id: int, key: str) -> tuple[str, Any] | None:
        """Digest of the request and result that this key brought before; waits for whoever is using it now."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(_KEY_LOCK, {"key": f"{account_id}:{key}"})
        row = _REMEMBERED.first(self._connection, {"owner": account_id, "sought": key})
        return (row.digest, row.result) if row else None

    def remember(self, account_id: int, key: str, digest: str, result: Any, at: datetime) -> None:
        """Keep a key; ConflictError(code `in_progress`) when the same key is being used at this moment."""
        try:
            row = {"account_id": account_id, "key": key, "digest": digest, "result": result, "at": at}
            _REMEMBER.change(self._connection, row)
        except IntegrityError as error:
            raise ConflictError("同一个请求正在办理，请稍后看结果", code="in_progress") from error

    def notify(self, account_ids: Iterable[int], number: str, words: str, at: datetime) -> None:
        """Tell these accounts once each; of a document also those who stand in for them now."""
        texts = dict.fromkeys(sorted(set(account_ids)), words)
        if number:
            for principal in list(texts):
                known = {"principal": principal, "day": day_of(at)}
                for row in _STANDING_IN.rows(self._connection, known):
                    texts.setdefault(row.deputy_id, f"代{row.name}：{words}")
        for account_id, told in texts.items():
            row = {"account_id": account_id, "number": number, "text": told, "at": at, "seen": False}
            _ADD_NOTICE.change(self._connection, row)

    def notices(self, account_id: int) -> list[Notice]:
        """What an account has not seen yet, oldest first."""
        rows = _UNSEEN.rows(self._connection, {"account": account_id})
        return [Notice(row.id, row.at, row.text, row.number) for row in rows]

    def mark_seen(self, account_id: int, ids: Sequence[int]) -> None:
        """These were shown."""
        own = update(notice).where(notice.c.account_id == account_id, notice.c.id.in_(ids))
        self._connection.execute(own.values(seen=True))

    def mark_overtaken(self, account_id: int, number: str) -> None:
        """What was still to be told of this document is no news to whoever has acted on it or need not."""
        _OVERTAKEN.change(self._connection, {"account": account_id, "sought": number})

    def add_certificate(self, document_id: int, item: Certificate, account_id: int) -> None:
        """A newly signed certificate; the latest one counts."""
        self._connection.execute(
            insert(certificate).values(
                document_id=document_id,
                sha256=item.sha256,
                seal=item.seal,
                seal_serial=item.seal_serial,
                signed_by=account_id,
                signed_at=item.signed_at,
            )
        )

    def certificate(self, document_id: int) -> Certificate | None:
        """The latest certificate."""
        row = _CERTIFICATE.first(self._connection, {"sought": document_id})
        return Certificate(row.sha256, row.seal, row.seal_serial, row.signed_at) if row else None

    def add_repair(self, row: RepairRow, at: datetime) -> int:
        """A new running repair; its id."""
        values = {
            "document_id": row.document_id, "number": row.number, "goal": row.goal, "asked_by": row.asked_by,
            "state": row.state, "steps": [dict(step) for step in row.steps], "position": row.position,
            "fingerprint": row.fingerprint, "why_stopped": row.why_stopped, "at": at,
        }  # fmt: skip
        return inserted_id(self._connection.execute(insert(repair).values(values)))

    def repair(self, repair_id: int) -> RepairRow | None:
        """One repair."""
        row = self._connection.execute(select(repair).where(repair.c.id == repair_id)).first()
        return _repair(row) if row else None

    def running_repairs(self, document_ids: Sequence[int]) -> list[RepairRow]:
        """Running repairs of these documents, oldest first."""
        if len(document_ids) == 1:
            rows = _RUNNING_OF_ONE.rows(self._connection, {"sought": document_ids[0]})
        else:
            rows = list(self._connection.execute(_RUNNING, {"sought": list(document_ids)}))
        return [_repair(row) for row in rows]

    def waiting_repairs(self, unit_id: int, role: Role) -> list[RepairRow]:
        """Running repairs whose next step waits for this role of this unit, oldest first."""
        rows = _WAITING.rows(self._connection, {"unit": unit_id, "role": role.value})
        return [_repair(row) for row in rows]

    def set_repair(
        self,
        repair_id: int,
        *,
        state: str,
        position: int,
        why: str = "",
        waiting: Iterable[tuple[int, Role]] = (),
        asked: Collection[int] = (),
    ) -> None:
        """How far a repair has come, whose turn it is, and which accounts were asked."""
        values = {"state": state, "position": position, "why_stopped": why, "asked": sorted(asked)}
        self._connection.execute(update(repair).where(repair.c.id == repair_id).values(values))
        self._connection.execute(delete(repair_waiting).where(repair_waiting.c.repair_id == repair_id))
        rows = [{"repair_id": repair_id, "unit_id": unit_id, "role": role.value} for unit_id, role in waiting]
        if rows:
            self._connection.execute(insert(repair_waiting), rows)

    def keep_processes(self, processes: Iterable[Process]) -> None:
        """Keep definitions that documents start on. Only new ones are written down: that takes longer than all of a start."""
        known = set(self._connection.execute(select(process_version.c.version)).scalars())
        new = [{"version": one.version, "body": dump(one)} for one in processes if one.version not in known]
        if new:
            self._connection.execute(_KEEP_PROCESS, new)

    def process_body(self, version: str) -> str | None:
        """Canonical JSON of a kept definition."""
        statement = select(process_version.c.body).where(process_version.c.version == version)
        return self._connection.execute(statement).scalar_one_or_none()


def _repair(row: Any) -> RepairRow:
    return RepairRow(
        row.id, row.document_id, row.number, row.goal, row.asked_by, row.state, row.steps, row.position,
        row.fingerprint, row.why_stopped, tuple(row.asked or ()),
    )  # fmt: skip

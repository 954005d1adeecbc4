"""Signed checkpoints: whatever happens to the record behind them is found, and so is whatever happens to them."""

import base64
import itertools
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, delete, insert, select, update

from core.__main__ import main
from core.adapters.checkpoint_files import KEY, DailyShelf, FileKey
from core.adapters.database import SqlDatabase, make_engine
from core.adapters.record_store import chain_hash
from core.adapters.tables import audit, audit_head, metadata
from core.domain.errors import BlockedError, InvalidError
from core.service import checkpoints
from core.service.system import System
from tests.core.world import World
from tests.support import small_world
from tests.support.clock import Clock
from tests.support.commands import call
from web import upkeep

REGIONS, ENTRIES = ("fujian", "neimenggu"), 5


@dataclass
class Record:
    """A chain of five entries in each of two regions, and the installation's key."""

    system: System
    key: FileKey
    var: Path

    def problems(self, checkpoint: checkpoints.Checkpoint, key: FileKey | None = None) -> list[str]:
        return checkpoints.problems(self.system, self.key, checkpoint, (key or self.key).public)

    def tamper(self, change: Callable[[Connection], object]) -> None:
        """As somebody with the database in hands could: the triggers do not stop them."""
        engine: sa.Engine = self.system.database.engine  # type: ignore[attr-defined]
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                for verb in ("update", "delete"):
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS audit_no_{verb}")
            else:
                connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER ALL")
            change(connection)

    def add(self, region: str, count: int = 1) -> None:
        for number in range(count):
            with self.system.database.write() as tx:
                tx.records.audit(
                    region, self.system.clock(), "15029910100101", "submit", f"JH-{number}", {"意见": "同意"}
                )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with people in it, built once."""
    var = tmp_path_factory.mktemp("built")
    world = small_world.build(f"sqlite:///{var / 'small.db'}", var)
    yield world.system
    world.system.database.engine.dispose()  # type: ignore[attr-defined]


@pytest.fixture
def record(built: System, database_url: str, tmp_path: Path) -> Iterator[Record]:
    engine = make_engine(database_url)
    metadata.create_all(engine)
    made = Record(replace(built, database=SqlDatabase(engine)), FileKey(tmp_path), tmp_path)
    for region in REGIONS:
        made.add(region, ENTRIES)
    yield made
    engine.dispose()


HERE = audit.c.region == "neimenggu"


def cut_tail(connection: Connection) -> None:
    """The last two entries vanish and the head is set back: the chain itself looks whole."""
    connection.execute(delete(audit).where(HERE, audit.c.seq > 3))
    last = connection.execute(select(audit.c.hash).where(HERE, audit.c.seq == 3)).scalar_one()
    connection.execute(update(audit_head).where(audit_head.c.region == "neimenggu").values(seq=3, hash=last))


def rewrite(field: str, seq: int) -> Callable[[Connection], None]:
    """One field of one entry changed, and every hash behind it worked out anew."""

    def change(connection: Connection) -> None:
        rows = [
            dict(row)
            for row in connection.execute(select(audit).where(HERE).order_by(audit.c.seq)).mappings()
        ]
        connection.execute(delete(audit).where(HERE))
        previous = rows[0]["previous"]
        for row in rows:
            if row["seq"] == seq:
                row[field] = "{}" if field == "body" else f"{row[field]}x"[-len(row[field]) :]
            row["previous"] = previous
            previous = row["hash"] = chain_hash(row)
            connection.execute(insert(audit).values(row))
        connection.execute(update(audit_head).where(audit_head.c.region == "neimenggu").values(hash=previous))

    return change


def test_a_record_that_only_grew_agrees(record: Record) -> None:
    checkpoint = checkpoints.make(record.system, record.key)
    assert checkpoint.count == len(REGIONS) * ENTRIES
    assert record.problems(checkpoint) == []
    record.add("neimenggu")
    record.add("anhui")
    assert record.problems(checkpoints.read(checkpoint.text)) == []


def test_a_tail_cut_off_with_its_head_is_missed(record: Record) -> None:
    checkpoint = checkpoints.make(record.system, record.key)
    record.tamper(cut_tail)
    with record.system.database.read() as tx:
        assert tx.records.broken_audit() == [], "the chain alone does not show it"
    (problem,) = record.problems(checkpoint)
    assert problem.startswith("neimenggu：")
    assert "已有 5 条，现在只有 3 条" in problem


def test_a_tail_replaced_by_another_is_found(record: Record) -> None:
    checkpoint = checkpoints.make(record.system, record.key)
    record.tamper(cut_tail)
    record.add("neimenggu", 4)
    (problem,) = record.problems(checkpoint)
    assert problem.startswith("neimenggu 第 5 条：与 ")
    assert "链被改写过" in problem


def test_a_chain_rewritten_whole_is_found_whatever_was_changed(record: Record) -> None:
    for field, seq in itertools.product(("at", "account", "act", "subject", "body"), (1, ENTRIES)):
        checkpoint = checkpoints.make(record.system, record.key)
        record.tamper(rewrite(field, seq))
        with record.system.database.read() as tx:
            assert tx.records.broken_audit() == [], "the chain alone does not show it"
        assert [said.split("：")[0] for said in record.problems(checkpoint)] == ["neimenggu 第 5 条"], field


def test_a_region_that_vanished_is_missed(record: Record) -> None:
    checkpoint = checkpoints.make(record.system, record.key)

    def forget(connection: Connection) -> None:
        connection.execute(delete(audit).where(HERE))
        connection.execute(delete(audit_head).where(audit_head.c.region == "neimenggu"))

    record.tamper(forget)
    assert any("现在只有 0 条" in problem for problem in record.problems(checkpoint))


def test_no_field_of_a_checkpoint_can_be_changed(record: Record) -> None:
    made = json.loads(checkpoints.make(record.system, record.key).text)
    chains = made["chains"]
    changes: list[dict[str, Any]] = [
        {"at": "2020-01-01T00:00:00+00:00"},
        {"signature": base64.b64encode(b"0" * 64).decode()},
        {"chains": {**chains, "neimenggu": {**chains["neimenggu"], "hash": "0" * 64}}},
        {"chains": {**chains, "neimenggu": {**chains["neimenggu"], "seq": 4}}, "count": made["count"] - 1},
        {"chains": {"fujian": chains["fujian"]}, "count": ENTRIES},
    ]
    for change in changes:
        forged = checkpoints.read(json.dumps({**made, **change}))
        assert record.problems(forged) == ["检查点的签名不对：文件被改过，或不是这把密钥签的"], change
    for broken in (
        {"count": 1},
        {"format": "other"},
        {"more": 1},
        {"chains": []},
        {"at": "today"},
        {"signature": 1},
    ):
        with pytest.raises(InvalidError):
            record.problems(checkpoints.read(json.dumps({**made, **broken})))
    for text in ("", "[]", "{}", "[" * 100_000):
        with pytest.raises(InvalidError):
            checkpoints.read(text)


def test_another_key_is_not_ours(record: Record, tmp_path: Path) -> None:
    other = FileKey(tmp_path / "other")
    forged = checkpoints.make(record.system, other)
    assert record.problems(forged), "signed well, by somebody else"
    assert record.problems(forged, other) == []


def test_a_broken_record_is_not_signed(record: Record) -> None:
    record.tamper(lambda c: c.execute(update(audit).where(HERE, audit.c.seq == 3).values(account="x")))
    with pytest.raises(BlockedError, match="neimenggu 第 3 条：内容被改过"):
        checkpoints.make(record.system, record.key)


def test_the_key_is_the_owners_alone_and_stays(tmp_path: Path) -> None:
    first = FileKey(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600
    assert FileKey(tmp_path).public == first.public
    assert (tmp_path / "audit-key.pub").read_text(encoding="ascii").strip() == first.public


def test_one_checkpoint_a_day_and_none_over_a_rewritten_record(record: Record) -> None:
    clock, shelf = Clock(), DailyShelf(record.var)
    system = replace(record.system, clock=clock)
    assert checkpoints.daily(system, record.key, shelf)
    assert not checkpoints.daily(system, record.key, shelf)
    clock.pass_by(days=1)
    record.add("neimenggu")
    assert checkpoints.daily(system, record.key, shelf)
    assert len(list((record.var / "checkpoints").iterdir())) == 2
    clock.pass_by(days=1)
    record.tamper(rewrite("body", 2))
    with pytest.raises(BlockedError, match="没有再签"):
        checkpoints.daily(system, record.key, shelf)
    assert len(list((record.var / "checkpoints").iterdir())) == 2


def test_the_worker_keeps_checkpoints_and_forgets_old_sessions(built: System, tmp_path: Path) -> None:
    clock = Clock()
    system = replace(built, clock=clock)
    settings = small_world.settings("sqlite://", tmp_path)
    with system.database.write() as tx:
        account = tx.accounts.system("neimenggu").id
        for token, age in (("open", -1), ("just expired", 1), ("long gone", 30)):
            tx.accounts.add_session(
                token, account, clock() - timedelta(days=2), clock() - timedelta(hours=age)
            )
    for _ in range(2):
        upkeep.upkeep(system, settings)
    with system.database.read() as tx:
        assert [bool(tx.accounts.session(token)) for token in ("open", "just expired", "long gone")] == [
            True,
            True,
            False,
        ]
    assert DailyShelf(tmp_path).latest()


def test_the_commands(commanded: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, public = tmp_path / "out.json", tmp_path / "their.pub"

    def run(*arguments: object) -> tuple[int, str]:
        done = call(main, capsys, "audit", *arguments)
        return done.returncode, done.said

    code, key = run("--public-key")
    public.write_text(key, encoding="ascii")
    code, said = run("--checkpoint", file)
    assert (code, key.strip() in said) == (0, True)
    code, said = run("--checkpoint", file)
    assert (code, "检查点不覆盖" in said) == (1, True)
    assert run("--verify", file)[0] == run("--verify", file, "--key", public)[0] == 0
    public.write_text(FileKey(tmp_path / "other").public, encoding="ascii")
    code, said = run("--verify", file, "--key", public)
    assert (code, "签名不对" in said) == (1, True)
    record = Record(commanded.system, FileKey(tmp_path), tmp_path)
    record.tamper(rewrite("subject", 1))
    code, said = run("--verify", file)
    assert (code, "链被改写过" in said) == (1, True)
    assert run("--verify", tmp_path / "none.json")[0] == 1

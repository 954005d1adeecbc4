"""A PostgreSQL database with as many documents as wanted, with history, tasks, parties and money, in minutes.

A few documents are brought to where they shall stand by the product itself; the database then multiplies their rows
for a thousand buyers. Nothing is left to chance: the same size gives the same rows.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table, text

from core import worlds
from core.adapters.tables import metadata
from core.domain.accounts import Role
from tests.support import small_world
from tests.support.small_world import TO_COMPLETED, TO_FILED, World

BUYERS = 1000
# Where the documents stand, and how many of a hundred: most are over and done with, as in a platform some years old.
STANDING = {
    "entry": ((), 6),
    "unit_second": (("submit",), 3),
    "supervising": (TO_COMPLETED[:2], 2),
    "office_first": (TO_COMPLETED[:3], 2),
    "office_second": (TO_COMPLETED[:4], 2),
    "procurement_first": (TO_COMPLETED[:5], 2),
    "completed": (TO_COMPLETED, 3),
    "filed": (TO_FILED, 80),
}
_COPIED = ("history", "task", "party", "deadline", "hold", "movement")  # tables with rows of a document
_WHY = "年度更新,新增,零星,专项,补充,应急,统一配置,改造"
_THINGS = (
    "打印机,复印纸,办公桌椅,物业服务,空调,服务器,台式计算机,投影仪,"
    "会议系统,车辆加油,图书,实验仪器,体检服务,软件运维,保安服务,窗帘"
)
_CHOSEN = (
    "FROM wanted g JOIN buyer u ON u.n = g.i % {buyers} JOIN lot ON lot.place = g.i * 37 % 100 "
    "JOIN document d ON d.node = lot.node AND d.id < {first}"
)


@dataclass(frozen=True)
class Many:
    """The world, and its multiplied documents: ids from `first` on."""

    world: World
    first: int
    documents: int


def build(url: str, var: Path, documents: int) -> Many:
    """Migrate an empty database and fill it."""
    world = small_world.build(url, var, total_fen=10**12)
    for node, (steps, _) in STANDING.items():
        found = world.plan(node, *steps)
        assert found.trail[-1] == node, found.trail
    buyers = _buyers(world)
    with world.system.database.engine.begin() as connection:  # type: ignore[attr-defined]
        first = connection.execute(text("SELECT max(id) + 1 FROM document")).scalar_one()
        connection.execute(
            text(
                "CREATE TEMP TABLE buyer (n int, unit_id bigint, handler bigint, reviewer bigint, indicator bigint)"
            )
        )
        connection.execute(
            text("INSERT INTO buyer VALUES (:n, :unit, :handler, :reviewer, :indicator)"), buyers
        )
        for statement in _statements(world, first, documents):
            connection.execute(text(statement))
    with world.system.database.engine.connect() as connection:  # type: ignore[attr-defined]
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    return Many(world, first, documents)


def _buyers(world: World) -> list[dict[str, int]]:
    """A thousand units like the one there is, each with a handler, a reviewer and an indicator."""
    made = []
    with world.system.database.write() as tx:
        like = tx.accounts.unit(world.units["buyer"])
        for n in range(BUYERS):
            unit = tx.accounts.add_unit(
                {
                    "region": like.region, "division": like.division, "code": f"M{n}", "name": f"示范单位{n}",
                    "parent_id": like.parent_id, "office_id": like.office_id, "procurement_id": like.procurement_id,
                }
            )  # fmt: skip
            row = {"n": n, "unit": unit}
            for name, role in (("handler", Role.HANDLER), ("reviewer", Role.REVIEWER)):
                values = {"login": f"{name}-{n}", "name": "某人", "role": role.value, "unit_id": unit}
                row[name] = tx.accounts.add_account({**values, "password_hash": "-"})
            row["indicator"] = worlds.budget(
                world.system, tx, unit, f"Z{n}", "设备购置", 10**13, small_world.YEAR
            )
            made.append(row)
    return made


def _statements(world: World, first: int, documents: int) -> list[str]:
    buyer, handler, reviewer = world.units["buyer"], world.crew[Role.HANDLER].id, world.crew[Role.REVIEWER].id
    lots = [node for node, (_, hundredths) in STANDING.items() for _ in range(hundredths)]
    chosen = _CHOSEN.format(buyers=BUYERS, first=first)
    swap = {
        "unit_id": f"CASE WHEN r.unit_id = {buyer} THEN u.unit_id ELSE r.unit_id END",
        "account_id": f"CASE r.account_id WHEN {handler} THEN u.handler WHEN {reviewer} THEN u.reviewer "
        "ELSE r.account_id END",
        "author_id": "u.handler",
        "indicator_id": "u.indicator",
        "document_id": "g.id",
    }
    why, thing = (f"(string_to_array('{words}', ','))" for words in (_WHY, _THINGS))
    document = {
        **swap,
        "id": "g.id",
        "number": "'JH-' || 200000 + g.i / 1000000 || '-2025-' || lpad((g.i % 1000000)::text, 6, '0')",
        "title": f"{why}[1 + g.i * 7 % 8] || {thing}[1 + g.i * 31 % 16] || '（' || g.i || '）'",
    }
    used = (
        "UPDATE indicator i SET frozen_fen = h.frozen, used_fen = h.used FROM (SELECT indicator_id, "
        "sum(frozen_fen) frozen, sum(used_fen) used FROM hold GROUP BY indicator_id) h WHERE h.indicator_id = i.id"
    )
    return [
        "SET LOCAL session_replication_role = replica",  # right by construction: no look at foreign keys
        "SET LOCAL synchronous_commit = off",
        f"CREATE TEMP TABLE wanted AS SELECT i::bigint, {first} + i AS id FROM generate_series(0, {documents - 1}) i",  # noqa: S608
        "CREATE TEMP TABLE lot (place bigint, node text)",
        "INSERT INTO lot VALUES " + ", ".join(f"({place}, '{node}')" for place, node in enumerate(lots)),  # noqa: S608
        _insert(metadata.tables["document"], document, f"{chosen} JOIN document r ON r.id = d.id"),
        *(
            _insert(table, {**swap, "id": ""}, f"{chosen} JOIN {table.name} r ON r.document_id = d.id")
            for table in metadata.sorted_tables
            if table.name in _COPIED
        ),
        used,
        f"SELECT setval(pg_get_serial_sequence('document', 'id'), {first + documents})",
    ]


def _insert(table: Table, made: dict[str, str], source: str) -> str:
    """Every column of the copied row but those that are made anew; one made of nothing is left to its sequence."""
    columns = {column.name: made.get(column.name, f"r.{column.name}") for column in table.columns}
    kept = {name: said for name, said in columns.items() if said}
    names = ", ".join(kept)
    return f"INSERT INTO {table.name} ({names}) SELECT {', '.join(kept.values())} {source}"

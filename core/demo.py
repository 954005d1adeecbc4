"""The demonstration world: made-up units and people, indicators, and plans in different states.

It is built through the same use cases that people use, so balances, history and audit are true. Loaded once, into a
new database; later starts leave everything as users left it, but for keys that units did not have yet.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core import walks, worlds
from core.adapters import softhsm
from core.bootstrap import build_system, migrate
from core.domain.accounts import ROLE_LABELS, Account, Role
from core.domain.errors import UnavailableError
from core.service import acts, entering, lists, notices, sealing
from core.service.page_ports import Query
from core.service.system import System
from core.settings import Settings
from core.worlds import PASSWORD, PIN, Crew, Place

__all__ = ["PASSWORD", "PIN", "DemoAccount", "accounts", "load", "provision", "start"]

REGION = "neimenggu"


@dataclass(frozen=True)
class DemoAccount:
    """What `make serve` prints."""

    login: str
    label: str


_INDICATORS = [  # code, name, total in fen
    ("Z2026-101001-001", "教学设备购置", 80_000_000),
    ("Z2026-101001-002", "办公设备更新", 30_000_000),
    ("Z2026-101001-003", "校园家具", 20_000_000),
    ("Z2026-101001-004", "物业与服务", 50_000_000),
]

_TO_COMPLETED = ("submit", "pass", "pass", "pass", "pass", "pass", "pass")


@dataclass(frozen=True)
class _Plan:
    """One plan: what is bought, from which indicator, and how far it goes."""

    variant: str
    item: str
    code: str
    quantity: int
    price_fen: int
    indicator: int
    acts: tuple[str, ...] = ()
    form: tuple[tuple[str, str], ...] = ()
    unit: str = "台"


_MALL = (("implementation", "网上竞价"),)
_PROJECT = (("agency", "AG0001"),)
_PLANS = [
    _Plan("mall", "激光打印机", "A02021003", 6, 180_000, 1, _TO_COMPLETED[:3], _MALL),
    _Plan("project", "服务器", "A02010301", 2, 6_500_000, 0, _TO_COMPLETED, _PROJECT),
    _Plan(
        "mall",
        "多功能一体机",
        "A02020400",
        3,
        260_000,
        1,
        (*_TO_COMPLETED, "sign", "file", "dispatch"),
        _MALL,
    ),
    _Plan("mall", "文件柜", "A05010502", 20, 80_000, 2, (*_TO_COMPLETED, "sign"), _MALL, "个"),
    _Plan(
        "project",
        "学校食堂设备",
        "A0701",
        1,
        18_000_000,
        0,
        (*_TO_COMPLETED, "sign", "file", "dispatch"),
        _PROJECT,
        "套",
    ),
    _Plan("direct", "培训服务", "C2309", 1, 2_400_000, 3, (*_TO_COMPLETED, "sign", "file"), unit="期"),
    _Plan("mall", "空调机", "A02061804", 8, 320_000, 1, _TO_COMPLETED[:1], _MALL),
    _Plan("direct", "专业照相机", "A02020501", 2, 980_000, 0, _TO_COMPLETED[:5]),
    _Plan("mall", "办公椅", "A05010301", 40, 45_000, 2, (), _MALL, "把"),
    _Plan("project", "物业管理服务", "C2104", 1, 24_000_000, 3, _TO_COMPLETED[:2], _PROJECT, "年"),
    _Plan(
        "mall", "台式计算机", "A02010105", 10, 480_000, 0, (*_TO_COMPLETED, "sign", "file", "dispatch"), _MALL
    ),
]


def _places(regions: Collection[str]) -> list[Place]:
    return [place for place in worlds.places().values() if not regions or place.region in regions]


def start(settings: Settings, regions: Collection[str] = (), *, walked: bool = True) -> System:
    """Migrate, make the demonstration tokens, build the system and load the worlds that are not there yet."""
    migrate(settings)
    provision(settings, regions)  # before the system, which looks for the tokens when it is built
    system = build_system(settings)
    load(system, regions, walked=walked)
    return system


def load(system: System, regions: Collection[str] = (), *, walked: bool = True) -> bool:
    """Build the worlds of `regions` (none: all) that are not there yet; whether any was built now.

    `walked` ones also hold what the regions' walks leave behind.
    """
    known = [place for place in _places(regions) if system.processes.kinds(place.region)]
    built = False
    for place in known:
        built = _load(system, place, walked=walked) or built
    return built


def _load(system: System, place: Place, *, walked: bool) -> bool:
    with system.database.write() as tx:
        if worlds.exists(tx, place):
            worlds.give_keys(tx, place)
            return False
        units = worlds.build(system, tx, place)
        indicators = [worlds.budget(system, tx, units["school"], *row) for row in _INDICATORS]
        other = worlds.budget(system, tx, units["library"], "Z2026-102001-001", "图书与设备", 10_000_000)
        if "province" in units:
            worlds.budget(system, tx, units["province"], "Z2026-103001-001", "省级教学设备", 60_000_000)
        crew = worlds.crew(tx, place)
    if place.region == REGION:
        for index, plan in enumerate(_PLANS):
            _play(system, crew, "school", plan, indicators[plan.indicator], f"demo-{index}")
        foreign = _Plan("mall", "便携式计算机", "A02010108", 4, 520_000, 0, ("submit",), _MALL)
        _play(system, crew, "library", foreign, other, "demo-library")
        _order(system, crew)
    if walked:
        walks.play_demonstrations(system, place.region)
    for account in crew.values():  # the past is no news
        notices.mark_seen(system, account, [notice.id for notice in notices.unseen(system, account)])
    return True


def accounts(system: System) -> list[DemoAccount]:
    """Demonstration accounts by login, region after region."""
    found: list[Account] = []
    with system.database.read() as tx:
        for place in worlds.places().values():
            found += worlds.crew(tx, place).values()
    shown = [account for account in found if account.role is not Role.INTEGRATION]
    return [DemoAccount(a.login, f"{a.unit.name} · {ROLE_LABELS[a.role]} · {a.name}") for a in shown]


def provision(settings: Settings, regions: Collection[str] = (), *, now: datetime | None = None) -> bool:
    """Demonstration tokens, valid from the day before `now`, where SoftHSM is installed; whether there are any."""
    tokens = [
        softhsm.DemoToken(label, name, PIN)
        for place in _places(regions)
        for label, name in worlds.tokens(place)
    ]
    try:
        softhsm.provision(settings.var / "softhsm", tokens, now=now)
    except UnavailableError:
        return False
    return True


def _play(system: System, crew: Crew, unit: str, plan: _Plan, indicator: int, key: str) -> None:
    """Enter a plan and take its acts, each by whoever may."""
    line = {
        "catalogue": plan.code, "name": plan.item, "quantity": plan.quantity, "unit": plan.unit,
        "unit_price_fen": plan.price_fen,
        "requirement": "按国家标准提供服务。" if plan.code.startswith("C") else "按国家标准，含安装与一年质保。",
    }  # fmt: skip
    form: dict[str, Any] = {
        "name": plan.item,
        "lines": [line],
        "funding": [{"indicator": indicator, "amount_fen": plan.quantity * plan.price_fen}],
        "need_by": "2026-12-20",
        **dict(plan.form),
    }
    handler = crew[unit, Role.HANDLER]
    document = entering.create(system, handler, "plan", plan.variant, form, key=key)
    reviewers = [
        crew[unit, Role.REVIEWER],
        crew["education", Role.SUPERVISING],
        crew["office", Role.OFFICE_FIRST],
        crew["office", Role.OFFICE_SECOND],
        crew["procurement", Role.PROCUREMENT_FIRST],
        crew["procurement", Role.PROCUREMENT_SECOND],
    ]
    version = document.version
    for index, action in enumerate(plan.acts):
        actor = reviewers[index - 1] if action == "pass" else handler
        if action == "dispatch":
            actor = crew["platform", Role.INTEGRATION]
        step_key = f"{key}-{index}"
        if action == "sign":
            try:
                sealing.sign(
                    system, actor, document.number, version=version, seal="公章", pin=PIN, key=step_key
                )
            except UnavailableError:
                return  # without SoftHSM the plan stays approved and unsigned
        else:
            acts.perform(system, actor, document.number, action, version=version, arguments={}, key=step_key)
        version += 1


def _order(system: System, crew: Crew) -> None:
    """An open mall order on the last dispatched plan, so that its return has to wait for it."""
    handler = crew["school", Role.HANDLER]
    plans = lists.find(system, handler, Query(kind="plan", words="台式计算机"))
    if not plans or plans[0].node != "dispatched":
        return
    line = {
        "catalogue": "A02010105",
        "name": "台式计算机",
        "quantity": 10,
        "unit": "台",
        "unit_price_fen": 480_000,
    }
    form = {"name": "台式计算机", "lines": [line], "supplier": "SP0001"}
    entering.create(system, handler, "mall_order", "order", form, key="demo-order", parent=plans[0].number)

"""The demonstration world: made-up units and people, indicators, and plans in different states.

It is built through the same use cases that people use, so balances, history and audit are true. Loaded once, into a
new database; later starts leave everything as users left it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.adapters import softhsm
from core.bootstrap import build_system, migrate
from core.domain.accounts import ROLE_LABELS, Account, Role, account_number
from core.domain.errors import UnavailableError
from core.service import acts, documents, entering, notices, sealing
from core.service.ports import Transaction
from core.service.system import System
from core.settings import Settings

PASSWORD = "Demo-2026"  # noqa: S105 - printed at every start, for made-up accounts only
PIN = "20261120"  # of the demonstration tokens only
REGION, DIVISION, YEAR = "neimenggu", "150299", 2026


@dataclass(frozen=True)
class DemoAccount:
    """What `make serve` prints."""

    login: str
    label: str


# key: (code, name, token)
_UNITS = {
    "education": ("101000", "青原市教育局", None),
    "office": ("CZJK01", "青原市财政局教科文股", None),
    "procurement": ("CZCG01", "青原市政府采购管理办公室", None),
    "school": ("101001", "青原市示范中学", "DEMO-SCHOOL"),
    "library": ("102001", "青原市图书馆", "DEMO-LIBRARY"),
    "agency": ("AG0001", "诚明招标代理有限公司", None),
    "supplier": ("SP0001", "北疆办公设备有限公司", None),
    "platform": ("PT0001", "采购平台", None),
}

# unit, role, suffix, person
_PEOPLE = [
    ("school", Role.HANDLER, "01", "李明"),
    ("school", Role.REVIEWER, "02", "王芳"),
    ("library", Role.HANDLER, "01", "赵青"),
    ("library", Role.REVIEWER, "02", "周岚"),
    ("education", Role.SUPERVISING, "01", "孙宁"),
    ("office", Role.OFFICE_FIRST, "01", "钱雨"),
    ("office", Role.OFFICE_SECOND, "02", "郑和平"),
    ("procurement", Role.PROCUREMENT_FIRST, "01", "吴桐"),
    ("procurement", Role.PROCUREMENT_SECOND, "02", "冯远"),
    ("agency", Role.AGENCY, "01", "陈诚"),
    ("supplier", Role.SUPPLIER, "01", "韩北"),
    ("platform", Role.INTEGRATION, "00", "系统对接"),
    ("platform", Role.SUPPORT, "01", "客服小金"),
    ("platform", Role.ADMIN, "02", "管理员"),
]

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
    _Plan("mall", "文件柜", "A05010502", 20, 80_000, 2, (*_TO_COMPLETED, "sign"), _MALL),
    _Plan(
        "project",
        "学校食堂设备",
        "A0701",
        1,
        18_000_000,
        0,
        (*_TO_COMPLETED, "sign", "file", "dispatch"),
        _PROJECT,
    ),
    _Plan("direct", "培训服务", "C2309", 1, 2_400_000, 3, (*_TO_COMPLETED, "sign", "file")),
    _Plan("mall", "空调机", "A02061804", 8, 320_000, 1, _TO_COMPLETED[:1], _MALL),
    _Plan("direct", "专业照相机", "A02020501", 2, 980_000, 0, _TO_COMPLETED[:5]),
    _Plan("mall", "办公椅", "A05010301", 40, 45_000, 2, (), _MALL),
    _Plan("project", "物业管理服务", "C2104", 1, 24_000_000, 3, _TO_COMPLETED[:2], _PROJECT),
    _Plan(
        "mall", "台式计算机", "A02010105", 10, 480_000, 0, (*_TO_COMPLETED, "sign", "file", "dispatch"), _MALL
    ),
]


def start(settings: Settings) -> System:
    """Migrate, make the demonstration tokens, build the system and load the world if there is none."""
    migrate(settings)
    provision(settings)  # before the system, which looks for the tokens when it is built
    system = build_system(settings)
    load(system)
    return system


def load(system: System) -> bool:
    """Build the world if there is none; whether it was built now."""
    with system.database.write() as tx:
        if tx.accounts.unit_by_code(DIVISION, _UNITS["school"][0]) is not None:
            return False
        units = _units(tx)
        people = _people(system, tx, units)
        indicators = [tx.ledger.add_indicator(_indicator(units["school"], *row)) for row in _INDICATORS]
        other = tx.ledger.add_indicator(
            _indicator(units["library"], "Z2026-102001-001", "图书与设备", 10_000_000)
        )
    crew = {(unit, role): account for unit, role, account in people}
    for index, plan in enumerate(_PLANS):
        _play(system, crew, "school", plan, indicators[plan.indicator], f"demo-{index}")
    foreign = _Plan("mall", "便携式计算机", "A02010108", 4, 520_000, 0, ("submit",), _MALL)
    _play(system, crew, "library", foreign, other, "demo-library")
    _order(system, crew)
    for _, _, account in people:  # the past is no news
        notices.mark_seen(system, account, [notice.id for notice in notices.unseen(system, account)])
    return True


def accounts(system: System) -> list[DemoAccount]:
    """Demonstration accounts by login."""
    with system.database.read() as tx:
        units = {key: tx.accounts.unit_by_code(DIVISION, code) for key, (code, _, _) in _UNITS.items()}
        found = [account for unit in units.values() if unit for account in tx.accounts.of(unit.id)]
    shown = [account for account in found if account.role is not Role.INTEGRATION]
    return [DemoAccount(a.login, f"{a.unit.name} · {ROLE_LABELS[a.role]} · {a.name}") for a in shown]


def provision(settings: Settings) -> bool:
    """Demonstration tokens, where SoftHSM is installed; whether there are any."""
    tokens = [softhsm.DemoToken(token, name, PIN) for _, name, token in _UNITS.values() if token]
    try:
        softhsm.provision(settings.var / "softhsm", tokens)
    except UnavailableError:
        return False
    return True


def _units(tx: Transaction) -> dict[str, int]:
    ids: dict[str, int] = {}
    for key, (code, name, token) in _UNITS.items():
        values: dict[str, Any] = {"region": REGION, "division": DIVISION, "code": code, "name": name}
        if key in {"school", "library"}:
            values |= {
                "parent_id": ids["education"], "office_id": ids["office"], "procurement_id": ids["procurement"],
                "token_label": token,
            }  # fmt: skip
        ids[key] = tx.accounts.add_unit(values)
    return ids


def _people(system: System, tx: Transaction, units: Mapping[str, int]) -> list[tuple[str, Role, Account]]:
    hashed = system.hasher.hash(PASSWORD)
    result = []
    for unit, role, suffix, person in _PEOPLE:
        code = _UNITS[unit][0]
        buyer = role in {Role.HANDLER, Role.REVIEWER}
        login = account_number(DIVISION, code, role) if buyer else f"{DIVISION}{code}{suffix}"
        account_id = tx.accounts.add_account(
            {
                "login": login,
                "name": person,
                "role": role.value,
                "unit_id": units[unit],
                "password_hash": hashed,
            }
        )
        result.append((unit, role, tx.accounts.account(account_id)))
    return result


def _indicator(unit_id: int, code: str, name: str, total_fen: int) -> dict[str, Any]:
    return {"unit_id": unit_id, "code": code, "name": name, "year": YEAR, "total_fen": total_fen}


Crew = Mapping[tuple[str, Role], Account]


def _play(system: System, crew: Crew, unit: str, plan: _Plan, indicator: int, key: str) -> None:
    """Enter a plan and take its acts, each by whoever may."""
    line = {
        "catalogue": plan.code, "name": plan.item, "quantity": plan.quantity, "unit": "台",
        "unit_price_fen": plan.price_fen, "requirement": "按国家标准，含安装与一年质保。",
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
    plans = documents.listing(system, handler, kind="plan", text="台式计算机")
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

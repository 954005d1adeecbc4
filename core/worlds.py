"""Made-up units and people of one region, for the demonstration world, the walks and the tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.adapters.processes import DATA
from core.adapters.yaml_reader import read
from core.domain.accounts import Account, Role, account_number
from core.service.ports import Transaction
from core.service.system import System

PASSWORD = "Demo-2026"  # noqa: S105 - printed at every start, for made-up accounts only
PIN = "20261120"  # of the demonstration tokens only
YEAR = 2026

# key: (code, name behind the city's, token); a name that is no city's stands by itself
_UNITS = {
    "education": ("101000", "教育局", None),
    "office": ("CZJK01", "财政局教科文股", None),
    "procurement": ("CZCG01", "政府采购管理办公室", None),
    "school": ("101001", "示范中学", "SCHOOL"),
    "library": ("102001", "图书馆", "LIBRARY"),
    "agency": ("AG0001", "诚明招标代理有限公司", None),
    "supplier": ("SP0001", "北疆办公设备有限公司", "SUPPLIER"),
    "platform": ("PT0001", "采购平台", None),
}
_WITHOUT_CITY = {"agency", "supplier", "platform"}
BUYERS = ("school", "library")
_ABOVE = {"parent_id": "education", "office_id": "office", "procurement_id": "procurement"}
_PROVINCE = "103001"  # code of the provincial buyer

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

_PROVINCIAL = [("province", Role.HANDLER, "01", "罗川"), ("province", Role.REVIEWER, "02", "何静")]

Crew = Mapping[tuple[str, Role], Account]


@dataclass(frozen=True)
class Place:
    """Where a region's made-up units are."""

    region: str
    division: str
    city: str
    keys: bool = False
    province: str = ""

    def unit_name(self, key: str) -> str:
        """`青原市图书馆`."""
        name = _UNITS[key][1]
        return name if key in _WITHOUT_CITY else f"{self.city}{name}"

    def token(self, key: str) -> str | None:
        """Label of the unit's demonstration token, if it has one; 内蒙古's are known by their short names."""
        label = _UNITS[key][2] if self.keys else None
        prefix = "DEMO" if self.region == "neimenggu" else f"DEMO-{self.region.upper()}"
        return f"{prefix}-{label}" if label else None


@cache
def places() -> dict[str, Place]:
    """Every region's place."""
    given = read(DATA / "worlds.yaml").value
    return {region: Place(region, **item) for region, item in given.items()}


def tokens(place: Place) -> list[tuple[str, str]]:
    """(token label, unit name) of the units that have a key."""
    return [(label, place.unit_name(key)) for key in _UNITS if (label := place.token(key))]


def exists(tx: Transaction, place: Place) -> bool:
    """Whether the place has been built."""
    return tx.accounts.unit_by_code(place.division, _UNITS["school"][0]) is not None


def give_keys(tx: Transaction, place: Place) -> None:
    """Units of a place that was built before they had a key can use theirs."""
    for key, (code, _, _) in _UNITS.items():
        found = tx.accounts.unit_by_code(place.division, code)
        if (label := place.token(key)) and found and not found.token_label:
            tx.accounts.set_token(found.id, label)


def _code(place: Place, key: str) -> tuple[str, str]:
    """(division, code) of a unit."""
    return (place.province, _PROVINCE) if key == "province" else (place.division, _UNITS[key][0])


def _people(place: Place) -> list[tuple[str, Role, str, str]]:
    return [*_PEOPLE, *(_PROVINCIAL if place.province else [])]


def logins(place: Place) -> dict[tuple[str, Role], str]:
    """Account numbers by unit key and role; all have the password `PASSWORD`."""
    found = {}
    for unit, role, suffix, _ in _people(place):
        division, code = _code(place, unit)
        buyer = role in {Role.HANDLER, Role.REVIEWER}
        found[unit, role] = account_number(division, code, role) if buyer else f"{division}{code}{suffix}"
    return found


def build(system: System, tx: Transaction, place: Place) -> dict[str, int]:
    """Units and people of a place; unit ids by key."""
    hashed = system.hasher.hash(PASSWORD)
    ids: dict[str, int] = {}
    for key, (code, _, _) in _UNITS.items():
        values: dict[str, Any] = {
            "region": place.region, "division": place.division, "code": code, "name": place.unit_name(key),
            "token_label": place.token(key),
        }  # fmt: skip
        if key in BUYERS:
            values |= {name: ids[unit] for name, unit in _ABOVE.items()}
        ids[key] = tx.accounts.add_unit(values)
    if place.province:
        above = {name: ids[unit] for name, unit in _ABOVE.items()}
        ids["province"] = tx.accounts.add_unit(
            {
                "region": place.region,
                "division": place.province,
                "code": _PROVINCE,
                "name": "省级示范学校",
                **above,
            }
        )
    named = logins(place)
    for unit, role, _, person in _people(place):
        tx.accounts.add_account(
            {
                "login": named[unit, role],
                "name": person,
                "role": role.value,
                "unit_id": ids[unit],
                "password_hash": hashed,
            }
        )
    tx.experts.add(place.region, _experts(place))
    return ids


def _experts(place: Place) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read(DATA / "experts.yaml").value
    return [{**row, "unit_name": row["unit_name"].format(city=place.city)} for row in rows]


def crew(tx: Transaction, place: Place) -> dict[tuple[str, Role], Account]:
    """Accounts of a place by unit key and role."""
    found: dict[tuple[str, Role], Account] = {}
    for key in (*_UNITS, *(["province"] if place.province else [])):
        unit = tx.accounts.unit_by_code(*_code(place, key))
        if unit:
            found |= {(key, account.role): account for account in tx.accounts.of(unit.id)}
    return found


def budget(
    system: System, tx: Transaction, unit_id: int, code: str, name: str, total_fen: int, year: int = YEAR
) -> int:
    """A budget's indicator that is there from the beginning; its id."""
    row = {"unit_id": unit_id, "code": code, "name": name, "year": year, "total_fen": total_fen}
    return tx.ledger.add_budgets([row], "opening", system.clock())[0]

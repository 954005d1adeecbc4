"""Units, roles and accounts, and the rule by which a unit's account numbers are made (nm-5)."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from core.domain.errors import InvalidError


class Role(StrEnum):
    """What an account may be. One account has one role."""

    HANDLER = "handler"
    REVIEWER = "reviewer"
    SUPERVISING = "supervising"
    OFFICE_FIRST = "office_first"
    OFFICE_SECOND = "office_second"
    PROCUREMENT_FIRST = "procurement_first"
    PROCUREMENT_SECOND = "procurement_second"
    AGENCY = "agency"
    SUPPLIER = "supplier"
    INTEGRATION = "integration"
    SUPPORT = "support"
    ADMIN = "admin"


ROLE_LABELS = {
    Role.HANDLER: "采购单位经办 01",
    Role.REVIEWER: "采购单位负责人 02",
    Role.SUPERVISING: "主管单位审核",
    Role.OFFICE_FIRST: "业务科室初审",
    Role.OFFICE_SECOND: "业务科室复审",
    Role.PROCUREMENT_FIRST: "采购监管初审",
    Role.PROCUREMENT_SECOND: "采购监管复审",
    Role.AGENCY: "代理机构",
    Role.SUPPLIER: "供应商",
    Role.INTEGRATION: "系统对接",
    Role.SUPPORT: "客服",
    Role.ADMIN: "管理员",
}


class Relation(StrEnum):
    """How the unit that acts on a document is found from the document."""

    UNIT = "unit"
    PARENT = "parent"
    OFFICE = "office"
    PROCUREMENT = "procurement"
    AGENCY = "agency"
    SUPPLIER = "supplier"
    SYSTEM = "system"


BUYERS = (Role.HANDLER, Role.REVIEWER)
# What a role looks after: buyers whose spending it answers for, by how its unit stands to them.
_LOOKS_AFTER = {
    **dict.fromkeys(BUYERS, Relation.UNIT),
    Role.SUPERVISING: Relation.PARENT,
    Role.OFFICE_FIRST: Relation.OFFICE,
    Role.OFFICE_SECOND: Relation.OFFICE,
    Role.PROCUREMENT_FIRST: Relation.PROCUREMENT,
    Role.PROCUREMENT_SECOND: Relation.PROCUREMENT,
}


@dataclass(frozen=True)
class Unit:
    """A buyer, an office, an agency or a supplier. `parent`, `office`, `procurement` are ids of other units."""

    id: int
    region: str
    division: str
    code: str
    name: str
    parent_id: int | None = None
    office_id: int | None = None
    procurement_id: int | None = None
    token_label: str | None = None
    landline: str = ""


@dataclass(frozen=True)
class Account:
    """Who is signed in. `login` is the account number; `name` is a person and is masked in logs.

    A deputy at work keeps its own id, login and name; `role` is then the other's, `acts_for` the other's name and
    `acts_for_id` the other's id. `by_key`: a CA key opened its session.
    """

    id: int
    login: str
    name: str
    role: Role
    unit: Unit
    acts_for: str = ""
    by_key: bool = field(default=False, compare=False)
    acts_for_id: int = 0

    @property
    def desk_id(self) -> int:
        """Whose work this is: of a deputy at work the other's id, else the own."""
        return self.acts_for_id or self.id

    @property
    def buys(self) -> bool:
        """Whether it works for a buyer."""
        return self.role in BUYERS

    @property
    def looks_after(self) -> Relation | None:
        """As what its unit stands to the buyers whose spending it answers for; None where it answers for none."""
        return _LOOKS_AFTER.get(self.role)

    @property
    def region(self) -> str:
        """Region whose data and words hold for this account."""
        return self.unit.region

    @property
    def label(self) -> str:
        """`李明（采购单位经办 01）`, of a deputy `赵青（代李明，采购单位经办 01）`: no personal numbers."""
        deputy = f"代{self.acts_for}，" if self.acts_for else ""
        return f"{self.name}（{deputy}{ROLE_LABELS[self.role]}）"

    def standing_in_for(self, other: "Account") -> "Account":
        """This account doing the other's work: its own person, the other's role."""
        return replace(self, role=other.role, acts_for=other.name, acts_for_id=other.id)


@dataclass(frozen=True)
class Session:
    """A server-side session; `token` is known to the client only, the store keeps its hash.

    `certificate` is the sha256 of the certificate that opened it, empty where a password did.
    """

    token: str
    account: Account
    expires_at: datetime
    certificate: str = ""


# Source nm-5: division code + budget code + 01 (handler) or 02 (head).
_SUFFIX = {Role.HANDLER: "01", Role.REVIEWER: "02"}
_DIVISION = re.compile(r"[0-9]{6}\Z")
_BUDGET = re.compile(r"[0-9A-Z]{3,9}\Z")


def account_number(division: str, budget_code: str, role: Role) -> str:
    """Account number of a buyer's handler or head (nm-5); InvalidError names the part that is wrong."""
    wrong: dict[str, object] = {}
    if not _DIVISION.match(division):
        wrong["division"] = "区划编码是六位数字"
    if not _BUDGET.match(budget_code):
        wrong["budget_code"] = "预算编码是三到九位数字或大写字母"
    if role not in _SUFFIX:
        wrong["role"] = "采购单位只有经办（01）和负责人（02）两个账号"
    if wrong:
        raise InvalidError("；".join(str(v) for v in wrong.values()), code="account_number", fields=wrong)
    return f"{division}{budget_code}{_SUFFIX[role]}"

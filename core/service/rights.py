"""The one place where the matrix of rights is enforced."""

from core.domain.accounts import ROLE_LABELS, Account
from core.domain.errors import ForbiddenError
from core.domain.rights import Capability
from core.service.system import System


def allows(system: System, account: Account, capability: Capability) -> bool:
    """Whether the account has the capability."""
    return system.rights.allows(account.role, capability)


def require(system: System, account: Account, capability: Capability) -> None:
    """ForbiddenError, naming who may, unless the account has the capability."""
    if allows(system, account, capability):
        return
    row = system.rights.rows[capability]
    who = "、".join(label for role, label in ROLE_LABELS.items() if role in row.roles)
    raise ForbiddenError(
        f"您的账号不能{row.label}，要由{who}办理", fields={"who": who, "capability": capability.value}
    )

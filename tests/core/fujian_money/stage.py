"""A stage for tests in Fujian: documents are brought along by steps of walks, then looked at with use cases."""

from typing import Any

from core.domain.accounts import Account
from core.domain.documents import Document
from core.service.system import System
from core.walks import Player, Step, Walk

LINE = {"catalogue": "A02010105", "name": "台式计算机", "unit": "台", "statistics": "energy"}
PDF = "附件.pdf"


class Stage(Player):
    """Takes steps one by one; documents have names."""

    def __init__(self, system: System) -> None:
        nothing = Step.model_validate({"on": ""})
        super().__init__(system, Walk(region="fujian", label="stage", steps=[nothing]), "stage")

    def take(self, **step: Any) -> None:
        """One step, keys as in a walk; `who` instead of `as`, `given` instead of `with`."""
        self._take(Step.model_validate(step))

    def acts(self, on: str, *acts: str) -> None:
        """`reviewer:pass` or, by the handler, `submit`."""
        for item in acts:
            who, _, act = item.rpartition(":")
            self.take(who=who or "handler", act=act, on=on)

    def enter(self, kind: str, called: str, under: str = "", /, **form: Any) -> Document:
        """A new document, `called` so from now on."""
        self.take(who="handler", enter=kind, name=called, under=under, form=form)
        return self.document(called)

    def plan(self, quantity: int = 20, catalogue: str = "A02010105", category: str = "goods") -> None:
        """A filed project `project` with its filed plan `plan`: `quantity` × 5,000 yuan."""
        line = {**LINE, "catalogue": catalogue, "quantity": quantity, "unit_price_fen": 500_000}
        del line["statistics"]
        total = quantity * 500_000
        self.enter(
            "project/project", "project", name="电脑更新", category=category, implementation="general",
            government=True, lines=[line], funding=[{"indicator": 1, "amount_fen": total}],
        )  # fmt: skip
        self.acts("project", "submit", "reviewer:pass")
        self.enter(
            "plan/general", "plan", "project", organisation="central", method="open", reserved_fen=total,
            contact="李明", phone="0599-1234567",
        )  # fmt: skip
        self.acts("plan", "submit", "reviewer:pass", "procurement_first:pass")

    def contract(
        self, called: str = "contract", quantity: int = 4, /, *, filed: bool = True, **changes: Any
    ) -> None:
        """A contract of `quantity` × 5,000 yuan under `plan`, half of it fiscal money."""
        total = quantity * 500_000
        line = {**LINE, "quantity": quantity, "unit_price_fen": 500_000, "fiscal_fen": total // 2}
        form: dict[str, Any] = {
            "signed_on": "2026-11-10", "signed_in": "other", "supplier": "SP0001", "supplier_size": "small",
            "reserve": "none", "lines": [line], "payments": [{"due_on": "2026-12-31", "amount_fen": total}],
            "payees": [{"name": "北疆办公设备有限公司", "bank": "演示银行", "account": "6200000000000001"}],
            "text": PDF, **changes,
        }  # fmt: skip
        self.enter("contract/contract", called, "plan", **form)
        if filed:
            self.acts(called, "submit", "reviewer:pass", "publish", "file")

    def payment(self, name: str, fen: int, under: str = "contract", *, filed: bool = True) -> None:
        """A payment of `fen`."""
        self.enter("payment/payment", name, under, paid_fen=fen, attachments=[{"file": PDF}])
        self.acts(name, "submit", *(["reviewer:pass"] if filed else []))

    def write_off(self, payment: str, fen: int) -> None:
        """`fen` of a payment are written off."""
        self.acts(payment, "write_off")
        name = f"{payment}-off-{len(self.numbers)}"
        self.take(find="write_off", under=payment, name=name)
        self.take(who="handler", save={"back_fen": fen, "reason": "付错"}, on=name)
        self.acts(name, "submit", "reviewer:pass")

    def accept(self, name: str, passed: str = "yes", under: str = "contract") -> None:
        """A filed acceptance."""
        self.enter(
            "acceptance/acceptance", name, under, accepted_on="2026-11-12", organiser="self",
            members=[{"name": "李明"}], findings="开机检查", passed=passed, failed_because="缺两台",
            attachments=[{"file": PDF}],
        )  # fmt: skip
        self.acts(name, "submit", "reviewer:pass")

    def person(self, who: str) -> Account:
        """An account by role, `handler@member` for the second unit's."""
        return self.account(who)

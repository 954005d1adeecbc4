"""Contracts that were signed in the trading platform or the mall enter themselves (fj-5.1.1)."""

from collections.abc import Mapping
from typing import Any

from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.errors import BlockedError, InvalidError
from core.domain.process import Process
from core.service import acts, entering, situations
from core.service.ports import Transaction
from core.service.system import System

_ORIGINS = {"trade": "trade", "mall": "supermarket"}
_ACT = "enter_signed"


def enter(
    system: System,
    tx: Transaction,
    platform: Account,
    plan: Document,
    source: str,
    form: Mapping[str, Any],
    *,
    key: str,
) -> str:
    """Enter the contract under its plan and publish it; what to tell the sender.

    A contract that lacks something stays with the handler as a draft, who hears what is missing.

    BlockedError where the plan takes no contract, its money does not suffice, or the region enters none by itself;
    InvalidError for fields that do not exist.
    """
    process = _process(system, plan, form)
    given = {**form, "signed_in": _ORIGINS[source]}
    made = entering.spawn(system, tx, process, plan, given, platform)
    errors = situations.case(system, tx, made).form_errors
    if errors:
        missing = "；".join(errors.values())
        tell = f"{made.number} {made.title}：合同已签订，系统录入时还缺内容，请补齐后提交：{missing}"
        tx.records.notify({made.author_id}, made.number, tell, system.clock())
        return f"{made.number} 已录入草稿，还要经办补齐：{missing}"
    done = acts.perform_in(
        system, tx, platform, made.number, _ACT, version=made.version, arguments={}, key=f"{source}-signed:{key}"
    )  # fmt: skip
    tx.records.notify(
        {made.author_id}, made.number, f"{made.number} {made.title}：签订的合同已自动录入并发布，请备案",
        system.clock(),
    )  # fmt: skip
    return done.said


def _process(system: System, plan: Document, form: Mapping[str, Any]) -> Process:
    """On which such a contract may be entered under the plan."""
    process = system.processes.current(plan.region, "contract", "contract")
    if _ACT not in process.actions:
        raise BlockedError(f"{system.processes.region_label(plan.region)}的合同不由系统自动录入")
    if not entering.may_stand_under(process, plan):
        raise BlockedError(f"{plan.number} 现在不能录合同")
    unknown = sorted(form.keys() - {item.id for item in process.form.fields})
    if unknown:
        raise InvalidError(
            "合同里有不认识的内容：" + "、".join(unknown), fields=dict.fromkeys(unknown, "没有这一项")
        )
    return process

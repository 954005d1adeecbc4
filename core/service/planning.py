"""The shortest lawful way of a concrete document to a goal, in words: who does what, with which form."""

from dataclasses import dataclass, replace

from core.domain import planner
from core.domain.accounts import Account
from core.domain.planner import NoWay, Step
from core.domain.process import Actor, Cost
from core.service import deciding, once, people, situations
from core.service.offers import fields_of
from core.service.ports import Transaction
from core.service.situations import Case
from core.service.system import System
from core.service.views import FormField

GOAL_LABELS = {
    "editable": "可以修改",
    "void": "作废",
    "completed": "审核办结",
    "filed": "备案",
    "published": "发布",
    "closed": "结项",
    "changed": "变更",
    "terminated": "终止",
    "cancelled": "撤销",
    "confirmed": "确认",
    "collected": "归集",
    "uncollected": "取消归集",
    "form_changed": "变更实施形式",
    "method_changed": "变更采购方式",
    "account_changed": "变更收款账户",
    "answered": "响应",
    "declined": "不响应",
    "fulfilled": "履约完成",
    "signed": "签章",
    "drawn": "抽取",
    "returned": "退回",
    "archived": "归档",
    "ended": "结束合同",
    "lots": "退回到建标分包",
    "awarded": "定标",
    "withdrawn": "取消审核",
    "accepted": "受理",
    "applied": "生效",
    "pushed": "推送",
    "done": "完成",
    "approved": "审核通过",
    "reported": "公告成交",
    "carried": "结转",
    "handled": "核查处理",
}


@dataclass(frozen=True)
class RepairStep:
    """One call. `mine`: the asking account may do it itself; `who` names those who may, `outside`: in another system."""

    number: str
    action: str
    label: str
    who: str
    mine: bool
    form: tuple[FormField, ...]
    source: str
    source_label: str
    target: str
    target_label: str
    menu: str
    public: bool
    outside: bool = False


@dataclass(frozen=True)
class RepairPlan:
    """Steps to a goal, and a fingerprint of the documents they were made for."""

    number: str
    goal: str
    steps: tuple[RepairStep, ...]
    fingerprint: str


def plan_to(system: System, actor: Account, number: str, goal: str) -> RepairPlan | NoWay:
    """Cheapest lawful way as the actor sees it: own acts before colleagues', theirs before other units'."""
    with system.database.read() as tx:
        return plan_in(system, tx, actor, number, goal)


def plan_in(system: System, tx: Transaction, actor: Account, number: str, goal: str) -> RepairPlan | NoWay:
    """As `plan_to`, inside a transaction."""
    case = situations.case(system, tx, situations.find(tx, actor, number))
    documents = [case.document, *(document for document, _ in case.linked)]
    owners = {document.unit_id: tx.accounts.unit(document.unit_id) for document in documents}

    def nearness(index: int, actors: tuple[Actor, ...]) -> int:
        return people.nearness(actor, owners[documents[index].unit_id], documents[index], actors)

    seen = replace(case, situation=situations.seen_by(case, actor))
    found = planner.plan(deciding.with_hands(tx, seen, seen.subjects), goal, nearness)
    if isinstance(found, NoWay):
        return found
    steps = tuple(_in_words(tx, case, step, actor) for step in found.steps)
    return RepairPlan(case.document.number, goal, steps, fingerprint(case))


def fingerprint(case: Case) -> str:
    """Changes whenever the document or one that hangs on it moves."""
    return once.digest([(d.number, d.version) for d in (case.document, *(d for d, _ in case.linked))])[:16]


def _in_words(tx: Transaction, case: Case, step: Step, actor: Account) -> RepairStep:
    document, process = next(
        (d, p) for d, p in ((case.document, case.process), *case.linked) if d.number == step.number
    )
    action = process.actions.get(step.action)  # none for an opinion or a signature
    target = process.node(step.target)
    own = step.account_id == actor.desk_id if step.account_id else step.nearness == planner.OWN
    who = step.who or people.names(tx, tx.accounts.unit(document.unit_id), document, step.actors)
    outside = "" if who or action is None else action.outside
    return RepairStep(
        number=step.number, action=step.action, label=step.label,
        who=who or outside or "系统",
        mine=own and action is not None,  # what one is asked is answered on the document's page, by no act
        form=fields_of(step.form, ((target.id, target.label),) if step.chosen else ()),
        source=step.source, source_label=process.node(step.source).label,
        target=step.target, target_label=target.label, menu=step.menu,
        public=action is not None and action.cost is Cost.PUBLIC, outside=bool(outside),
    )  # fmt: skip

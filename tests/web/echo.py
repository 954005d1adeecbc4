"""A small assistant for tests: keeps conversations, refuses foreign ones, repeats nothing, and shows every card."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from flask import Flask

from assistant.cards import (
    CaseItem,
    Change,
    Choice,
    ConfirmCard,
    DocumentItem,
    DocumentsCard,
    EntryCard,
    FactsCard,
    FlowCard,
    PlanStep,
    Reply,
    Row,
    StepsCard,
    Turn,
)
from core.domain.accounts import Account, Session
from core.domain.errors import NotFoundError
from core.service import documents, flow
from core.service.ports import Notice
from core.service.system import System
from web.app import create_app
from web.parts import Parts, Said


def app_over(system: System, **parts: Any) -> Flask:
    """The application, for any number of requests; these of its parts are real, and who talks is small without one."""
    given = Parts(**{"talk": EchoTalk(system), **parts})
    return create_app(system, given, secret_key=b"k" * 32, config={"RATELIMIT_ENABLED": False})


@dataclass
class EchoTalk:
    system: System
    said: dict[str, list[Said]] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    keys: dict[tuple[int, str], Turn] = field(default_factory=dict)

    def respond(
        self,
        session: Session,
        conversation: str | None,
        text: str,
        key: str,
        *,
        page: str | None = None,  # noqa: ARG002
    ) -> Turn:
        account = session.account
        if (account.id, key) in self.keys:
            return self.keys[account.id, key]
        if conversation and self.owners.get(conversation) != account.id:
            raise NotFoundError("没有这段对话")
        name = conversation or uuid4().hex
        self.owners[name] = account.id
        turn = Turn(name, self._answer(account, text))
        self.said.setdefault(name, []).append(Said(text, turn.replies))
        self.keys[account.id, key] = turn
        return turn

    def past(self, account: Account, conversation: str | None) -> tuple[str | None, Sequence[Said]]:
        if conversation and self.owners.get(conversation) != account.id:
            raise NotFoundError("没有这段对话")
        own = [name for name, owner in self.owners.items() if owner == account.id]
        name = conversation or (own[-1] if own else None)
        return name, self.said.get(name or "", [])

    def last(self, account: Account, conversation: str) -> int:  # noqa: ARG002
        return len(self.said[conversation]) - 1

    def news(
        self,
        account: Account,  # noqa: ARG002
        conversation: str | None,
        after: int,  # noqa: ARG002
        unseen: Sequence[Notice],  # noqa: ARG002
    ) -> tuple[str | None, Sequence[Said]]:
        return conversation, ()

    def rate(self, *_answer: object, **_opinion: object) -> None:
        raise NotFoundError("没有找到这条答复")

    def title(self, account: Account, topic: str) -> str:  # noqa: ARG002
        return topic

    def suggest(self, account: Account, text: str) -> Sequence[str]:  # noqa: ARG002
        return [f"{text}怎么办", f"{text}在哪里"] if text else []

    def _answer(self, account: Account, text: str) -> tuple[Reply, ...]:  # noqa: PLR0911 - one for each card
        found = documents.listing(self.system, account, kind="plan")
        if "炸" in text:
            raise RuntimeError("secret internals")
        if "流程" in text:
            drawn = flow.flow(self.system, account, found[-1].number)
            return (
                Reply("这份计划现在在这里：", FlowCard(drawn.title, drawn.number, drawn.nodes, drawn.edges)),
            )
        if "录错" in text:
            items = tuple(DocumentItem(d.number, d.title, d.node, d.node_label, d.number) for d in found[:3])
            return (Reply("您说的是哪一份？", DocumentsCard("", items)),)
        if "JH-" in text:
            steps = (
                PlanStep("撤销", "李明", mine=True, state="current", menu="计划录入-已处理"),
                PlanStep("退回到采购单位初审", "王芳（采购单位负责人 02）", mine=False, state="ahead"),
            )
            card = StepsCard("改这份计划", found[-1].number, steps, "业务科室初审", "采购单位初审")
            return (
                Reply("可以拿回来修改，要两步：", card, (Choice("是，开始办", "是"), Choice("先不办", "不"))),
            )
        if text == "是":
            rows = (
                Change("单据", "业务科室初审", "采购单位复审"),
                Change("指标", "冻结 10,800.00", "冻结 10,800.00"),
            )
            return (Reply("将要办理：", ConfirmCard("撤销", found[-1].number, rows)),)
        if "账号" in text:
            return (Reply("您单位的账号：", FactsCard("账号", (Row("经办", account.login),))),)
        if "作废" in text:
            cases = (
                CaseItem("计划还没办结", ("点【撤销】", "改好后再送审")),
                CaseItem("计划已经办结", ("点【取消采购】", "02 终审"), current=True),
            )
            return (Reply("", EntryCard("作废计划", cases, ("提示已下达：先退回",))),)
        return (Reply(f"您说：{text}", None, (Choice("计划录错了", "计划录错了"),)),)

"""A small assistant for tests: keeps conversations, refuses foreign ones, repeats nothing, and shows every card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from core.domain.accounts import Account
from core.domain.errors import NotFoundError
from core.service import documents, flow
from core.service.system import System


@dataclass(frozen=True)
class Choice:
    title: str
    say: str


@dataclass(frozen=True)
class Reply:
    text: str
    card: Mapping[str, Any] | None = None
    choices: Sequence[Choice] = ()


@dataclass(frozen=True)
class Turn:
    conversation: str
    replies: Sequence[Reply]


@dataclass(frozen=True)
class Said:
    text: str
    replies: Sequence[Reply]


@dataclass
class EchoTalk:
    system: System
    said: dict[str, list[Said]] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    keys: dict[tuple[int, str], Turn] = field(default_factory=dict)

    def respond(self, account: Account, conversation: str | None, text: str, key: str) -> Turn:
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

    def _answer(self, account: Account, text: str) -> list[Reply]:
        found = documents.listing(self.system, account, kind="plan")
        if "炸" in text:
            raise RuntimeError("secret internals")
        if "流程" in text:
            drawn = flow.flow(self.system, account, found[-1].number)
            card = {
                "type": "flow",
                "title": drawn.title,
                "number": drawn.number,
                "nodes": drawn.nodes,
                "edges": drawn.edges,
            }
            return [Reply("这份计划现在在这里：", card)]
        if "录错" in text:
            rows = [
                {"number": d.number, "title": d.title, "node": d.node, "node_label": d.node_label, "say": d.number}
                for d in found[:3]
            ]
            return [Reply("您说的是哪一份？", {"type": "documents", "entries": rows})]
        if "JH-" in text:
            steps = [
                {"label": "撤销", "who": "李明", "mine": True, "menu": "计划录入-已处理", "state": "current"},
                {"label": "退回到采购单位初审", "who": "王芳（采购单位负责人（02））", "menu": "计划审核-待处理"},
            ]
            card = {"type": "steps", "title": "改这份计划", "before": "业务科室初审", "after": "采购单位初审", "steps": steps}
            return [Reply("还没终审，可以拿回来修改，要两步：", card, [Choice("是，开始办", "是"), Choice("先不办", "不")])]
        if "账号" in text:
            rows = [{"label": "经办", "value": account.login}, {"label": "负责人", "value": account.login[:-1] + "2"}]
            return [Reply("您单位有两个账号：", {"type": "facts", "title": account.unit.name, "rows": rows})]
        return [Reply(f"您说：{text}", None, [Choice("计划录错了", "计划录错了")])]

"""Taking one lawful act on a document: all of it in one transaction, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from core.domain import forms, graph, guards, ledger
from core.domain.accounts import Account
from core.domain.documents import Document, Entry
from core.domain.errors import BlockedError, ConflictError, ForbiddenError, InvalidError
from core.domain.money import yuan
from core.domain.planner import flags_after
from core.domain.process import Action, Actor, Effect, Node, NodeType
from core.service import following, once, people, situations
from core.service.documents import summarise
from core.service.ports import Certificate, Transaction
from core.service.situations import Case
from core.service.system import System
from core.service.views import FIELD_LABELS, ActResult

_OPINION_LIMIT = 500


@dataclass(frozen=True)
class _Act:
    """One act on its way through the transaction."""

    case: Case
    action: Action
    actor: Account
    target: str
    arguments: Mapping[str, str]
    at: datetime


def perform(
    system: System,
    actor: Account,
    number: str,
    action: str,
    *,
    version: int,
    arguments: Mapping[str, str],
    key: str,
    certificate: Certificate | None = None,
) -> ActResult:
    """Take `action` on the document as it was seen at `version`; repeating a key does nothing twice.

    Errors: NotFoundError, ForbiddenError (who may), BlockedError (`reasons`), InvalidError (form fields),
    ConflictError (the document moved; nothing was done). `certificate` goes with the act `sign` only.
    """
    with system.database.write() as tx:
        return perform_in(
            system,
            tx,
            actor,
            number,
            action,
            version=version,
            arguments=arguments,
            key=key,
            certificate=certificate,
        )


def perform_in(  # noqa: PLR0913 - as perform, and the transaction
    system: System,
    tx: Transaction,
    actor: Account,
    number: str,
    action: str,
    *,
    version: int,
    arguments: Mapping[str, str],
    key: str,
    certificate: Certificate | None = None,
    request: object = None,
) -> ActResult:
    """As `perform`, inside a transaction; `request` is what the key stands for where it is more than this act."""
    request = request or request_of(number, action, version, arguments)
    earlier = once.earlier(tx, actor, key, request)
    document = situations.find(system, tx, actor, number, lock=True)
    if earlier is not None:
        return ActResult(
            summarise(system, tx, [document])[0], earlier["label"], earlier["said"], repeated=True
        )
    act = _lawful(system, tx, actor, document, action, version, arguments)
    if Effect.MARK_SIGNED in act.action.effects:
        if certificate is None:
            raise BlockedError("备案书签章要选印章并输入证书口令，请用签章功能")
        tx.records.add_certificate(document.id, certificate, actor.id)
    after = _carry_out(system, tx, act)
    following.follow(system, tx, after, action, actor)
    _audit(tx, act, after)
    said = _said(tx, act, after)
    once.keep(
        tx, actor, key, request, {"number": after.number, "label": act.action.label, "said": said}, system
    )
    return ActResult(summarise(system, tx, [after])[0], act.action.label, said)


def request_of(number: str, action: str, version: int, arguments: Mapping[str, str]) -> object:
    """What a key of `perform` stands for."""
    return ("act", number, action, version, dict(arguments))


def check(system: System, actor: Account, number: str, action: str, *, version: int) -> None:
    """Raise what `perform` would raise now for an act whose form is not filled in yet (before a PIN is used)."""
    with system.database.read() as tx:
        document = situations.find(system, tx, actor, number)
        _lawful(system, tx, actor, document, action, version, {})


def _moved(system: System, tx: Transaction, document: Document) -> ConflictError:
    process = system.processes.version(document.process_version, tx)
    label = process.node(document.node).label
    return ConflictError(
        f"{document.number} 刚才有变动，现在在“{label}”，这次没有办理任何操作，请看清后再办",
        fields={"version": document.version, "node": document.node},
    )


def _lawful(
    system: System,
    tx: Transaction,
    actor: Account,
    document: Document,
    name: str,
    version: int,
    arguments: Mapping[str, str],
) -> _Act:
    if document.version != version:
        raise _moved(system, tx, document)
    case = situations.case(system, tx, document)
    node = case.process.node(document.node)
    action = case.process.actions.get(name)
    if action is None:
        raise InvalidError(
            f"{case.process.label}没有“{name[:30]}”这个操作", fields={"action": "没有这个操作"}
        )
    if document.node not in action.routes:
        raise BlockedError(
            f"{document.number} 现在在“{node.label}”，不能{action.label}。{node.help}",
            fields={"reasons": [node.help]},
        )
    actors = case.process.actors(action, document.node)
    if not people.may(actor, case.owner, document, actors):
        who = people.names(tx, case.owner, document, actors) or "系统"
        raise ForbiddenError(f"“{action.label}”要由{who}办理，您的账号不能代办", fields={"who": who})
    _refuse_own_review(tx, case, action, actor)
    reasons = guards.refusals(action.guards, case.situation)
    if reasons:
        raise BlockedError("；".join(reasons), fields={"reasons": reasons, **case.form_errors})
    _filled_in(action, arguments)
    return _Act(case, action, actor, _target(case, action, arguments), arguments, system.clock())


def _refuse_own_review(tx: Transaction, case: Case, action: Action, actor: Account) -> None:
    """Nobody reviews their own work, which without deputies the structure sees to."""
    document = case.document
    review = case.process.node(document.node).type is NodeType.REVIEW and not action.by
    if review and tx.documents.other_hats(document.id, actor.id, actor.label):
        raise ForbiddenError(
            f"这张单据您以另一个身份办理过，不能再由您审核，请{actor.acts_for or '别人'}办理",
            code="own_work",
            fields={"who": actor.acts_for or "别人"},
        )


def _filled_in(action: Action, arguments: Mapping[str, str]) -> None:
    allowed = {name.removesuffix("?") for name in action.form}
    wrong = dict.fromkeys(arguments.keys() - allowed, "不需要这一项")
    for name in action.required:
        if name not in {"target", "seal", "pin"} and not arguments.get(name, "").strip():
            wrong[name] = f"请填写{FIELD_LABELS.get(name, name)}"
    for name, value in arguments.items():
        if len(value) > _OPINION_LIMIT:
            wrong[name] = f"{FIELD_LABELS.get(name, name)}不能超过 {_OPINION_LIMIT} 字"
    if wrong:
        raise InvalidError(f"{action.label}：" + "；".join(wrong.values()), fields=wrong)


def _target(case: Case, action: Action, arguments: Mapping[str, str]) -> str:
    lawful = graph.targets(case.process, action, case.document.trail)
    if not action.chosen:
        if not lawful:
            raise BlockedError(f"{action.label}没有可到的环节")
        return lawful[0]
    chosen = arguments.get("target") or (lawful[0] if len(lawful) == 1 else "")
    if chosen not in lawful:
        labels = "、".join(case.process.node(item).label for item in lawful) or "没有"
        raise InvalidError(f"请选择退回到哪一步，可选：{labels}", fields={"target": f"可选：{labels}"})
    return chosen


def _carry_out(system: System, tx: Transaction, act: _Act) -> Document:
    before = act.case.document
    target = act.case.process.node(act.target)
    trail = graph.moved(act.action, before.trail, act.target)
    after = replace(
        before,
        trail=trail,
        flags=flags_after(act.action, before.flags),
        version=before.version + 1,
        updated_at=act.at,
    )
    if not tx.documents.replace(before, after):
        raise _moved(system, tx, tx.documents.by_id(before.id))
    _move_funds(tx, after, target, act.at)
    tx.documents.append(
        after.id,
        Entry(
            after.version, act.at, act.actor.id, act.actor.label, act.action.id, act.action.label, before.node,
            act.target, _opinion(act),
        ),
    )  # fmt: skip
    tx.documents.set_tasks(after.id, [(unit_id, actor.role) for unit_id, actor in _turn(act, after)])
    tx.documents.add_parties(after.id, people.involved(act.case.owner, after, act.case.process))
    _tell(tx, act, after, target)
    _send(tx, act, after)
    return after


def _opinion(act: _Act) -> str:
    return (act.arguments.get("opinion") or act.arguments.get("reason") or "").strip()


def _audit(tx: Transaction, act: _Act, after: Document) -> None:
    """Last of all: the head of the chain is what writers of a region queue up for, so nothing is waited for behind it."""
    tx.records.audit(
        after.region, act.at, act.actor.login, act.action.id, after.number,
        {"from": act.case.document.node, "to": act.target, "version": after.version, "opinion": _opinion(act)},
    )  # fmt: skip


def _turn(act: _Act, after: Document) -> list[tuple[int, Actor]]:
    """(unit id, actor) whose turn it is: nobody's where the process has ended well, though more could be done."""
    if after.node in act.case.process.finish:
        return []
    return people.places(act.case.owner, after, act.case.process.node(after.node).actors)


def _move_funds(tx: Transaction, document: Document, target: Node, at: datetime) -> None:
    moves = ledger.settle(tx.ledger.holds(document.id), target.funds, forms.funding(document.form))
    for move in moves:
        if tx.ledger.apply(document.id, document.version, move, at):
            continue
        known = tx.ledger.indicator(move.indicator_id)
        name = f"{known.code} {known.name}" if known else str(move.indicator_id)
        left = known.available_fen if known else 0
        need = f"需要 {yuan(move.amount_fen)} 元，可用只有 {yuan(left)} 元"
        raise BlockedError(
            f"指标 {name} 额度不够：{need}",
            code="insufficient_funds",
            fields={
                "reasons": [f"指标额度不够：{need}"],
                "indicator": move.indicator_id,
                "available_fen": left,
            },
        )


def _tell(tx: Transaction, act: _Act, after: Document, target: Node) -> None:
    """The author hears what others did; whoever's turn it is now hears that it is."""
    quoted = f"，意见：{text}" if (text := _opinion(act)) else ""
    what = f"{after.number} {after.title}：{act.actor.label}办了“{act.action.label}”{quoted}，现在在“{target.label}”"
    waiting = {a.id for unit_id, item in _turn(act, after) for a in tx.accounts.of(unit_id, item.role)} - {
        act.actor.id
    }
    tx.records.notify(waiting, after.number, f"{what}，轮到您办理", act.at)
    tx.records.notify({after.author_id} - waiting - {act.actor.id}, after.number, what, act.at)


def _send(tx: Transaction, act: _Act, after: Document) -> None:
    where = "agency" if after.variant == "project" else "mall"
    for effect, topic in (
        (Effect.DISPATCH, f"{where}.dispatch"),
        (Effect.WITHDRAW_DISPATCH, f"{where}.withdraw"),
    ):
        if effect in act.action.effects and "dispatch" in act.case.process.actions:
            body = {"number": after.number, "title": after.title, "amount_fen": after.amount_fen}
            tx.outbox.send(after.id, topic, body, f"{after.number}-{after.version}", act.at)


def _said(tx: Transaction, act: _Act, after: Document) -> str:
    target = act.case.process.node(act.target)
    who = people.names(tx, act.case.owner, after, [actor for _, actor in _turn(act, after)])
    turn = f"，接下来由{who}办理" if who else ""
    money = _money_said(tx, after)
    return f"{after.number} 已{act.action.label}，现在在“{target.label}”{turn}。{money}"


def _money_said(tx: Transaction, after: Document) -> str:
    holds = tx.ledger.holds(after.id)
    frozen, used = sum(h.frozen_fen for h in holds), sum(h.used_fen for h in holds)
    if not holds:
        return ""
    if not frozen and not used:
        return "占用的指标额度已全部退回。"
    return f"指标冻结 {yuan(frozen)} 元。" if frozen else f"指标已使用 {yuan(used)} 元。"

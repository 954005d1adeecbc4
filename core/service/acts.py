"""Taking one lawful act on a document: all of it in one transaction, or nothing."""

from collections.abc import Mapping

from core.domain import graph
from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.errors import BlockedError, ForbiddenError, InvalidError
from core.domain.process import Action, Effect, Guard, NodeType
from core.service import entering, following, moving, once, people, situations, voting
from core.service.documents import done_before, summarise
from core.service.moving import Act
from core.service.ports import Certificate, Transaction
from core.service.situations import Case
from core.service.system import System
from core.service.views import FIELD_LABELS, ActResult

_OPINION_LIMIT = 500


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
    document = situations.find(tx, actor, number, lock=True)
    if earlier is not None:
        return done_before(system, tx, document, earlier)
    act = _lawful(system, tx, actor, document, action, version, arguments)
    if Effect.MARK_SIGNED in act.action.effects:
        if certificate is None:
            raise BlockedError("备案书签章要选印章并输入证书口令，请用签章功能")
        tx.records.add_certificate(document.id, certificate, actor.id)
    held = voting.cast(system, tx, act)
    after = held or moving.carry_out(system, tx, act)
    following.follow(system, tx, after, action, actor)
    moving.audit(tx, actor, action, act.case.document, after, moving.opinion(act))
    said = voting.said(tx, act.case, held, act.action.label) if held else moving.said(tx, act, after)
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
        document = situations.find(tx, actor, number)
        _lawful(system, tx, actor, document, action, version, {})


def _lawful(
    system: System,
    tx: Transaction,
    actor: Account,
    document: Document,
    name: str,
    version: int,
    arguments: Mapping[str, str],
) -> Act:
    if document.version != version:
        raise moving.moved(system, tx, document)
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
    _refuse_others(tx, case, action, actor)
    _refuse_own_review(tx, case, action, actor)
    _refuse_without_key(action, actor)
    situations.refuse_unmet(case, action, situations.seen_by(case, actor))
    _filled_in(action, arguments)
    return Act(case, action, actor, _target(case, action, arguments), arguments, system.clock())


def _refuse_others(tx: Transaction, case: Case, action: Action, actor: Account) -> None:
    """Who may: by the process, or (where the task was handed over or is voted on) by how the decision stands."""
    if not situations.may(case, actor, action):
        who = people.names_of(tx, situations.turns(case, action)) or action.outside or "系统"
        raise ForbiddenError(f"“{action.label}”要由{who}办理，您的账号不能代办", fields={"who": who})
    if waits := situations.waited_for(case, actor, action):
        said = f"还在等{people.names_of(tx, [row.to for row in waits])}的意见，等到了，或收回、减签以后，才能{action.label}"
        raise BlockedError(said, fields={"reasons": [said]})


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


def _refuse_without_key(action: Action, actor: Account) -> None:
    """Some acts are for those who signed in with a CA key (ah-3.7)."""
    if Guard.CERTIFICATE in action.guards and not actor.by_key:
        said = f"“{action.label}”要用 CA 登录才能办：请退出，插好锁，选 CA 登录后再来办"
        raise ForbiddenError(said, code="key_wanted", fields={"reasons": [said]})


def _filled_in(action: Action, arguments: Mapping[str, str]) -> None:
    allowed = {name.removesuffix("?") for name in action.form}
    wrong = dict.fromkeys(arguments.keys() - allowed, "不需要这一项")
    for name in action.required:
        if name not in {"target", "seal", "pin"} and not arguments.get(name, "").strip():
            wrong[name] = f"请填写{FIELD_LABELS.get(name, name)}"
    for name, value in arguments.items():
        if len(value) > _OPINION_LIMIT:
            wrong[name] = f"{FIELD_LABELS.get(name, name)}不能超过 {_OPINION_LIMIT} 字"
    entering.refuse_unwritable(arguments)
    if wrong:
        raise InvalidError(f"{action.label}：" + "；".join(wrong.values()), fields=wrong)


def _target(case: Case, action: Action, arguments: Mapping[str, str]) -> str:
    lawful = graph.targets(case.process, action, case.document.trail, case.document.cut, case.skip)
    if not action.chosen:
        if not lawful:
            raise BlockedError(f"{action.label}没有可到的环节")
        return lawful[0]
    chosen = arguments.get("target") or (lawful[0] if len(lawful) == 1 else "")
    if chosen not in lawful:
        labels = "、".join(case.process.node(item).label for item in lawful) or "没有"
        raise InvalidError(f"请选择退回到哪一步，可选：{labels}", fields={"target": f"可选：{labels}"})
    return chosen

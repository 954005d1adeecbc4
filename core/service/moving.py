"""Moving a document by one act: the row, its money, history, tasks, messages, and what hangs on it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from core.domain import expressions, forms, graph, guards
from core.domain.accounts import Account
from core.domain.approval import Seat
from core.domain.documents import Document, Entry
from core.domain.errors import BlockedError, ConflictError
from core.domain.money import yuan
from core.domain.planner import changed, flags_after
from core.domain.process import Action, Also, Effect, Node, NodeType
from core.service import arriving, entering, experts, funding, people, publications, situations, standings
from core.service.ports import Transaction
from core.service.situations import Case
from core.service.system import System


@dataclass(frozen=True)
class Act:
    """One lawful act on its way through the transaction."""

    case: Case
    action: Action
    actor: Account
    target: str
    arguments: Mapping[str, str]
    at: datetime
    label: str = ""  # how the record calls it, where not as the action is called


def moved(system: System, tx: Transaction, document: Document) -> ConflictError:
    """The document is not any more as it was seen."""
    process = system.processes.version(document.process_version, tx)
    label = process.node(document.node).label
    return ConflictError(
        f"{document.number} 刚才有变动，现在在“{label}”，这次没有办理任何操作，请看清后再办",
        fields={"version": document.version, "node": document.node},
    )


def carry_out(system: System, tx: Transaction, act: Act) -> Document:
    """Everything that an act changes, but its record; the document as it is now."""
    before = act.case.document
    target = act.case.process.node(act.target)
    trail = graph.moved(act.action, before.trail, act.target, before.cut)
    after = replace(
        before,
        trail=trail,
        cut=graph.cut_off(act.action, before.trail, trail, before.cut),
        flags=flags_after(act.action, before.flags),
        version=before.version + 1,
        updated_at=act.at,
    )
    after = _registered(tx, _set(system, tx, act, _versions(tx, act, after)), act)
    if Effect.SET_LANDLINE in act.action.effects:
        tx.accounts.set_landline(after.unit_id, str(after.form.get("landline") or ""))
    after = experts.follow(tx, act.action, act.arguments, after, act.at)
    if not tx.documents.replace(before, after):
        raise moved(system, tx, tx.documents.by_id(before.id))
    funding.settle(tx, after, act.case.process, target, act.at)
    tx.documents.append(
        after.id,
        Entry(
            after.version, act.at, act.actor.id, act.actor.label, act.action.id, act.label or act.action.label,
            before.node, act.target, opinion(act),
        ),
    )  # fmt: skip
    if trail != before.trail and act.case.standing.special:
        tx.assignments.end_stay(after.id)  # a vote of this stay never counts in another one
    tx.documents.set_tasks(after.id, _turns(tx, act, after))
    tx.documents.add_parties(after.id, people.involved(act.case.owner, after, act.case.process))
    if act.target != before.node:
        arriving.arrive(system, tx, after, act.case.process, act.actor)
    _tell(tx, act, after, target)
    _send(system, tx, act, after)
    _above_and_below(system, tx, act, after)
    return after


def _versions(tx: Transaction, act: Act, after: Document) -> Document:
    """Keep the form before it is changed, or put the kept one back."""
    if Effect.SNAPSHOT in act.action.effects:
        tx.documents.keep_form(act.case.document, act.at, act.action.label)
    return with_form_of(tx, after, act.action)


def with_form_of(tx: Transaction, document: Document, action: Action) -> Document:
    """The document with the kept form, where the action puts that back."""
    if Effect.RESTORE in action.effects and (kept := tx.documents.forms(document.id)):
        return replace(document, form=kept[0].form, amount_fen=kept[0].amount_fen)
    return document


def _set(system: System, tx: Transaction, act: Act, after: Document) -> Document:
    """The document with the fields that the act itself sets, worked out from how the document was before."""
    if not act.action.own_form:
        return after
    values = _worked_out(act.action.own_form, act)
    form, amount = situations.complete(system, tx, after, act.case.process, {**after.form, **values})
    return replace(after, form=form, amount_fen=amount)


def _worked_out(wanted: Mapping[str, str], act: Act) -> dict[str, object]:
    return {name: expressions.evaluate(text, situation=act.case.situation) for name, text in wanted.items()}


def _registered(tx: Transaction, document: Document, act: Act) -> Document:
    """The document with a file number of its own, where the act gives one; it is kept if it is there already."""
    if Effect.REGISTER not in act.action.effects or document.form.get("register_no"):
        return document
    series = f"{act.case.owner.division}-{act.at.year}"
    number = tx.documents.next_number(f"register-{document.kind}-{series}")
    return replace(document, form={**document.form, "register_no": f"{series}-{number:05d}"})


def _above_and_below(system: System, tx: Transaction, act: Act, after: Document) -> None:
    """What the act changes on the document above, and the documents it brings into being below."""
    if (act.action.parent_flags or act.action.parent_form) and after.parent_id:
        _change_above(system, tx, act, tx.documents.by_id(after.parent_id))
    for also in act.action.also:
        _take_along(system, tx, act, after, also)
    for item in act.action.spawns:
        if item.when and not expressions.evaluate(item.when, situation=act.case.situation):
            continue
        process = system.processes.current(after.region, item.kind, item.variant)
        for row in forms.rows(after.form, item.each) if item.each else [{}]:
            made = entering.spawn(system, tx, process, after, row, act.actor)
            # Whoever brought it into being for another unit sees what becomes of it.
            tx.documents.add_parties(made.id, {after.unit_id} - {made.unit_id})
            tx.records.notify(
                {made.author_id} - {act.actor.id}, made.number,
                f"{made.number} {made.title}：由{after.number}自动生成，请到“{process.menu or process.label}”办理", act.at,
            )  # fmt: skip


def _take_along(system: System, tx: Transaction, act: Act, after: Document, also: Also) -> None:
    """The act that goes with this one, on the document above or on those below; in the same transaction and record."""
    above = tx.documents.by_id(after.parent_id) if after.parent_id else None
    upwards = above is not None and above.kind == also.kind
    found = [above] if upwards else [d for d in tx.documents.descendants(after.id) if d.kind == also.kind]
    for document in found:
        assert document is not None  # noqa: S101 - for the type checker
        case = situations.case(system, tx, document)
        action = case.process.actions[also.act]
        lawful = graph.targets(case.process, action, document.trail, document.cut, case.skip)
        reasons = guards.refusals(action, case.situation)
        if lawful and not reasons:
            carry_out(system, tx, replace(act, case=case, action=action, target=lawful[0]))
        elif upwards:
            node = case.process.node(document.node).label
            said = reasons or [f"{document.number} 现在在“{node}”，不能{action.label}"]
            raise BlockedError("；".join(said), fields={"reasons": said})


def _change_above(system: System, tx: Transaction, act: Act, above: Document) -> None:
    """Flags and fields of the document above; its money follows its form."""
    process = system.processes.version(above.process_version, tx)
    values = _worked_out(act.action.parent_form, act)
    marked = replace(
        above,
        flags=changed(above.flags, act.action.parent_flags),
        version=above.version + 1,
        updated_at=act.at,
    )
    if values:
        form, amount = situations.complete(system, tx, marked, process, {**above.form, **values})
        marked = replace(marked, form=form, amount_fen=amount)
    if not tx.documents.replace(above, marked):
        raise moved(system, tx, above)
    entry = Entry(
        marked.version, act.at, act.actor.id, act.actor.label, act.action.id,
        f"{act.action.label}（{act.case.document.number}）", above.node, above.node, opinion(act),
    )  # fmt: skip
    tx.documents.append(above.id, entry)
    if values:
        funding.settle(tx, marked, process, process.node(above.node), act.at)


def opinion(act: Act) -> str:
    """What whoever acts said to it."""
    return (act.arguments.get("opinion") or act.arguments.get("reason") or "").strip()


def audit(
    tx: Transaction, actor: Account, action: str, before: Document, after: Document, opinion: str, **more: str
) -> None:
    """Record an act, a vote or an answer, last of all: writers of a region queue up for the head of its chain."""
    body = {"from": before.node, "to": after.node, "version": after.version, "opinion": opinion, **more}
    if actor.acts_for:
        body["for"] = actor.acts_for
    tx.records.audit(after.region, after.updated_at, actor.login, action, after.number, body)


def _turns(tx: Transaction, act: Act, after: Document) -> tuple[Seat, ...]:
    """Whose turn it is: of a document that stays where it is, as its decision stands."""
    if after.trail == act.case.document.trail and after.node not in act.case.process.finish:
        return act.case.standing.turns
    return standings.first_turns(tx, after, act.case.process, act.case.owner)


def _tell(tx: Transaction, act: Act, after: Document, target: Node) -> None:
    """The author hears what others did; whoever's turn it is now hears that it is.

    Whoever's turn it was need not hear any more that it had become theirs.
    """
    quoted = f"，意见：{text}" if (text := opinion(act)) else ""
    what = f"{after.number} {after.title}：{act.actor.label}办了“{act.action.label}”{quoted}，现在在“{target.label}”"
    waiting = {a.id for a in people.accounts_at(tx, _turns(tx, act, after))} - {act.actor.id}
    no_more = {a.id for a in people.accounts_at(tx, act.case.standing.turns)} - waiting
    for account_id in no_more | {act.actor.id}:
        tx.records.mark_overtaken(account_id, after.number)
    tx.records.notify(waiting, after.number, f"{what}，轮到您办理", act.at)
    tx.records.notify({after.author_id} - waiting - {act.actor.id}, after.number, what, act.at)


def _send(system: System, tx: Transaction, act: Act, after: Document) -> None:
    """Messages to other systems: to whoever carries a plan out, and to the topic that the act names."""
    where = "agency" if after.variant == "project" else "mall"
    topics = [
        topic
        for effect, topic in (
            (Effect.DISPATCH, f"{where}.dispatch"),
            (Effect.WITHDRAW_DISPATCH, f"{where}.withdraw"),
        )
        if effect in act.action.effects and "dispatch" in act.case.process.actions
    ]
    if act.action.sends:
        topics.append(act.action.sends)
    if act.action.sends == publications.TOPIC:
        publications.publish(system, tx, after, act.case.process, act.at)
    body = {"number": after.number, "title": after.title, "amount_fen": after.amount_fen}
    for topic in topics:
        tx.outbox.send(after.id, topic, body, f"{after.number}-{after.version}", act.at)


def said(tx: Transaction, act: Act, after: Document) -> str:
    target = act.case.process.node(act.target)
    who = people.names_of(tx, _turns(tx, act, after))
    turn = f"，接下来由{who}办理" if who else ""
    money = _money_said(tx, after)
    # To a new station of its author (撤销 → 填写撤销原因), from work to a review (作废 → 作废审核), or staying here
    # while a document of its own comes into being for it (冲销): begun, not done.
    asked = (
        act.case.process.node(act.case.document.node).type is NodeType.WORK and target.type is NodeType.REVIEW
    )
    begun = (
        asked
        or (target.type is NodeType.PREPARE and act.target not in act.case.document.trail)
        or (bool(act.action.spawns) and act.target == act.case.document.node)
    )
    done = f"“{act.action.label}”已发起" if begun else f"已办“{act.action.label}”"
    return f"{after.number} {done}，现在在“{target.label}”{turn}。{money}"


def _money_said(tx: Transaction, after: Document) -> str:
    holds = tx.ledger.holds(after.id)
    frozen, used = sum(h.frozen_fen for h in holds), sum(h.used_fen for h in holds)
    if not holds:
        return ""
    if not frozen and not used:
        return "占用的指标额度已全部退回。"
    said = [*([f"已使用 {yuan(used)} 元"] if used else []), *([f"冻结 {yuan(frozen)} 元"] if frozen else [])]
    return f"指标{'，另'.join(said)}。"

"""Running repairs follow every act on their documents, from whichever page, chat or API it came."""

from core.domain.accounts import Account
from core.domain.approval import Seat
from core.domain.documents import Document
from core.service import people, situations, standings
from core.service.ports import RepairRow, Transaction
from core.service.system import System

# The step of whoever was asked for an opinion or added as a signer; no action of the process.
ANSWER = "answer"


def follow(system: System, tx: Transaction, after: Document, action: str, actor: Account) -> None:
    """Move running repairs on, or stop those whose document was moved another way."""
    above = situations.line_of(tx, after)  # a plan's way may begin at a contract two below it
    for row in tx.records.running_repairs([one.id for one in above]):
        if all(step["number"] != after.number for step in row.steps[row.position :]):
            continue
        here = _reached(row, after, action)
        if here is None:
            why = f"{after.number} 被{actor.label}办了别的操作，原来的步骤不再适用"
            stop(system, tx, row, why, actor)
            continue
        step = row.steps[here]
        if here + 1 == len(row.steps):
            tx.records.set_repair(row.id, state="done", position=here + 1)
            tell = f"{row.number} 的处理已全部办完：{step['label']}之后现在是“{step['target_label']}”"
            tx.records.notify({row.asked_by} - {actor.id}, row.number, tell, system.clock())
        else:
            hand_on(system, tx, row, here + 1, actor)


def answered(system: System, tx: Transaction, after: Document, actor: Account) -> None:
    """An opinion or a signature was given: it moves on the repairs that waited for it, and stops none."""
    for row in tx.records.running_repairs([after.id]):
        step = row.steps[row.position]
        if (step["number"], step["action"]) == (after.number, ANSWER):
            hand_on(system, tx, row, row.position + 1, actor)


def _reached(row: RepairRow, after: Document, action: str) -> int | None:
    """Position of the step that was taken; votes and signatures that were not needed any more are passed over.

    None where it was none of the steps. A vote more than was thought stays at the step it was.
    """
    for index, step in enumerate(row.steps[row.position :], row.position):
        if step["number"] != after.number or step["action"] not in (action, ANSWER):
            return None
        came = step["target"] == after.node
        if came and (step["action"] == action or step["source"] != after.node):
            return index
        if step["source"] == after.node:
            return row.position - 1  # still voting
    return None


def stop(system: System, tx: Transaction, row: RepairRow, why: str, actor: Account) -> None:
    """End a repair: its asker hears why, and those who were asked for the next step that it is void."""
    step, asker = row.steps[row.position], tx.accounts.account(row.asked_by)
    tx.records.set_repair(row.id, state="stopped", position=row.position, why=why)
    tell = f"{row.number} 的处理已停下：{why}。需要的话请重新问我"
    tx.records.notify({row.asked_by} - {actor.id}, row.number, tell, system.clock())
    void = f"{asker.label}请您办的 {step['number']}“{step['label']}”不用办了：{why}"
    tx.records.notify(set(row.asked) - {row.asked_by, actor.id}, step["number"], void, system.clock())


def hand_on(system: System, tx: Transaction, row: RepairRow, position: int, actor: Account) -> None:
    """Make step `position` the task of whoever may take it, and tell them who asks for it."""
    step = row.steps[position]
    asker = tx.accounts.account(row.asked_by)
    waiting = _turns(system, tx, step["number"], step["action"])
    own_seat = standings.seat_of(asker)
    if mine := [seat for seat in waiting if seat.taken_by(own_seat)]:
        waiting = mine  # whoever asked for the repair takes the steps that are theirs
    asked = {account.id for account in people.accounts_at(tx, waiting)}
    places = {(seat.unit_id, seat.role) for seat in waiting}
    tx.records.set_repair(row.id, state="running", position=position, waiting=places, asked=asked)
    told = asked - {actor.id}
    text = f"{asker.label}请您办理：{step['number']}“{step['label']}”到“{step['target_label']}”"
    tx.records.notify(told - {row.asked_by}, step["number"], text, system.clock())
    own = f"{row.number}：轮到您办“{step['label']}”了"
    tx.records.notify(told & {row.asked_by}, step["number"], own, system.clock())


def _turns(system: System, tx: Transaction, number: str, action: str) -> list[Seat]:
    """Who may take `action` on the document where it stands; nobody is asked for an answer anew."""
    if action == ANSWER:
        return []
    case = situations.case(system, tx, situations.find(tx, None, number))
    return list(situations.turns(case, case.process.actions[action]))

"""Drawing experts for a request: the draw, their answers, an adjusted or withdrawn request, and the list (fj-10.x).

All of it happens inside the act on the request (`core.service.moving`), so that a draw and its record are one.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from core.domain import drawing, forms
from core.domain.accounts import Account, Role
from core.domain.documents import Document
from core.domain.drawing import Avoided, Group
from core.domain.errors import BlockedError, InvalidError
from core.domain.process import Action, Effect
from core.service import situations
from core.service.expert_ports import DrawRecord, ExpertRow, Seat, SeatState
from core.service.ports import Transaction
from core.service.staff import masked_phone
from core.service.system import System

_LIVE = {SeatState.WAITING, SeatState.ACCEPTED}
_ANSWERS = {"accept": SeatState.ACCEPTED, "decline": SeatState.DECLINED}
_SEES_NAMES = {Role.PROCUREMENT_FIRST, Role.PROCUREMENT_SECOND}
STATE_LABELS = {
    SeatState.WAITING: "待应答",
    SeatState.ACCEPTED: "同意参加",
    SeatState.DECLINED: "不参加",
    SeatState.RELEASED: "不用参加",
}


@dataclass(frozen=True)
class DrawnExpert:
    """One line of the list as the viewer may see it; identity numbers are nobody's to see."""

    group: int
    code: str
    name: str
    unit: str
    phone: str
    id_number: str
    categories: tuple[str, ...]
    area: str
    state: str
    state_label: str
    drawn_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True)
class ExpertList:
    """Who was drawn, and the recorded draws; `repeated` says for each whether its seed draws the same again."""

    number: str
    experts: tuple[DrawnExpert, ...]
    draws: tuple[DrawRecord, ...]
    repeated: tuple[bool, ...]


def follow(
    tx: Transaction, action: Action, arguments: Mapping[str, str], after: Document, at: datetime
) -> Document:
    """What an act means for the drawn experts; the document with its flags `complete` and `short` as they are then.

    BlockedError where there are too few experts, InvalidError for an answer of somebody who was not asked.
    """
    effects = set(action.effects)
    if Effect.DRAW_EXPERTS in effects:
        _draw(tx, after, at)
    elif Effect.RELEASE_EXPERTS in effects:
        for seat in _live(tx, after):
            tx.experts.set_state(after.id, seat.row.id, SeatState.RELEASED, seat.answered_at)
        return replace(after, flags=after.flags - {"complete", "short"})  # nobody is wanted any more
    elif Effect.ANSWER_EXPERT in effects:
        _answer(tx, after, arguments.get("expert", ""), arguments.get("answer", ""), at)
    else:
        return after
    return replace(after, flags=_flags(tx, after))


def _flags(tx: Transaction, document: Document) -> frozenset[str]:
    seats, wanted = _live(tx, document), sum(group.count for group in _groups(document))
    plain = document.flags - {"complete", "short"}
    if len(seats) < wanted:
        return plain | {"short"}
    return plain if any(seat.state is SeatState.WAITING for seat in seats) else plain | {"complete"}


def _live(tx: Transaction, document: Document) -> list[Seat]:
    return [seat for seat in tx.experts.seats(document.id) if seat.state in _LIVE]


def _groups(document: Document) -> list[Group]:
    return [Group(row["category"], row["area"], row["count"]) for row in forms.rows(document.form, "groups")]


def _avoided(tx: Transaction, document: Document) -> Avoided:
    """Whom the request names, and always the buyer's own people."""
    units = [str(row.get("name", "")) for row in forms.rows(document.form, "avoid_units")]
    persons = [str(row.get("id_number", "")) for row in forms.rows(document.form, "avoid_persons")]
    return Avoided.of([*units, tx.accounts.unit(document.unit_id).name], persons)


def _draw(tx: Transaction, document: Document, at: datetime) -> None:
    """Fill every group. Of an adjusted request, those who were drawn and still fit keep their seats."""
    groups, avoided = _groups(document), _avoided(tx, document)
    places = [group.count for group in groups]
    kept: set[str] = set()
    # whoever agreed already comes before those who did not answer yet
    for seat in sorted(_live(tx, document), key=lambda seat: seat.state is not SeatState.ACCEPTED):
        expert, group = seat.row.expert, seat.group
        if group < len(groups) and places[group] and drawing.fits(expert, groups[group], avoided):
            places[group] -= 1
            kept.add(expert.code)
        else:
            tx.experts.set_state(document.id, seat.row.id, SeatState.RELEASED, seat.answered_at)
    _fill(tx, document, groups, avoided, places, at)


def _fill(
    tx: Transaction,
    document: Document,
    groups: list[Group],
    avoided: Avoided,
    places: list[int],
    at: datetime,
) -> None:
    """Draw for the open places and record it; nobody who sits already or declined."""
    if not any(places):
        return
    directory = {row.expert.code: row for row in tx.experts.directory(document.region)}
    taken = {s.row.expert.code for s in tx.experts.seats(document.id) if s.state is not SeatState.RELEASED}
    experts = [row.expert for row in directory.values()]
    pools = [drawing.pool(experts, group, avoided, taken) for group in groups]
    seed = secrets.token_hex(16)
    drawn = drawing.draw(seed, pools, places)
    draw_id = tx.experts.record(document.id, document.version, DrawRecord(seed, pools, places, drawn, at))
    for group, codes in enumerate(drawn):
        for code in codes:
            tx.experts.seat(document.id, directory[code].id, group, draw_id)


def _answer(tx: Transaction, document: Document, code: str, answer: str, at: datetime) -> None:
    """An expert agrees, or declines and somebody else is drawn for the place."""
    state = _ANSWERS.get(answer)
    if state is None:
        raise InvalidError(
            "应答只能是 accept（参加）或 decline（不参加）", fields={"answer": "只能是 accept 或 decline"}
        )
    seat = next((s for s in _live(tx, document) if s.row.expert.code == code), None)
    if seat is None or seat.state is not SeatState.WAITING:
        raise InvalidError(f"专家 {code[:20]} 不在待应答的名单里", fields={"expert": "不在待应答的名单里"})
    tx.experts.set_state(document.id, seat.row.id, state, at)
    if state is SeatState.DECLINED:
        groups = _groups(document)
        places = [int(number == seat.group) for number in range(len(groups))]
        try:
            _fill(tx, document, groups, _avoided(tx, document), places, at)
        except BlockedError:  # an answer counts even where nobody is left; the request is then `short`
            return


def listing(system: System, viewer: Account, number: str) -> ExpertList:
    """Who was drawn for a request that the viewer may see; names and phones only for the procurement office (fj-10.4)."""
    with system.database.read() as tx:
        document = situations.find(tx, viewer, number)
        draws = tuple(tx.experts.draws(document.id))
        shown = _plain if viewer.role in _SEES_NAMES else _masked
        experts = tuple(_line(seat, shown) for seat in tx.experts.seats(document.id))
        return ExpertList(document.number, experts, draws, tuple(repeats(draw) for draw in draws))


def repeats(draw: DrawRecord) -> bool:
    """Whether the recorded seed draws the recorded experts again."""
    again = drawing.draw(draw.seed, draw.pools, draw.places)
    return [list(codes) for codes in again] == [list(codes) for codes in draw.drawn]


def _line(seat: Seat, shown: Callable[[ExpertRow], tuple[str, str]]) -> DrawnExpert:
    expert, (name, phone) = seat.row.expert, shown(seat.row)
    return DrawnExpert(
        group=seat.group + 1, code=expert.code, name=name, unit=expert.unit, phone=phone,
        id_number=f"{'*' * 14}{expert.id_number[-4:]}", categories=tuple(sorted(expert.categories)), area=expert.area,
        state=seat.state.value, state_label=STATE_LABELS[seat.state], drawn_at=seat.drawn_at, answered_at=seat.answered_at,
    )  # fmt: skip


def _plain(row: ExpertRow) -> tuple[str, str]:
    return row.name, row.phone


def _masked(row: ExpertRow) -> tuple[str, str]:
    return f"{row.name[:1]}**", masked_phone(row.phone)

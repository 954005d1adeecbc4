"""The random draw of experts: reproducible from its recorded seed, and never anyone who is to be avoided.

A draw fills the places of several groups, one category a group, from a pool for each group. The seed alone orders
every pool, so a recorded draw (seed, pools, places) can be repeated by anyone and must give the same experts.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from core.domain.errors import BlockedError


@dataclass(frozen=True)
class Expert:
    """Someone in the directory. `code` names them for good; an expert may have several categories."""

    code: str
    unit: str
    id_number: str
    categories: frozenset[str]
    area: str


@dataclass(frozen=True)
class Group:
    """How many experts of one category and one area are wanted (fj-10.1: one category a group)."""

    category: str
    area: str
    count: int


@dataclass(frozen=True)
class Avoided:
    """Units by name and persons by identity number that must not be drawn."""

    units: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()

    @classmethod
    def of(cls, units: Iterable[str], persons: Iterable[str]) -> "Avoided":
        """From what was typed in: blanks and small letters make no difference."""
        return cls(frozenset(map(_plain, units)), frozenset(map(_plain, persons)))

    def covers(self, expert: Expert) -> bool:
        """Whether this expert must not be drawn."""
        return _plain(expert.unit) in self.units or _plain(expert.id_number) in self.persons


def _plain(text: str) -> str:
    return "".join(text.split()).upper()


def fits(expert: Expert, group: Group, avoided: Avoided) -> bool:
    """Whether the expert may sit in the group."""
    return group.category in expert.categories and group.area == expert.area and not avoided.covers(expert)


def pool(
    directory: Iterable[Expert], group: Group, avoided: Avoided, taken: Collection[str] = ()
) -> tuple[str, ...]:
    """Codes, in order, of everyone who may sit in the group; `taken` are codes that are not to come again."""
    return tuple(sorted(e.code for e in directory if e.code not in taken and fits(e, group, avoided)))


def draw(seed: str, pools: Sequence[Collection[str]], places: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """Codes for each group; nobody sits in two groups. Pools may overlap: if all places can be filled, they are.

    BlockedError(code `too_few_experts`) says which group is short.
    """
    ranked = [_ranked(seed, at, pool) for at, pool in enumerate(pools)]
    seats: dict[str, tuple[int, int]] = {}  # code → (group, place)
    for group, count in enumerate(places):
        for place in range(count):
            if not _seat((group, place), ranked, seats, set()):
                raise BlockedError(
                    f"第 {group + 1} 组要抽 {count} 人，符合条件又不回避的专家不够（这一组可抽 {len(ranked[group])} 人）；"
                    "请减少人数，或换专家分类、主评区域",
                    code="too_few_experts",
                    fields={f"groups.{group}.count": f"可抽 {len(ranked[group])} 人"},
                )
    return tuple(
        tuple(code for code in ranked[at] if seats.get(code, (None,))[0] == at) for at in range(len(pools))
    )


def _ranked(seed: str, group: int, codes: Collection[str]) -> list[str]:
    """The pool in the order that the seed gives it."""
    return sorted(codes, key=lambda code: sha256(f"{seed}:{group}:{code}".encode()).digest())


def _seat(
    seat: tuple[int, int],
    ranked: Sequence[Sequence[str]],
    seats: dict[str, tuple[int, int]],
    asked: set[str],
) -> bool:
    """Give the seat to the first in rank who is free, or whose own seat can go to another (augmenting path)."""
    group = seat[0]
    free = next((code for code in ranked[group] if code not in seats and code not in asked), None)
    if free is not None:
        seats[free] = seat
        return True
    for code in ranked[group]:
        if code in asked or seats[code][0] == group:
            continue
        asked.add(code)
        if _seat(seats[code], ranked, seats, asked):
            seats[code] = seat
            return True
    return False

"""What somebody should look at, though nothing is broken: printed by `python -m kb check`, never an error.

Mistakes that stop a start are in `kb.checks`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz import process as matching

from core.domain.process import Process
from kb.entries import VOICES, Entry, Library
from kb.text import key

ALIKE = 80  # rapidfuzz ratio from which two phrasings are nearly the same
# A character is a topic's own that stands in so many of its phrasings, and so many times as often as in the other's. Of
# phrasings planted under another topic with one filler word changed, 96 of 100 are still found.
_OWN_SHARE, _OWN_TIMES = 0.1, 4
_SHORTEST = 5  # characters; of shorter ones a single different character says everything
_MENU = re.compile(r"【([^【】]+)】")
_EITHER = re.compile(r"(?P<one>[^-（]+)（或(?P<other>[^）]+)）(?P<tab>.*)")
_BESIDE = {"account", "certificate"}  # no documents: pages of their own and the assistant see to them
_LOOKS = {
    "track",
    "query",
}  # only looked at: where a document stands, what has been paid; no process has them
_STEPS = r"(?:初审|复审|终审)"

Processes = Mapping[tuple[str, str, str], Process]


@dataclass(frozen=True)
class Remark:
    """One thing to look at; `group` is the kind of remark in Chinese."""

    group: str
    place: str
    sentence: str


def remarks(library: Library, processes: Processes) -> list[Remark]:
    """All remarks, by region and topic."""
    found: list[Remark] = []
    for region in library.regions:
        entries = library.of_region(region)
        found += _voices(entries)
        found += _operations(entries, processes)
        found += _names(entries, processes)
        found += _near_duplicates(entries)
    return found


def _voices(entries: Iterable[Entry]) -> Iterator[Remark]:
    for entry in entries:
        if missing := [voice for voice in VOICES if not getattr(entry.phrasings, voice)]:
            yield Remark(
                "缺少语气", f"{entry.region}/{entry.id}", f"没有这些语气的问法：{'、'.join(missing)}"
            )


def _of_kind(processes: Processes, region: str) -> dict[str, list[Process]]:
    """The region's processes of all variants, by kind."""
    kinds: dict[str, list[Process]] = defaultdict(list)
    for (where, kind, _), process in processes.items():
        if where == region:
            kinds[kind].append(process)
    return kinds


def _operations(entries: Iterable[Entry], processes: Processes) -> Iterator[Remark]:
    """Kinds without a process; goals and actions that the kind's processes in the region do not have."""
    for entry in entries:
        operation = entry.operation
        if operation is None or operation.kind in _BESIDE:
            continue
        place = f"{entry.region}/{entry.id}"
        kind = _of_kind(processes, entry.region).get(operation.kind)
        if kind is None:
            yield Remark("没有流程的业务", place, f"“{operation.kind}”在这个地区还没有流程")
        elif operation.goal and not any(operation.goal in process.goals for process in kind):
            yield Remark("流程里没有", place, f"“{operation.kind}”没有目标“{operation.goal}”")
        elif (
            operation.action
            and operation.action not in _LOOKS
            and not any(operation.action in process.actions for process in kind)
        ):
            yield Remark("流程里没有", place, f"“{operation.kind}”没有操作“{operation.action}”")


def _names(entries: Iterable[Entry], processes: Processes) -> Iterator[Remark]:
    """Menus and review steps that entries name otherwise than the process of their kind does."""
    for entry in entries:
        known = _of_kind(processes, entry.region).get(entry.operation.kind) if entry.operation else None
        if not known:
            continue
        place = f"{entry.region}/{entry.id}"
        texts = [entry.short, *(step for case in entry.cases for step in case.steps), *entry.fails]
        for name in _unknown_menus("\n".join(texts), _menus(processes, entry.region)):
            yield Remark("流程里没有", place, f"菜单“{name}”与流程的不同")
        labels = {node.label for process in known for node in process.nodes.values()}
        lanes = {node.lane for process in known for node in process.nodes.values() if node.lane}
        steps = re.compile(f"(?:{'|'.join(map(re.escape, sorted(lanes)))}){_STEPS}")
        for name in sorted(set(steps.findall("\n".join(texts))) - labels):
            yield Remark("流程里没有", place, f"岗位“{name}”在流程里没有")


def _menus(processes: Processes, region: str) -> set[str]:
    """Every menu of the region's processes; “计划录入（或计划审核）-已处理” is two."""
    menus: set[str] = set()
    for process in (one for kind in _of_kind(processes, region).values() for one in kind):
        for menu in (action.menu for action in process.actions.values() if action.menu):
            either = _EITHER.fullmatch(menu)
            menus |= {either["one"] + either["tab"], either["other"] + either["tab"]} if either else {menu}
    return menus


def _unknown_menus(text: str, known: set[str]) -> list[str]:
    """Menus with a tab whose first part a process has, though not with this tab."""
    tops = {menu.split("-")[0] for menu in known}
    named = {re.sub(r"\s*(?:-|—+|→|>)\s*", "-", name) for name in _MENU.findall(text)}
    return sorted(name for name in named - known if "-" in name and name.split("-")[0] in tops)


def _near_duplicates(entries: Sequence[Entry]) -> Iterator[Remark]:
    """Phrasings of two topics that differ little, and not in a topic's own word: 集采任务书在哪 is not 科研任务书在哪."""
    shares = {entry.id: _shares(entry) for entry in entries}
    asked = [
        (entry, text, same)
        for entry in entries
        for _, _, text in entry.phrasings.items()
        if len(same := key(text)) >= _SHORTEST
    ]
    # By length: a ratio above the limit is out of reach for texts of very different lengths.
    asked.sort(key=lambda one: len(one[2]))
    lengths = np.array([len(same) for _, _, same in asked])
    texts = [same for _, _, same in asked]
    for at, (entry, text, same) in enumerate(asked):
        end = int(np.searchsorted(lengths, len(same) * (200 / ALIKE - 1), side="right"))
        found = matching.extract(same, texts[at + 1 : end], scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None)
        for _, _, offset in found:
            other, near, alike = asked[at + 1 + offset]
            if other.id == entry.id:
                continue
            one, two = shares[entry.id], shares[other.id]
            if not (_tells(one, two, set(same) - set(alike)) or _tells(two, one, set(alike) - set(same))):
                yield Remark(
                    "几乎相同的问法", f"{entry.region}/{entry.id}", f"“{text}”与 {other.id} 的“{near}”"
                )


def _shares(entry: Entry) -> dict[str, float]:
    """In what share of an entry's other phrasings each character of a phrasing stands."""
    texts = [set(key(text)) for _, _, text in entry.phrasings.items()]
    counts = Counter(letter for text in texts for letter in text)
    return {letter: (count - 1) / max(1, len(texts) - 1) for letter, count in counts.items()}


def _tells(own: Mapping[str, float], other: Mapping[str, float], letters: Iterable[str]) -> bool:
    """Whether one of the characters says which of two topics is meant."""
    return any(own[letter] >= max(_OWN_SHARE, _OWN_TIMES * other.get(letter, 0.0)) for letter in letters)

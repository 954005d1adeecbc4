"""What can be wrong with entries, each mistake with its file and line (entries of the database: their topic)."""

import re
from collections.abc import Collection, Mapping

from core.adapters.yaml_reader import Located
from kb.entries import Entry, Negatives
from kb.text import key

MIN_PHRASINGS = 20
MAX_TITLE = 24
MAX_SHORT = 120
MAX_SENTENCES = 2

Read = list[tuple[Entry, Located]]
_SENTENCE = re.compile(r"[^。！？!?]+[。！？!?]*")


def check(
    read: Read,
    negatives: Negatives,
    negatives_at: Located,
    *,
    nodes: Mapping[str, Collection[str]] | None = None,
    probes: Collection[str] | None = None,
    unread: Collection[tuple[str, str]] = (),
) -> list[str]:
    """Every mistake of all entries together; `nodes` and `probes` as of `kb.loader.load_all`.

    `unread` are (region, topic) of entries that have mistakes of their own: links to them are not dead.
    """
    problems = []
    for entry, where in read:
        problems += _own_problems(entry, where)
        problems += _outside_problems(entry, where, nodes, probes)
    problems += _id_problems(read)
    problems += _link_problems(read, unread)
    return problems + _phrasing_problems(read, negatives, negatives_at)


def sentences(text: str) -> list[str]:
    """A text's sentences with their marks."""
    return [one.strip() for one in _SENTENCE.findall(text) if one.strip()]


def _own_problems(entry: Entry, where: Located) -> list[str]:
    """What one entry can be told without looking at others."""
    problems = []
    if entry.id != where.file.stem:
        problems.append(where.problem(("id",), f"id“{entry.id}”与文件名“{where.file.stem}”不一致"))
    if entry.region != where.file.parent.name:
        sentence = f"region“{entry.region}”与文件夹“{where.file.parent.name}”不一致"
        problems.append(where.problem(("region",), sentence))
    if len(entry.title) > MAX_TITLE:
        problems.append(where.problem(("title",), f"title 有 {len(entry.title)} 字，最多 {MAX_TITLE} 字"))
    if len(entry.short) > MAX_SHORT:
        problems.append(where.problem(("short",), f"short 有 {len(entry.short)} 字，最多 {MAX_SHORT} 字"))
    said = len(sentences(entry.short))
    if said > MAX_SENTENCES:
        problems.append(where.problem(("short",), f"short 有 {said} 句，最多 {MAX_SENTENCES} 句"))
    count = sum(1 for _ in entry.phrasings.items())
    if count < MIN_PHRASINGS:
        problems.append(where.problem(("phrasings",), f"只有 {count} 种问法，至少要 {MIN_PHRASINGS} 种"))
    operation = entry.operation
    if operation and (operation.goal is None) == (operation.action is None):
        problems.append(where.problem(("operation",), "operation 必须写 goal 或 action 其中一个，且只写一个"))
    return problems


def _outside_problems(
    entry: Entry,
    where: Located,
    nodes: Mapping[str, Collection[str]] | None,
    probes: Collection[str] | None,
) -> list[str]:
    """Names that others define: process nodes and probes."""
    problems = []
    if nodes is not None:
        # Kinds without a process (an account, a certificate) name their states after any kind's nodes.
        kind = entry.operation.kind if entry.operation else ""
        everything = {node for names in nodes.values() for node in names}
        known = set(nodes.get(kind, everything))
        for number, case in enumerate(entry.cases):
            problems += [
                where.problem(("cases", number, "state", at), f"流程里没有节点“{node}”")
                for at, node in enumerate(case.state)
                if node not in known
            ]
    if probes is not None:
        problems += [
            where.problem(("probes", at), f"没有名为“{probe}”的检测项")
            for at, probe in enumerate(entry.probes)
            if probe not in probes
        ]
    return problems


def _id_problems(read: Read) -> list[str]:
    first: dict[str, Located] = {}
    problems = []
    for entry, where in read:
        other = first.setdefault(entry.id, where)
        if other is not where:
            sentence = f"id“{entry.id}”已在 {other.file}:{other.line(('id',))} 用过"
            problems.append(where.problem(("id",), sentence))
    return problems


def _link_problems(read: Read, unread: Collection[tuple[str, str]]) -> list[str]:
    """Links stay inside a region: a clerk there has no use for another region's menus."""
    known = {(entry.region, entry.id) for entry, _ in read} | set(unread)
    problems = []
    for entry, where in read:
        targets: list[tuple[tuple[str | int, ...], str]] = [
            (("links", at), link) for at, link in enumerate(entry.links)
        ]
        targets += [(("not", at, "topic"), near.topic) for at, near in enumerate(entry.neighbours)]
        for path, target in targets:
            if target == entry.id:
                problems.append(where.problem(path, f"“{target}”指向了自己"))
            elif (entry.region, target) not in known:
                problems.append(where.problem(path, f"链接“{target}”没有对应的条目"))
    return problems


def _phrasing_problems(read: Read, negatives: Negatives, negatives_at: Located) -> list[str]:
    """The same words under two topics, twice under one, or both asked and refused."""
    problems = []
    seen: dict[tuple[str, str], str] = {}
    asked: dict[str, str] = {}
    for entry, where in read:
        for voice, position, text in entry.phrasings.items():
            path = ("phrasings", voice, position)
            same = key(text)
            if not same:
                problems.append(where.problem(path, "问法是空的"))
                continue
            place = f"{where.file}:{where.line(path)}"
            other = seen.setdefault((entry.region, same), place)
            asked.setdefault(same, place)
            if other != place:
                problems.append(f"{place}: 问法“{text}”已在 {other} 出现过")
    positions: dict[str, int] = {}
    for group, text in negatives.items():
        position = positions[group] = positions.get(group, -1) + 1
        if key(text) in asked:
            sentence = f"反例“{text}”同时是 {asked[key(text)]} 的问法"
            problems.append(negatives_at.problem((group, position), sentence))
    return problems

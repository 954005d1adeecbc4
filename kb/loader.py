"""Reads `<content>/<region>/<topic>.yaml` and the shared files beside the regions; all mistakes at once."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from core.adapters.yaml_reader import Located, read_model
from core.domain.errors import DataError
from kb.checks import Read, check
from kb.entries import Entry, Library, Negatives, Synonyms, mapped

_M = TypeVar("_M", bound=BaseModel)


def load_all(
    content: Path,
    *,
    nodes: Mapping[str, Collection[str]] | None = None,
    probes: Collection[str] | None = None,
) -> Library:
    """Read all content; raise one DataError listing every mistake as `file:line: 说明`.

    `nodes` (process kind → node ids) and `probes` (names) come from those who know them; without them the
    entries' `state` and `probes` are not judged.
    """
    problems: list[str] = []
    read, unread = _read_entries(content, problems)
    files = [located for _, located in read]
    negatives, located = _read_optional(content / "negatives.yaml", Negatives, problems)
    synonyms, _ = _read_optional(content / "synonyms.yaml", Synonyms, problems)
    lexicon = _read_lexicon(content / "lexicon.txt", problems)
    problems += check(read, negatives, located, nodes=nodes, probes=probes, unread=unread)
    if not files and not problems:
        problems.append(f"{content}:1: 没有找到任何知识条目（<地区>/<主题>.yaml）")
    if problems:
        raise DataError(problems)
    return Library(
        content=content,
        entries=mapped(entry for entry, _ in read),
        negatives=negatives,
        synonyms=synonyms.groups,
        lexicon=lexicon,
    )


def _read_entries(content: Path, problems: list[str]) -> tuple[Read, set[tuple[str, str]]]:
    """What could be read, and (region, topic) of the files that could not."""
    read: Read = []
    unread: set[tuple[str, str]] = set()
    for file in sorted(content.glob("*/*.yaml")):
        try:
            read.append(read_model(file, Entry))
        except DataError as error:
            problems += error.problems
            unread.add((file.parent.name, file.stem))
    return read, unread


def _read_optional(file: Path, model: type[_M], problems: list[str]) -> tuple[_M, Located]:
    """An absent or broken file counts as an empty one; its mistakes are already noted."""
    nothing = model(), Located(file, None, {})
    if not file.is_file():
        return nothing
    try:
        return read_model(file, model)
    except DataError as error:
        problems += error.problems
        return nothing


def _read_lexicon(file: Path, problems: list[str]) -> tuple[str, ...]:
    """Words of the field, one a line, with an optional frequency; `#` starts a comment."""
    if not file.is_file():
        return ()
    words = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split("#", 1)[0].split()
        if not parts:
            continue
        if len(parts) > 1 and not parts[1].isdigit():
            problems.append(f"{file}:{number}: 词典一行应为“词 [词频]”，词里不能有空格")
            continue
        words.append(parts[0])
    return tuple(dict.fromkeys(words))

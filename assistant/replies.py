"""Every sentence the assistant makes, as templates in `data/replies.yaml`; `say` fills one in."""

import string
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import RootModel

from core.adapters.yaml_reader import read_model
from core.domain.errors import DataError

FILE = Path(__file__).parent / "data" / "replies.yaml"


class _Templates(RootModel[dict[str, str]]):
    pass


@lru_cache(maxsize=1)
def templates(file: Path = FILE) -> Mapping[str, str]:
    """All templates; DataError lists every broken one by file and line."""
    model, located = read_model(file, _Templates)
    problems = []
    for name, text in model.root.items():
        try:
            slots_of(text)
        except ValueError as error:
            problems.append(located.problem((name,), f"{name}: 模板写错了（{error}）"))
        if not text.strip():
            problems.append(located.problem((name,), f"{name}: 模板是空的"))
    if problems:
        raise DataError(problems)
    return model.root


def slots_of(template: str) -> set[str]:
    """Names of the slots; ValueError for anything but plain `{name}`."""
    found = set()
    for _, name, spec, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"槽位“{name}”只能是一个名字")
        found.add(name)
    return found


def say(name: str, /, **slots: object) -> str:
    """Template `name` with its slots. Missing and unknown slots are mistakes of ours: KeyError."""
    template = templates()[name]
    if unknown := slots.keys() - slots_of(template):
        raise KeyError(f"{name}: {', '.join(sorted(unknown))}")
    return template.format_map(slots)

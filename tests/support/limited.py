"""Process data of a made-up rule: the second review of a plan has a limit with every kind of step, and copies."""

import shutil
from pathlib import Path

from core.adapters import processes

CHANGES = """
    - set_node:
        id: unit_second
        copies: [{role: supervising, of: parent}]
        limit:
          days: 3
          steps:
            - {after: -1, remind: true}
            - {after: 0, remind: true}
            - {after: 2, tell: [{role: office_first, of: office}]}
            - {after: 3, take: give_back}
    - add_action:
        id: give_back
        label: 超期退回
        from: [unit_second]
        to: unit_first
        by: [{role: integration, of: system}]
        form: [reason]
        hidden: true
"""


def data(folder: Path, changes: str = CHANGES) -> Path:
    """The process data, with limits for one region's plans."""
    copy = folder / "data"
    shutil.copytree(processes.DATA, copy, ignore=shutil.ignore_patterns("fonts"))
    file = copy / "regions" / "neimenggu.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count("\n  plan:\n") == 1
    file.write_text(text.replace("\n  plan:\n", f"\n  plan:\n{changes.lstrip(chr(10))}"), encoding="utf-8")
    return copy

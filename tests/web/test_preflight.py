"""A broken data file stops the start, with all mistakes of all files by file and line."""

import shutil
from pathlib import Path

import pytest

from core.adapters import processes
from core.domain.errors import DataError
from kb import open_library
from kb.retriever import CONTENT
from web import preflight

Reader = tuple[object, ...]


def test_the_files_as_they_are_are_sound() -> None:
    preflight.check_data()


def test_mistakes_of_all_files_are_listed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, content = tmp_path / "data", tmp_path / "content"
    shutil.copytree(processes.DATA, data)
    shutil.copytree(CONTENT, content)
    plan = data / "processes" / "base" / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    text = text.replace("    label: 已作废\n", "    label: 已作废\n    label: 又作废\n    colour: red\n", 1)
    plan.write_text(text, encoding="utf-8")
    entry = content / "neimenggu" / "nm-2.yaml"
    entry.write_text(
        entry.read_text(encoding="utf-8").replace("links: [", "links: [nm-6-1, ", 1), encoding="utf-8"
    )
    other = content / "neimenggu" / "nm-5.yaml"
    other.write_text(other.read_text(encoding="utf-8") + "\ncolour: red\n", encoding="utf-8")
    readers = (lambda: processes.load(data), lambda: open_library(content))
    monkeypatch.setattr(preflight, "_READERS", readers)
    with pytest.raises(DataError) as caught:
        preflight.check_data()
    told = caught.value.problems
    assert any("plan.yaml:" in one and "重复" in one for one in told)
    assert any("plan.yaml:" in one and "不认识的键" in one and "colour" in one for one in told)
    assert any("nm-2.yaml:" in one and "nm-6-1" in one for one in told)
    assert any("nm-5.yaml:" in one and "colour" in one for one in told)
    assert len(told) == 4  # the mistakes that were made, and none that only follow from them

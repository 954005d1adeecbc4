"""Process data of a test's own: a copy of the project's, with other rules for 内蒙古's plans."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.adapters import processes
from core.adapters.process_registry import ProcessRegistry
from core.adapters.processes import ProcessBook


def copied(folder: Path) -> Path:
    """A copy of the data files in `folder`, without what processes do not need."""
    copy = folder / "data"
    shutil.copytree(processes.DATA, copy, ignore=shutil.ignore_patterns("fonts"))
    return copy


def change_plans(data: Path, operations: str) -> None:
    """Put operations on 内蒙古's plans into a copy of the data, and leave the other regions out: reading them takes long."""
    for other in (data / "regions").iterdir():
        if not other.name.startswith("neimenggu"):
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    region = data / "regions/neimenggu.yaml"
    text = region.read_text(encoding="utf-8")
    assert text.count("  mall_order:\n") == 1
    region.write_text(text.replace("  mall_order:\n", f"{operations}  mall_order:\n"), encoding="utf-8")


@contextmanager
def in_force(book: ProcessBook) -> Iterator[None]:
    """Systems that are built meanwhile run on these processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.bootstrap.ProcessRegistry", lambda _own: ProcessRegistry(book))
        yield

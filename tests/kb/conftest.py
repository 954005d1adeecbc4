"""The real library and its retriever, trained in each run anew, in a folder that all its processes share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from kb import Library, Retriever, open_library, open_retriever
from kb.retriever import CONTENT

REGION = "neimenggu"


@pytest.fixture(scope="session")
def library(shared) -> Library:
    """A copy, so that an entry edited meanwhile does not change what one run tests."""
    return open_library(shared("kb-content", lambda copy: shutil.copytree(CONTENT, copy, dirs_exist_ok=True)))


@pytest.fixture(scope="session")
def cache(shared) -> Path:
    return shared("kb-trained", lambda empty: empty)


@pytest.fixture(scope="session")
def retriever(library, cache) -> Retriever:
    return open_retriever(REGION, library, cache_dir=cache)


@pytest.fixture(scope="session")
def retrievers(library, cache) -> dict[str, Retriever]:
    return {region: open_retriever(region, library, cache_dir=cache) for region in library.regions}


@pytest.fixture
def content(tmp_path) -> Iterator[Callable[..., Path]]:
    """Write entries (by file name) and shared files into a content folder; returns the folder."""
    folder = tmp_path / "content"

    def write(entries: dict[str, dict[str, object]], **shared: object) -> Path:
        (folder / "here").mkdir(parents=True, exist_ok=True)
        for name, data in entries.items():
            text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
            (folder / "here" / f"{name}.yaml").write_text(text.replace("'2026-01-01'", "2026-01-01"), "utf-8")
        for name, value in shared.items():
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(value, allow_unicode=True), "utf-8")
        return folder

    yield write
    shutil.rmtree(folder, ignore_errors=True)

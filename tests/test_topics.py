"""The list of topics against the knowledge and against the tests that claim to prove them."""

import re
from pathlib import Path

import pytest

from core.adapters.yaml_reader import read
from kb import Library, open_library

ROOT = Path(__file__).parents[1]
TOPICS = read(ROOT / "tests" / "data" / "topics.yaml").value["topics"]
COVERS = re.compile(r"covers\(([^)]*)\)")


@pytest.fixture(scope="module")
def library() -> Library:
    return open_library()


def claimed() -> set[str]:
    """Ids named by any covers mark in the tests."""
    found: set[str] = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        for names in COVERS.findall(file.read_text(encoding="utf-8")):
            found.update(re.findall(r'"([a-z]{2}-[a-z0-9.-]+)"', names))
    return found


def test_there_are_131_topics_and_none_twice() -> None:
    ids = [topic["id"] for topic in TOPICS]
    assert len(ids) == len(set(ids)) == 131


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic["id"])
def test_every_topic_has_an_entry(topic: dict[str, str], library: Library) -> None:
    assert library.entry(topic["region"], topic["id"]).sources == (topic["id"],)


def test_tests_claim_only_topics_that_exist() -> None:
    assert claimed() <= {topic["id"] for topic in TOPICS}

from pathlib import Path

import pytest
from hypothesis import settings

# Time is measured in benchmarks: on a busy machine any example may take long.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

pytest_plugins = [
    "tests.support.shared",
    "tests.support.servers",
    "tests.support.softhsm",
    "tests.support.chromium",
]

MARK_BY_FIXTURE = {"postgres_port": "postgres", "browser": "browser"}
# Files that take longest, the longest first: begun last, one of them would keep one process busy and the others idle.
LONGEST = (
    "web/test_serve.py", "web/test_knowledge_pages.py", "assistant/test_dialogues.py", "kb/test_main.py",
    "core/test_crash.py", "web/test_browser.py", "core/test_walks.py", "web/test_api_account.py",
    "web/test_walks_api.py", "web/test_hostile_forms.py", "web/test_api.py", "assistant/test_all_topics.py",
    "assistant/test_operations.py", "core/test_hammer.py", "core/adapters/test_signer_at_once.py",
    "web/test_accessibility.py", "web/test_forms_browser.py", "web/test_browser_knowledge.py", "web/test_worker.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; and tests get their marker from the fixture they use, so that -m never forgets one."""
    turn = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: turn.get(item.path, len(turn)))
    for item in items:
        for fixture, mark in MARK_BY_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)

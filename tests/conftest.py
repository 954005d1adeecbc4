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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests get their marker from the fixture they use, so that -m "not browser" never forgets one."""
    for item in items:
        for fixture, mark in MARK_BY_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)

"""Before anything is started: every data file is read, and all mistakes of all of them are listed at once."""

from collections.abc import Callable

from assistant import replies, topics, understanding, wording
from core.adapters import catalogue_file, processes, rights_file
from core.domain.errors import DataError
from kb import open_library

_READERS: tuple[Callable[[], object], ...] = (
    processes.load,
    catalogue_file.load,
    rights_file.load,
    open_library,
    replies.templates,
    topics.topics,
    understanding.patterns,
    wording.commands,
)


def check_data() -> None:
    """One DataError with the mistakes of all data files; nothing where they are sound."""
    problems: list[str] = []
    for reader in _READERS:
        try:
            reader()
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(list(dict.fromkeys(problems)))

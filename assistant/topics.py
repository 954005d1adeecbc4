"""What topics say about documents: which kinds they concern, and which case of an entry holds for one."""

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel

from core.adapters.yaml_reader import read_model
from core.service.system import System
from core.service.views import DocumentSummary
from kb import Entry, Library

_FILE = Path(__file__).parent / "data" / "topics.yaml"


class Topic(BaseModel):
    """One line of `data/topics.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variants: tuple[str, ...] = ()
    leads: str = ""


class _Topics(RootModel[dict[str, Topic]]):
    pass


@lru_cache(maxsize=1)
def topics(file: Path = _FILE) -> dict[str, Topic]:
    """Read strictly; DataError names file and line."""
    return read_model(file, _Topics)[0].root


def concerns(entry: Entry, variant: str) -> bool:
    """Whether an entry can be about documents of this variant."""
    known = topics().get(entry.id)
    return known is None or not known.variants or variant in known.variants


def leading(library: Library, region: str, goal: str) -> str:
    """The region's topic whose cases are told when `goal` is named outright; "" without one."""
    return next(
        (
            name
            for name, topic in topics().items()
            if topic.leads == goal and (region, name) in library.entries
        ),
        "",
    )


def holding_case(system: System, entry: Entry | None, document: DocumentSummary, region: str) -> str:
    """The case of an entry that holds for a document, in the entry's words; "" where none does."""
    if entry is None or not concerns(entry, document.variant):
        return ""
    labels = {one.variant_label for one in system.processes.variants(region, document.kind)}
    others = labels - {document.variant_label}
    for case in entry.cases:
        if document.node in case.state and not any(label in case.when for label in others):
            return case.when
    return ""

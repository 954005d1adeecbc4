"""OCDS moments from their file, and packages of releases and records; merging is ocdsmerge's, by the standard's schema."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from ocdsmerge import Merger
from pydantic import Field

from core.adapters.process_models import Name, Strict, Text
from core.adapters.processes import DATA, load
from core.adapters.yaml_reader import read_model
from core.domain.errors import DataError
from core.domain.ocds import SECTIONS, when
from core.domain.ocds_moments import Moment
from core.service.ocds import Project, Rules

SCHEMA = DATA / "ocds" / "schema"
_HERE = "http://127.0.0.1:8000"  # of `make serve`, where no public address is set
_LOTS = (
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_lots_extension/v1.1.5/extension.json"
)
_PUBLISHER = {"name": "政府采购助手"}
Tag = Literal[
    "planning", "planningUpdate", "tender", "tenderAmendment", "tenderUpdate", "tenderCancellation", "award",
    "awardUpdate", "awardCancellation", "contract", "contractUpdate", "contractAmendment", "implementation",
    "implementationUpdate", "contractTermination",
]  # fmt: skip


class MomentModel(Strict):
    """One moment."""

    kind: Name
    nodes: Annotated[list[Name], Field(min_length=1)]
    section: Name
    tag: Tag
    variants: Annotated[list[Name], Field(default_factory=list)]
    by: Annotated[list[Name], Field(default_factory=list)]
    status: str = ""
    ends: bool = False
    document: str = ""
    public: Literal["", "own", "project"] = ""


class MomentsModel(Strict):
    """The file."""

    prefix: Text
    moments: Annotated[list[MomentModel], Field(min_length=1)]


@cache
def read_rules(data: Path = DATA, *, site: str = "") -> Rules:
    """What is told; DataError lists every mistake, in the file and against the processes."""
    file = data / "ocds" / "moments.yaml"
    model, _ = read_model(file, MomentsModel)
    moments = tuple(
        Moment(**{**item.model_dump(), "nodes": tuple(item.nodes), "variants": tuple(item.variants), "by": tuple(item.by)})
        for item in model.moments
    )  # fmt: skip
    if found := [f"{file}: {sentence}" for moment in moments for sentence in _problems(moment, data)]:
        raise DataError(found)
    return Rules(model.prefix, moments, site or _HERE)


def _problems(moment: Moment, data: Path) -> list[str]:
    known = [p for p in load(data).processes.values() if moment.of(p.kind, p.variant)]
    place = f"{moment.kind} {moment.section}"
    found = [] if moment.section in SECTIONS else [f"{place}：没有 {moment.section} 这一节"]
    found += [] if known else [f"{place}：没有这类单据"]
    nodes, acts = {n for p in known for n in p.nodes}, {a for p in known for a in p.actions}
    found += [f"{place}：没有环节 {node}" for node in moment.nodes if node not in nodes]
    return found + [f"{place}：没有操作 {act}" for act in moment.by if act not in acts]


def release_package(projects: Sequence[Project], at: datetime, uri: str) -> dict[str, Any]:
    """All releases of the projects, oldest first. `at`: when they are published, UTC."""
    releases = [release for project in projects for release in project.releases]
    return {**_package(at, uri), "releases": releases}


def record_package(projects: Sequence[Project], at: datetime, uri: str) -> dict[str, Any]:
    """A record for each project: its releases, what they come to, and the history of each value."""
    records = [
        {
            "ocid": project.ocid,
            "releases": list(project.releases),
            "compiledRelease": _merger().create_compiled_release(_copies(project)),
            "versionedRelease": _merger().create_versioned_release(_copies(project)),
        }
        for project in projects
        if project.releases
    ]
    return {**_package(at, uri), "records": records}


def _copies(project: Project) -> list[dict[str, Any]]:
    return [dict(release) for release in project.releases]


@cache
def _merger() -> Merger:
    return Merger(schema=str(SCHEMA / "release-schema.json"))


def _package(at: datetime, uri: str) -> Mapping[str, Any]:
    return {
        "uri": uri,
        "version": "1.1",
        "publishedDate": when(at),
        "publisher": _PUBLISHER,
        "extensions": [_LOTS],
    }

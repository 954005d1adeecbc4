"""What the asker's role, live documents and page make likelier: a prior over topics, from `data/leanings.yaml`."""

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from assistant.scene import Scene, Viewer
from assistant.topics import concerns, topics
from core.adapters.yaml_reader import read_model
from core.service.views import DocumentSummary
from kb import Entry, Finding

FILE = Path(__file__).parent / "data" / "leanings.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Document(_Strict):
    one: float
    some: float
    none: float
    other_kind: float


class _Limits(_Strict):
    least: float
    most: float


class Leanings(_Strict):
    """`data/leanings.yaml`."""

    document: _Document
    page: float
    limits: _Limits
    roles: dict[str, dict[str, float]]


@lru_cache(maxsize=1)
def leanings(file: Path = FILE) -> Leanings:
    """Read strictly; DataError names file and line."""
    return read_model(file, Leanings)[0]


def find(scene: Scene) -> Finding:
    """What the message asks. Who asks it weighs only where the words leave it open between topics."""
    finding = scene.knowledge.find(scene.region, scene.heard.plain)
    if finding.kind != "clarify" or scene.viewer is None:
        return finding
    weighed = scene.knowledge.find(scene.region, scene.heard.plain, prior(scene, scene.viewer))
    return finding if weighed.kind == "unknown" else weighed


def prior(scene: Scene, viewer: Viewer) -> dict[str, float]:
    """Factors on the odds of topics; topics that are not named keep theirs."""
    known = leanings()
    roles = known.roles.get(viewer.account.role.value, {})
    factors: dict[str, float] = {}
    for entry in scene.knowledge.library.of_region(scene.region):
        factor = roles.get(entry.id, 1.0) * _documents(scene, viewer, entry)
        if factor != 1.0:
            factors[entry.id] = min(max(factor, known.limits.least), known.limits.most)
    return factors


def _documents(scene: Scene, viewer: Viewer, entry: Entry) -> float:
    """Whether the entry has a case for where the asker's plans are."""
    known = leanings()
    states = {node for case in entry.cases for node in case.state}
    topic = topics().get(entry.id)
    if not viewer.plans or not (states or (topic and topic.variants)):
        return 1.0
    on_page = next((one for one in viewer.plans if one.number == scene.page_number), None)
    if on_page is not None:
        fit = _fit(entry, [on_page], states)
        return fit * known.page if fit > 1 else fit
    return _fit(entry, list(viewer.plans), states)


def _fit(entry: Entry, plans: list[DocumentSummary], states: set[str]) -> float:
    known = leanings().document
    of_kind = [one for one in plans if concerns(entry, one.variant)]
    if not of_kind:
        return known.other_kind
    if states and all(one.node not in states for one in of_kind):
        return known.none
    return known.one if len(plans) == 1 else known.some

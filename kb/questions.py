"""Questions of users that had no good answer: those that mean the same together, and those that nobody wants an entry for."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, delete, insert, select

from core.adapters.database import reader_of
from kb.entries import Library
from kb.features import Analyzer, cache_folder
from kb.retriever import Retriever
from kb.tables import set_aside
from kb.text import compact, key, normalise

_ALIKE = 0.42  # mean likeness of two groups from which they are one
_KEY_LIMIT = 200


def together(texts: Sequence[str], retriever: Retriever, library: Library) -> list[list[int]]:
    """Positions of texts that mean the same, the biggest group first; every text is in one group.

    Two questions are alike by what they say (characters and synonyms) or by what the assistant takes them to mean: those
    that say the same in other words are candidates for the same topics.
    """
    if len(texts) < 2:  # noqa: PLR2004
        return [[at] for at in range(len(texts))]
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    analyzer = Analyzer(library.lexicon, library.synonyms, cache_folder())
    likeness = np.maximum(_said(texts, analyzer), _meant(texts, retriever))
    distances = np.clip(1 - likeness, 0, 1)
    np.fill_diagonal(distances, 0)
    labels = fcluster(linkage(squareform(distances, checks=False), "average"), 1 - _ALIKE, "distance")
    groups: dict[int, list[int]] = {}
    for at, label in enumerate(labels.tolist()):
        groups.setdefault(label, []).append(at)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0]))


def _said(texts: Sequence[str], analyzer: Analyzer) -> NDArray[np.float64]:
    """Cosine of each pair by its characters and synonym groups."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    found = [analyzer.features(compact(normalise(text).clean)) or [""] for text in texts]
    matrix = TfidfVectorizer(analyzer=_same, sublinear_tf=True).fit_transform(found)
    cosines: NDArray[np.float64] = (matrix @ matrix.T).toarray()
    return cosines


def _same(document: Sequence[str]) -> Sequence[str]:
    return document


def _meant(texts: Sequence[str], retriever: Retriever) -> NDArray[np.float64]:
    """How far each pair's candidates overlap; nothing is shared by questions that no topic fits."""
    topics: dict[str, int] = {}
    rows = []
    for text in texts:
        row = {
            topics.setdefault(one.topic, len(topics)): one.score for one in retriever.find(text).candidates
        }
        rows.append(row)
    chances = np.zeros((len(texts), max(1, len(topics))))
    for at, row in enumerate(rows):
        chances[at, list(row)] = list(row.values())
    shared: NDArray[np.float64] = np.minimum(chances[:, None, :], chances[None, :, :]).sum(axis=2)
    return shared


class SetAside:
    """Questions that the keepers of the knowledge have looked at and want no entry for."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        """Keep the engine."""
        self._engine, self._reader, self._clock = engine, reader_of(engine), clock

    def of(self, region: str) -> dict[str, datetime]:
        """When each was set aside, by its key; who asks later asks anew."""
        query = select(set_aside.c.key, set_aside.c.at).where(set_aside.c.region == region)
        with self._reader.connect() as connection:
            return {row.key: row.at for row in connection.execute(query)}

    def add(self, region: str, texts: Iterable[str], by: str) -> None:
        """Set aside, or once more."""
        keys = {compared(text) for text in texts}
        if not keys:
            return
        rows = [{"region": region, "key": one, "by": by, "at": self._clock()} for one in sorted(keys)]
        old = (set_aside.c.region == region) & set_aside.c.key.in_(keys)
        with self._engine.begin() as connection:
            connection.execute(delete(set_aside).where(old))
            connection.execute(insert(set_aside), rows)


def compared(text: str) -> str:
    """A question as it is compared with others."""
    return key(text)[:_KEY_LIMIT]

"""Which fields of a document are public, from their file."""

from functools import cache
from pathlib import Path

from pydantic import RootModel

from core.adapters.process_models import Name
from core.adapters.processes import DATA
from core.adapters.yaml_reader import read_model


class PublicModel(RootModel[dict[Name, list[str]]]):
    """Kind → fields, columns as `table.column`."""


@cache
def read_public(data: Path = DATA) -> dict[str, frozenset[str]]:
    """Kind → its public fields; DataError names what cannot be read."""
    model, _ = read_model(data / "publications.yaml", PublicModel)
    return {kind: frozenset(fields) for kind, fields in model.root.items()}

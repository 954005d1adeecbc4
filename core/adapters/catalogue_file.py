"""The catalogue from its data file."""

from functools import cache
from pathlib import Path

from pydantic import Field

from core.adapters.process_models import Strict, Text
from core.adapters.processes import DATA
from core.adapters.yaml_reader import read_model
from core.domain.catalogue import Catalogue, Item
from core.domain.errors import DataError


class ItemModel(Strict):
    """One line of the file."""

    code: Text = Field(pattern=r"^[A-D][0-9]*$")
    name: Text
    parent: str | None = None
    leaf: bool = False
    mall: bool = False
    central: bool = False
    departmental: bool = False


class CatalogueModel(Strict):
    """The whole file."""

    items: list[ItemModel]


@cache
def load(file: Path = DATA / "catalogue.yaml") -> Catalogue:
    """Read strictly; DataError for codes given twice or parents that do not exist."""
    model, located = read_model(file, CatalogueModel)
    codes = [item.code for item in model.items]
    problems = []
    for index, item in enumerate(model.items):
        if item.code in codes[:index]:
            problems.append(located.problem(("items", index), f"品目编码“{item.code}”重复"))
        if item.parent and item.parent not in codes:
            problems.append(located.problem(("items", index), f"上级品目“{item.parent}”不存在"))
    if problems:
        raise DataError(problems)
    return Catalogue(tuple(Item(**item.model_dump()) for item in model.items))

"""The matrix of rights from `core/data/rights.yaml`, strictly: every capability once, every role known."""

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, RootModel

from core.adapters.yaml_reader import read_model
from core.domain.accounts import Role
from core.domain.errors import DataError
from core.domain.rights import Capability, Right, Rights

FILE = Path(__file__).parents[1] / "data" / "rights.yaml"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(min_length=1)
    roles: list[Role]


class _Rows(RootModel[dict[Capability, _Row]]):
    pass


@cache
def load(file: Path = FILE) -> Rights:
    """Read the matrix; DataError lists every mistake."""
    model, located = read_model(file, _Rows)
    problems = [f"{file}:1: 缺少“{name}”" for name in Capability if name not in model.root]
    for name, row in model.root.items():
        twice = sorted({role for role in row.roles if row.roles.count(role) > 1})
        problems += [located.problem((name, "roles"), f"{name}: 角色“{role}”重复") for role in twice]
    if problems:
        raise DataError(problems)
    return Rights({name: Right(row.label, frozenset(row.roles)) for name, row in model.root.items()})

"""The rules of warnings from their file, strictly."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from core.adapters.process_models import Name, Strict, Text
from core.adapters.processes import DATA, load
from core.adapters.yaml_reader import read_model
from core.domain.errors import DataError
from core.domain.warning_rules import Level, Rule, Stage, problems


class RuleModel(Strict):
    """One rule."""

    id: Name
    label: Text
    stage: Stage
    level: Level
    kind: Name
    when: Text
    say: Text
    source: Text
    regions: Annotated[list[Name], Field(default_factory=list)]


class RulesModel(RootModel[Annotated[list[RuleModel], Field(min_length=1)]]):
    """The file."""


@cache
def read_rules(data: Path = DATA) -> tuple[Rule, ...]:
    """All rules; DataError lists every mistake, in the file and against the processes."""
    model, _ = read_model(data / "warnings.yaml", RulesModel)
    rules = tuple(Rule(**{**item.model_dump(), "regions": tuple(item.regions)}) for item in model.root)
    found = [
        f"{data / 'warnings.yaml'}: {sentence}" for sentence in problems(rules, load(data).processes.values())
    ]
    if found:
        raise DataError(found)
    return rules

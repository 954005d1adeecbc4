"""Walks: a region's documents taken from end to end by the right people, as data.

They prove the region's processes in the tests, fill the demonstration world, and are shown by `make demo`. A walk uses
the same use cases as people do. Its shape: `core/data/walks/README.md`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.adapters.processes import DATA
from core.adapters.yaml_reader import problems_of, read
from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.errors import DataError, DomainError, UnavailableError
from core.domain.forms import FieldType
from core.service import situations
from core.service.system import System
from core.walk_ways import Column, Seen, UseCases, Way, Who

FOLDER = DATA / "walks"
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_LONGEST_REPAIR = 30
_AUTHOR = Who.of("handler")


class Step(BaseModel):
    """One line of a walk; which keys go together is in the README beside the walks."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    who: str = Field(default="handler", alias="as")
    enter: str = ""
    under: str = ""
    name: str = ""
    form: dict[str, Any] = {}
    act: str = ""
    on: str = ""
    given: dict[str, str] = Field(default={}, alias="with")
    save: dict[str, Any] = {}
    refused: str = ""
    errors: list[str] | None = None
    doubts: list[str] | None = None
    expect: str = ""
    expect_flags: list[str] | None = None
    expect_held_yuan: float | None = None
    expect_account_yuan: float | None = None
    expect_form: dict[str, Any] = {}
    find: str = ""
    repair: str = ""
    days_later: int = 0


class Walk(BaseModel):
    """A walk as its file says; `demo` ones fill the demonstration world."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str
    label: str
    covers: list[str] = []
    demo: bool = False
    steps: Annotated[list[Step], Field(min_length=1)]


class WalkError(AssertionError):
    """A step did not go as its walk says."""


def load(folder: Path = FOLDER) -> dict[str, Walk]:
    """All walks by `<region>/<name>`; DataError lists every mistake."""
    found: dict[str, Walk] = {}
    problems: list[str] = []
    for file in sorted(folder.rglob("*.yaml")):
        located = read(file)
        try:
            found[f"{file.parent.name}/{file.stem}"] = Walk.model_validate(located.value)
        except ValidationError as error:
            problems += problems_of(error, located)
    if problems:
        raise DataError(problems)
    return found


def play_demonstrations(system: System, region: str) -> None:
    """The walks of a region that fill its demonstration world; each as far as it goes where nothing can be signed."""
    for name, walk in load().items():
        if walk.region == region and walk.demo:
            try:
                Player(system, walk, name).play()
            except WalkError as error:
                if not isinstance(error.__cause__, UnavailableError):
                    raise


@dataclass(frozen=True)
class Refusal:
    """An act that was refused, as its walk wants."""

    kind: str
    variant: str
    action: str
    code: str
    said: str


class Player:
    """Takes the steps of one walk."""

    def __init__(self, system: System, walk: Walk, name: str, way: Way | None = None) -> None:
        """`name` makes the keys of the acts the walk's own; `way` is through the use cases unless it is given."""
        self.system, self.walk, self.name = system, walk, name
        self.way: Way = way or UseCases(system, walk.region)
        self.numbers: dict[str, str] = {}
        self.refusals: list[Refusal] = []
        self._readers: dict[str, Who] = {}
        self._keys: Iterator[str] = (f"walk-{name}-{index}"[-60:] for index in range(10**6))

    def play(self) -> None:
        """All steps in order; WalkError names the one that went another way."""
        for index, step in enumerate(self.walk.steps, 1):
            try:
                self._take(step)
            except (DomainError, KeyError, AssertionError) as error:
                raise WalkError(f"{self.name} 第 {index} 步 {_shown(step)}：{error}") from error

    def account(self, who: str) -> Account:
        """`handler`, `handler@member`, `handler+key` (signed in with a CA key)."""
        return UseCases(self.system, self.walk.region).account(Who.of(who))

    def document(self, name: str) -> Document:
        """A document of the walk as it is now."""
        with self.system.database.read() as tx:
            return situations.find(tx, None, self.numbers[name])

    def _take(self, step: Step) -> None:
        if not step.refused:
            self._do(step)
            return
        try:
            self._do(step)
        except DomainError as error:
            said = f"{error.message} {dict(error.fields)}"
            if step.refused not in said:
                if isinstance(error, UnavailableError):  # nothing about this step: it cannot be taken here
                    raise
                raise WalkError(f"拒绝的理由里没有“{step.refused}”：{said}") from error
            if step.act:
                seen = self._see(step.on)
                self.refusals.append(Refusal(seen.kind, seen.variant, step.act, error.code, error.message))
            return
        raise WalkError(f"应当被拒绝（{step.refused}），却办成了")

    def _do(self, step: Step) -> None:
        if step.days_later:
            self.way.wait(step.days_later)
        if step.enter:
            self._enter(step)
        elif step.repair:
            self._repair(step)
        elif step.act:
            who = Who.of(step.who)
            self.way.act(who, self.numbers[step.on], step.act, step.given, key=next(self._keys))
        elif step.save:
            self._save(step)
        elif step.find:
            self._find(step)
        self._expect(step)

    def _see(self, name: str) -> Seen:
        """As those see it who brought it into the walk; others may not see it."""
        return self.way.see(self._readers.get(name, _AUTHOR), self.numbers[name])

    def _enter(self, step: Step) -> None:
        who = Who.of(step.who)
        kind, _, variant = step.enter.partition("/")
        form = self._form(self.way.fields(who, kind, variant or kind), step.form, who)
        above = self.numbers[step.under] if step.under else None
        number = self.way.create(who, kind, variant or kind, form, above=above, key=next(self._keys))
        self._name(step.name or kind, number, who)

    def _name(self, name: str, number: str, who: Who) -> None:
        self.numbers[name], self._readers[name] = number, who

    def _form(self, fields: Sequence[Column], given: Mapping[str, Any], who: Who) -> dict[str, Any]:
        known = {item.id: item for item in fields}
        return {key: self._value(known.get(key), value, who) for key, value in given.items()}

    def _value(self, item: Column | None, value: Any, who: Who) -> Any:
        """Short ways of the walks: the n-th indicator, `account of plan`, `@plan`, a file's name."""
        if item is None or value is None:
            return value
        if item.type == FieldType.TABLE and isinstance(value, list):
            return [self._form(item.fields, row, who) if isinstance(row, dict) else row for row in value]
        if item.type == FieldType.INDICATOR:
            return self._indicator(value, who)
        return self._text(item, value, who) if isinstance(value, str) else value

    def _text(self, item: Column, value: str, who: Who) -> Any:
        if item.type == FieldType.DOCUMENT and value.startswith("@"):
            return self.numbers[value[1:]]
        if item.type == FieldType.DATE and value == "today":
            return self.way.today()
        return self.way.upload(who, value, _PDF) if item.type == FieldType.FILE else value

    def _indicator(self, value: Any, who: Who) -> Any:
        if isinstance(value, str) and value.startswith("account of "):
            return self._see(value.removeprefix("account of ")).account_id
        own = self.way.indicators(who)
        return own[value - 1] if isinstance(value, int) and 0 < value <= len(own) else value

    def _save(self, step: Step) -> None:
        who, seen = Who.of(step.who), self._see(step.on)
        form = {**seen.form, **self._form(self.way.fields(who, seen.kind, seen.variant), step.save, who)}
        self.way.save(who, seen.number, form, version=seen.version, key=next(self._keys))

    def _find(self, step: Step) -> None:
        who = Who.of(step.who)
        below = self.way.below(who, self.numbers[step.under], step.find)
        fresh = [number for number in below if number not in self.numbers.values()]
        if not fresh:
            raise WalkError(f"{self.numbers[step.under]} 下面没有新的 {step.find}")
        self._name(step.name or step.find, fresh[0], who)

    def _repair(self, step: Step) -> None:
        """The planner's way, step after step, each taken by somebody who may."""
        for _ in range(_LONGEST_REPAIR):
            number, goal = self.numbers[step.on], step.repair
            calls = self.way.steps(Who.of(step.who), number, goal)
            if not calls:
                return
            first = calls[0]
            who = self.way.able(number, goal, first)
            self.way.act(who, first.number, first.action, first.given, key=next(self._keys))
        raise WalkError(f"{_LONGEST_REPAIR} 步还没有办完")

    def _expect(self, step: Step) -> None:
        if not step.on:
            return
        seen = self._see(step.on)
        _same("所在环节", step.expect or seen.node, seen.node)
        if step.expect_flags is not None:
            _same("标记", sorted(step.expect_flags), sorted(seen.flags))
        for name, value in step.expect_form.items():
            _same(name, value, seen.form.get(name))
        if step.expect_held_yuan is not None:
            _same("占用", round(step.expect_held_yuan * 100), seen.held_fen)
        if step.expect_account_yuan is not None:
            _same("可用额度", round(step.expect_account_yuan * 100), seen.account_fen)
        if step.errors is not None:
            _same("表单错误", sorted(step.errors), sorted(seen.errors))
        if step.doubts is not None:
            _same("提示", sorted(step.doubts), sorted(seen.doubts))


def _same(what: str, wanted: Any, found: Any) -> None:
    if wanted != found:
        raise WalkError(f"{what}应为 {wanted}，现为 {found}")


def _shown(step: Step) -> str:
    return str(step.model_dump(exclude_defaults=True, exclude={"form"}, by_alias=True))

"""Walks: a region's documents taken from end to end by the right people, as data.

They prove the region's processes in the tests, fill the demonstration world, and are shown by `make demo`. A walk uses
the same use cases as people do. Its shape: `core/data/walks/README.md`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core import worlds
from core.adapters.processes import DATA
from core.adapters.yaml_reader import problems_of, read
from core.domain.accounts import Account, Role
from core.domain.documents import Document
from core.domain.errors import BlockedError, DataError, DomainError
from core.domain.forms import Field as FormField
from core.domain.forms import FieldType
from core.domain.planner import NoWay
from core.domain.process import Effect, Process
from core.service import acts, attachments, documents, entering, people, planning, sealing, situations
from core.service.system import System

FOLDER = DATA / "walks"
_HERE = ZoneInfo("Asia/Shanghai")
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_UNIT_OF = {
    Role.HANDLER: "school", Role.REVIEWER: "school", Role.SUPERVISING: "education", Role.OFFICE_FIRST: "office",
    Role.OFFICE_SECOND: "office", Role.PROCUREMENT_FIRST: "procurement", Role.PROCUREMENT_SECOND: "procurement",
    Role.AGENCY: "agency", Role.SUPPLIER: "supplier", Role.INTEGRATION: "platform", Role.SUPPORT: "platform",
    Role.ADMIN: "platform",
}  # fmt: skip


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
    """The walks of a region that fill its demonstration world."""
    for name, walk in load().items():
        if walk.region == region and walk.demo:
            Player(system, walk, name).play()


@dataclass
class Visit:
    """What a walk touched: for the coverage of nodes and actions."""

    nodes: set[tuple[str, str, str]] = field(default_factory=set)  # kind, variant, node
    actions: set[tuple[str, str, str]] = field(default_factory=set)


class Player:
    """Takes the steps of one walk."""

    def __init__(self, system: System, walk: Walk, name: str) -> None:
        """`name` makes the keys of the acts the walk's own."""
        self.system, self.walk, self.name = system, walk, name
        self.numbers: dict[str, str] = {}
        self.visit = Visit()
        self._keys: Iterator[str] = (f"walk-{name}-{index}"[-80:] for index in range(10**6))
        with system.database.read() as tx:
            self.crew = worlds.crew(tx, worlds.places()[walk.region])

    def play(self) -> Visit:
        """All steps in order; WalkError names the one that went another way."""
        for index, step in enumerate(self.walk.steps, 1):
            try:
                self._take(step)
            except (DomainError, KeyError, AssertionError) as error:
                raise WalkError(f"{self.name} 第 {index} 步 {_shown(step)}：{error}") from error
        self._taken_along()
        return self.visit

    def _take(self, step: Step) -> None:
        if not step.refused:
            self._do(step)
            return
        try:
            self._do(step)
        except DomainError as error:
            said = f"{error.message} {dict(error.fields)}"
            if step.refused not in said:
                raise WalkError(f"拒绝的理由里没有“{step.refused}”：{said}") from error
            return
        raise WalkError(f"应当被拒绝（{step.refused}），却办成了")

    def _do(self, step: Step) -> None:
        if step.days_later:
            self._wait(timedelta(days=step.days_later))
        if step.enter:
            self._enter(step)
        elif step.repair:
            self._repair(step)
        elif step.act:
            self._act(self.account(step.who), self.numbers[step.on], step.act, step.given)
        elif step.save:
            self._save(step)
        elif step.find:
            self._find(step)
        self._expect(step)

    def account(self, who: str) -> Account:
        """`handler`, `handler@member`, `handler+key` (signed in with a CA key)."""
        who, _, by_key = who.partition("+")
        role, _, unit = who.partition("@")
        key = "library" if unit == "member" else unit or _UNIT_OF[Role(role)]
        return replace(self.crew[key, Role(role)], by_key=bool(by_key))

    def document(self, name: str) -> Document:
        """A document of the walk as it is now."""
        with self.system.database.read() as tx:
            return situations.find(self.system, tx, None, self.numbers[name])

    def _enter(self, step: Step) -> None:
        actor = self.account(step.who)
        kind, _, variant = step.enter.partition("/")
        process = self.system.processes.current(self.walk.region, kind, variant or kind)
        above = self.numbers[step.under] if step.under else None
        form = self._form(process.form.fields, step.form, actor)
        made = entering.create(
            self.system, actor, kind, variant or kind, form, key=next(self._keys), parent=above
        )
        self.numbers[step.name or kind] = made.number
        self.visit.nodes.add((kind, process.variant, made.node))

    def _form(
        self, fields: tuple[FormField, ...], given: Mapping[str, Any], actor: Account
    ) -> dict[str, Any]:
        known = {item.id: item for item in fields}
        return {key: self._value(known.get(key), value, actor) for key, value in given.items()}

    def _value(self, item: FormField | None, value: Any, actor: Account) -> Any:
        """Short ways of the walks: the n-th indicator, `account of plan`, `@plan`, a file's name."""
        if item is None or value is None:
            return value
        if item.type is FieldType.TABLE and isinstance(value, list):
            return [self._form(item.fields, row, actor) if isinstance(row, dict) else row for row in value]
        if item.type is FieldType.INDICATOR:
            return self._indicator(value, actor)
        if not isinstance(value, str):
            return value
        if item.type is FieldType.DOCUMENT and value.startswith("@"):
            return self.numbers[value[1:]]
        return self._text(item, value, actor)

    def _text(self, item: FormField, value: str, actor: Account) -> Any:
        if item.type is FieldType.DATE and value == "today":
            return self.system.clock().astimezone(_HERE).date().isoformat()
        if item.type is FieldType.FILE:
            file = attachments.upload(self.system, actor, value, _PDF)
            return {"sha256": file.sha256, "name": file.name}
        return value

    def _indicator(self, value: Any, actor: Account) -> Any:
        with self.system.database.read() as tx:
            if isinstance(value, str) and value.startswith("account of "):
                account = tx.ledger.account_of(tx.documents.by_number(self.numbers[value[11:]], None).id)  # type: ignore[union-attr]
                return account.id if account else None
            own = tx.ledger.indicators(actor.unit.id)
            return own[value - 1].id if isinstance(value, int) and 0 < value <= len(own) else value

    def _act(self, actor: Account, number: str, action: str, given: Mapping[str, str]) -> None:
        with self.system.database.read() as tx:
            before = situations.find(self.system, tx, None, number)
            process = self.system.processes.version(before.process_version, tx)
        known = process.actions.get(action)
        if known and Effect.MARK_SIGNED in known.effects:
            seal = next(item.label for item in sealing.seals(self.system, actor) if item.usable)
            sealing.sign(
                self.system,
                actor,
                number,
                version=before.version,
                seal=seal,
                pin=worlds.PIN,
                key=next(self._keys),
            )
        else:
            acts.perform(
                self.system,
                actor,
                number,
                action,
                version=before.version,
                arguments=given,
                key=next(self._keys),
            )
        self._visited(process, number, action)

    def _wait(self, span: timedelta) -> None:
        now = self.system.clock
        self.system = replace(self.system, clock=lambda: now() + span)

    def _taken_along(self) -> None:
        """Acts that went with others (`also`) on documents of the walk; marks of a child's act bear another label."""
        with self.system.database.read() as tx:
            for number in self.numbers.values():
                document = situations.find(self.system, tx, None, number)
                process = self.system.processes.version(document.process_version, tx)
                for entry in tx.documents.history(document.id):
                    action = process.actions.get(entry.action)
                    if action and action.label == entry.label:
                        self.visit.actions.add((process.kind, process.variant, action.id))
                        self.visit.nodes.add((process.kind, process.variant, entry.target))

    def _visited(self, process: Process, number: str, action: str) -> None:
        with self.system.database.read() as tx:
            trail = situations.find(self.system, tx, None, number).trail
        self.visit.actions.add((process.kind, process.variant, action))
        self.visit.nodes |= {(process.kind, process.variant, node) for node in trail}

    def _save(self, step: Step) -> None:
        document, actor = self.document(step.on), self.account(step.who)
        with self.system.database.read() as tx:
            process = self.system.processes.version(document.process_version, tx)
        form = {**document.form, **self._form(process.form.fields, step.save, actor)}
        entering.save(
            self.system, actor, document.number, form, version=document.version, key=next(self._keys)
        )

    def _find(self, step: Step) -> None:
        above = self.document(step.under)
        with self.system.database.read() as tx:
            below = [d for d in tx.documents.descendants(above.id) if d.kind == step.find]
        fresh = [d for d in below if d.number not in self.numbers.values()]
        if not fresh:
            raise WalkError(f"{above.number} 下面没有新的 {step.find}")
        self.numbers[step.name or step.find] = fresh[0].number
        self.visit.nodes.add((fresh[0].kind, fresh[0].variant, fresh[0].node))

    def _repair(self, step: Step) -> None:
        """The planner's way, step after step, each taken by an account that may."""
        asker, number = self.account(step.who), self.numbers[step.on]
        for _ in range(30):
            found = planning.plan_to(self.system, asker, number, step.repair)
            if isinstance(found, NoWay):
                raise BlockedError("；".join(found.reasons))
            if not found.steps:
                return
            first = found.steps[0]
            with self.system.database.read() as tx:
                document = situations.find(self.system, tx, None, first.number)
                case = situations.case(self.system, tx, document)
            action = case.process.actions[first.action]
            actors = case.process.actors(action, document.node)
            able = [a for a in self.crew.values() if people.may(a, case.owner, document, actors)]
            given = {name: first.target if name == "target" else "按流程办理" for name in action.required}
            self._act(able[0], first.number, first.action, given)
        raise WalkError("三十步还没有办完")

    def _expect(self, step: Step) -> None:
        if not step.on:
            return
        document = self.document(step.on)
        _same("所在环节", step.expect or document.node, document.node)
        if step.expect_flags is not None:
            _same("标记", sorted(step.expect_flags), sorted(document.flags))
        for name, value in step.expect_form.items():
            _same(name, value, document.form.get(name))
        with self.system.database.read() as tx:
            held = sum(hold.frozen_fen + hold.used_fen for hold in tx.ledger.holds(document.id))
            account = tx.ledger.account_of(document.id)
        if step.expect_held_yuan is not None:
            _same("占用", round(step.expect_held_yuan * 100), held)
        if step.expect_account_yuan is not None:
            _same("可用额度", round(step.expect_account_yuan * 100), account.available_fen if account else 0)
        if step.errors is not None or step.doubts is not None:
            view = documents.get(self.system, self.account(step.who), document.number)
            _same(
                "表单错误",
                sorted(step.errors or []),
                sorted(view.form_errors) if step.errors is not None else [],
            )
            _same("提示", sorted(step.doubts or []), sorted(view.doubts) if step.doubts is not None else [])


def _same(what: str, wanted: Any, found: Any) -> None:
    if wanted != found:
        raise WalkError(f"{what}应为 {wanted}，现为 {found}")


def _shown(step: Step) -> str:
    return str(step.model_dump(exclude_defaults=True, exclude={"form"}, by_alias=True))

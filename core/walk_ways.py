"""How a walk reaches the product: through the use cases here, over HTTP in the tests.

What the walks want of either is `Way`; the walks themselves are `core.walks`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from core import worlds
from core.domain.accounts import Account, Role
from core.domain.errors import BlockedError
from core.domain.planner import NoWay
from core.domain.process import Effect
from core.service import acts, attachments, entering, people, planning, sealing, situations
from core.service.system import System

_UNIT_OF = {
    Role.HANDLER: "school", Role.REVIEWER: "school", Role.SUPERVISING: "education", Role.OFFICE_FIRST: "office",
    Role.OFFICE_SECOND: "office", Role.PROCUREMENT_FIRST: "procurement", Role.PROCUREMENT_SECOND: "procurement",
    Role.AGENCY: "agency", Role.SUPPLIER: "supplier", Role.INTEGRATION: "platform", Role.SUPPORT: "platform",
    Role.ADMIN: "platform",
}  # fmt: skip


@dataclass(frozen=True)
class Who:
    """Somebody of a walk: a unit of `core.worlds`, a role in it, and whether signed in with a CA key."""

    unit: str
    role: Role
    by_key: bool = False

    @staticmethod
    def of(text: str) -> "Who":
        """`handler`, `handler@member` (the second buyer unit's), `handler+key`; ValueError for no role."""
        text, _, key = text.partition("+")
        name, _, unit = text.partition("@")
        role = Role(name)
        return Who("library" if unit == "member" else unit or _UNIT_OF[role], role, bool(key))


@dataclass(frozen=True)
class Seen:
    """A document as it is now. `account_id`, `account_fen`: its own account in the ledger and what is left there."""

    number: str
    kind: str
    variant: str
    node: str
    version: int
    form: Mapping[str, Any]
    flags: frozenset[str]
    held_fen: int
    account_id: int | None
    account_fen: int
    errors: frozenset[str]
    doubts: frozenset[str]


@dataclass(frozen=True)
class Call:
    """One act of the planner's way."""

    number: str
    action: str
    given: Mapping[str, str]


class Column(Protocol):
    """What a walk has to know of a form's field."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def fields(self) -> "Sequence[Column]": ...


class Way(Protocol):
    """Everything a walk does. Each raises the product's own DomainError."""

    def fields(self, who: Who, kind: str, variant: str) -> Sequence[Column]: ...
    def create(
        self, who: Who, kind: str, variant: str, form: Mapping[str, Any], *, above: str | None, key: str
    ) -> str: ...
    def save(self, who: Who, number: str, form: Mapping[str, Any], *, version: int, key: str) -> None: ...
    def act(self, who: Who, number: str, action: str, given: Mapping[str, str], *, key: str) -> None: ...
    def see(self, who: Who, number: str) -> Seen: ...
    def below(self, who: Who, number: str, kind: str) -> list[str]: ...
    def steps(self, who: Who, number: str, goal: str) -> list[Call]: ...
    def able(self, number: str, goal: str, call: Call) -> Who: ...
    def upload(self, who: Who, name: str, content: bytes) -> dict[str, str]: ...
    def indicators(self, who: Who) -> list[int]: ...
    def today(self) -> str: ...
    def wait(self, days: int) -> None: ...


class UseCases:
    """Straight through the use cases, as the pages do; what is looked at is looked at without anybody's rights."""

    def __init__(self, system: System, region: str) -> None:
        """In a region's made-up city."""
        self._system, self._region = system, region
        with system.database.read() as tx:
            self._crew = worlds.crew(tx, worlds.places()[region])

    def account(self, who: Who) -> Account:
        """The account behind somebody; KeyError where the city has none."""
        return replace(self._crew[who.unit, who.role], by_key=who.by_key)

    def fields(self, _who: Who, kind: str, variant: str) -> Sequence[Column]:
        """The form of a kind; NotFoundError."""
        return self._system.processes.current(self._region, kind, variant).form.fields

    def create(
        self, who: Who, kind: str, variant: str, form: Mapping[str, Any], *, above: str | None, key: str
    ) -> str:
        """Its number."""
        made = entering.create(
            self._system, self.account(who), kind, variant, dict(form), key=key, parent=above
        )
        return made.number

    def save(self, who: Who, number: str, form: Mapping[str, Any], *, version: int, key: str) -> None:
        """Change the form."""
        entering.save(self._system, self.account(who), number, dict(form), version=version, key=key)

    def act(self, who: Who, number: str, action: str, given: Mapping[str, str], *, key: str) -> None:
        """Take an act; one that signs takes the first usable seal."""
        system, actor = self._system, self.account(who)
        with system.database.read() as tx:
            document = situations.find(tx, None, number)
            known = system.processes.version(document.process_version, tx).actions.get(action)
        version = document.version
        if known and Effect.MARK_SIGNED in known.effects:
            seal = next(item.label for item in sealing.seals(system, actor) if item.usable)
            sealing.sign(
                system, actor, number, version=version, seal=seal, pin=worlds.PIN, key=key, action=action
            )
        else:
            acts.perform(system, actor, number, action, version=version, arguments=given, key=key)

    def see(self, _who: Who, number: str) -> Seen:
        """A document as it is now."""
        with self._system.database.read() as tx:
            case = situations.case(self._system, tx, situations.find(tx, None, number))
            document = case.document
            held = sum(hold.frozen_fen + hold.used_fen for hold in tx.ledger.holds(document.id))
            account = tx.ledger.account_of(document.id)
        return Seen(
            number=document.number, kind=document.kind, variant=document.variant, node=document.node,
            version=document.version, form=document.form, flags=document.flags, held_fen=held,
            account_id=account.id if account else None, account_fen=account.available_fen if account else 0,
            errors=frozenset(case.form_errors), doubts=frozenset(case.review.doubts),
        )  # fmt: skip

    def below(self, _who: Who, number: str, kind: str) -> list[str]:
        """Numbers of the documents of a kind that hang on one, at any depth."""
        with self._system.database.read() as tx:
            above = situations.find(tx, None, number)
            return [d.number for d in tx.documents.descendants(above.id) if d.kind == kind]

    def steps(self, who: Who, number: str, goal: str) -> list[Call]:
        """The planner's way; BlockedError with its reasons where there is none."""
        found = planning.plan_to(self._system, self.account(who), number, goal)
        if isinstance(found, NoWay):
            raise BlockedError("；".join(found.reasons))
        return [
            Call(step.number, step.action, filled_in(((f.name, f.required) for f in step.form), step.target))
            for step in found.steps
        ]

    def able(self, _number: str, _goal: str, call: Call) -> Who:
        """Somebody who may take the first step of a way; the linter lets no node without actors through."""
        with self._system.database.read() as tx:
            case = situations.case(self._system, tx, situations.find(tx, None, call.number))
        actors = case.process.actors(case.process.actions[call.action], case.document.node)
        return next(
            Who(unit, role)
            for (unit, role), account in self._crew.items()
            if people.may(account, case.owner, case.document, actors)
        )

    def upload(self, who: Who, name: str, content: bytes) -> dict[str, str]:
        """A file, as a form names it."""
        file = attachments.upload(self._system, self.account(who), name, content)
        return {"sha256": file.sha256, "name": file.name}

    def indicators(self, who: Who) -> list[int]:
        """Ids of the unit's indicators, in their order."""
        with self._system.database.read() as tx:
            return [item.id for item in tx.ledger.indicators(self.account(who).unit.id)]

    def today(self) -> str:
        """`2026-11-20`."""
        return self._system.today.isoformat()

    def wait(self, days: int) -> None:
        """Let time pass."""
        now, span = self._system.clock, timedelta(days=days)
        self._system = replace(self._system, clock=lambda: now() + span)


def filled_in(fields: Iterable[tuple[str, bool]], target: str) -> dict[str, str]:
    """What walks write into an act's form: `fields` are (name, required)."""
    return {
        name: target if name == "target" else "按流程办理"
        for name, required in fields
        if required and name not in {"seal", "pin"}
    }

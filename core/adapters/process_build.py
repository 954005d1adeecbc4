"""From the models of the files to frozen processes, and from processes to the JSON kept beside their instances."""

import dataclasses
import hashlib
import json
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from core.adapters.process_models import (
    ActionModel,
    ApprovalModel,
    CheckModel,
    FieldModel,
    KindModel,
    LimitModel,
    NodeModel,
)
from core.domain.approval import Approval
from core.domain.forms import Check, Field, Form, Option
from core.domain.process import (
    Action,
    Actor,
    Also,
    Escalation,
    Instead,
    Limit,
    Node,
    Parent,
    Process,
    Requirement,
    Spawn,
)

Codes = dict[str, dict[str, str]]


def compiled(
    region: str,
    kind: KindModel,
    variant: str,
    models: dict[str, dict[str, Any]],
    words: dict[str, str],
    codes: Codes,
) -> Process:
    """The process of one variant; parts that belong to other variants are left out."""
    nodes, actions, fields, checks = (
        {key: part for key, part in models[what].items() if not part.variants or variant in part.variants}
        for what in ("node", "action", "field", "check")
    )
    mentioned = {kind.start, *(n for a in actions.values() for n in (*a.routes().values(), *a.through))}
    # A node that only other variants use (dispatched, for a plan without process) is not part of this one.
    other = {n for a in models["action"].values() if a.variants for n in a.routes().values()} - mentioned
    kept = {key: _node(key, node) for key, node in nodes.items() if key not in other}
    parents = tuple(
        Parent(p.kind, tuple(p.variants), tuple(p.nodes), p.say, p.variant_in)
        for p in kind.parents
        if not p.own or variant in p.own
    )
    draft = Process(
        region=region, kind=kind.kind, variant=variant, label=kind.label, variant_label=kind.variants[variant],
        version="", start=kind.start, nodes=kept,
        actions={key: _action(key, action) for key, action in actions.items()},
        goals={key: tuple(n for n in names if n in kept or n not in other) for key, names in kind.goals.items()},
        finish=tuple(n for n in kind.finish if n not in other), words=words,
        form=Form(
            fields=_fields(fields, "", codes), checks=tuple(_check(check) for check in checks.values()),
            amount=kind.form.amount, title=kind.form.title, funding=kind.form.funding,
        ),
        parents=parents, alone=kind.alone or not parents, made=kind.made, inherits=kind.inherits,
        prefix=kind.prefix, menu=kind.menu, renamed={old: new for old, new in kind.renamed.items() if new in kept},
    )  # fmt: skip
    return replace(draft, version=digest(draft))


def _actors(actors: list[Any]) -> tuple[Actor, ...]:
    return tuple(Actor(actor.role, actor.of) for actor in actors)


def _node(key: str, model: NodeModel) -> Node:
    return Node(
        id=key, label=model.label, type=model.type, lane=model.lane, actors=_actors(model.actors),
        editable=bool(model.editable),
        fields=tuple(model.editable) if isinstance(model.editable, list) else (), funds=model.funds, help=model.help,
        instead=tuple(Instead(item.goal, item.use, item.reason) for item in model.instead), when=model.when,
        account=model.account, limit=_limit(model.limit) if model.limit else None, copies=_actors(model.copies),
        approval=_approval(model.approval) if model.approval else None, helpers=_actors(model.helpers),
    )  # fmt: skip


def _limit(model: LimitModel) -> Limit:
    steps = tuple(Escalation(step.after, step.remind, _actors(step.tell), step.take) for step in model.steps)
    return Limit(model.days, steps)


def _approval(model: ApprovalModel) -> Approval:
    return Approval(**{**dict(model), "weights": tuple(model.weights)})


def _action(key: str, model: ActionModel) -> Action:
    # A node of another variant may still be named as a source; routes from it are never asked for.
    return Action(
        id=key, label=model.label, routes=model.routes(), by=_actors(model.by), through=tuple(model.through),
        targets=tuple(model.targets), guards=tuple(model.guards),
        requires=tuple(Requirement(item.must, item.say) for item in model.requires),
        effects=tuple(model.effects), flags=tuple(model.flags), parent_flags=tuple(model.parent_flags),
        parent_form=model.parent_form, own_form=model.own_form,
        also=tuple(Also(item.kind, item.act) for item in model.also), warn=model.warn,
        spawns=tuple(Spawn(item.kind, item.variant, item.each, item.when) for item in model.spawns),
        sends=model.sends, form=tuple(model.form), cost=model.cost, hidden=model.hidden, menu=model.menu,
        outside=model.outside,
    )  # fmt: skip


def _fields(models: dict[str, FieldModel], above: str, codes: Codes) -> tuple[Field, ...]:
    own = {
        path: model
        for path, model in models.items()
        if path.startswith(above) and "." not in path.removeprefix(above)
    }
    return tuple(_field(model, _fields(models, f"{path}.", codes), codes) for path, model in own.items())


def _field(model: FieldModel, columns: tuple[Field, ...], codes: Codes) -> Field:
    options = model.options or codes.get(model.codes, {})
    plain = model.model_dump(exclude={"options", "codes", "fields", "variants", "kinds", "nodes"})
    return Field(
        **plain, options=tuple(Option(value, label) for value, label in options.items()),
        kinds=tuple(model.kinds), nodes=tuple(model.nodes), fields=columns,
    )  # fmt: skip


def _check(model: CheckModel) -> Check:
    return Check(model.id, model.must, model.say, model.field, model.each, model.doubtful, model.source)


def dump(process: Process) -> str:
    """Canonical JSON of a process, kept beside the instances that run on it.

    Keys stay in the order of the data: the order of actions says which way is the main one. What is as its default is
    left out: an engine that learns something new makes no new version of processes that do not use it.
    """
    body = _sparse(process)
    body.pop("version")
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _sparse(item: Any) -> Any:
    if dataclasses.is_dataclass(item):
        named = {one.name: (getattr(item, one.name), _default(one)) for one in dataclasses.fields(item)}
        return {name: _sparse(value) for name, (value, default) in named.items() if value != default}
    if isinstance(item, dict):
        return {key: _sparse(value) for key, value in item.items()}
    return [_sparse(one) for one in item] if isinstance(item, tuple | list) else item


def _default(one: dataclasses.Field[Any]) -> Any:
    return one.default_factory() if one.default_factory is not dataclasses.MISSING else one.default


def digest(process: Process) -> str:
    """Version of a process: twelve hex digits over its canonical form."""
    return hashlib.sha256(dump(process).encode()).hexdigest()[:12]


@cache
def _reader() -> TypeAdapter[Process]:
    return TypeAdapter(Process)


def restore(text: str) -> Process:
    """The process of an earlier version from its canonical JSON."""
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return _reader().validate_python({**json.loads(text), "version": version})

"""A process as data: nodes, actions, who acts, guards, and the state of the money at each node.

Compiled once from YAML (`core.adapters.processes`) for one region, kind and variant; frozen; an instance keeps the
version it started with.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from core.domain.accounts import Relation, Role

ORIGIN = "$origin"  # the node the document came from
CHOSEN = "$chosen"  # a node chosen among the lawful return targets


class NodeType(StrEnum):
    """`prepare`: its author works on it; `review`: someone else decides; `work`: something is done; `end`."""

    PREPARE = "prepare"
    REVIEW = "review"
    WORK = "work"
    END = "end"


class Funds(StrEnum):
    """Where the document's money has to be while it rests at a node; the ledger moves it there."""

    KEEP = "keep"
    FREE = "free"
    FROZEN = "frozen"
    USED = "used"


class Guard(StrEnum):
    """Closed set of conditions; `core.domain.guards` says when each holds."""

    FORM_COMPLETE = "form_complete"
    SIGNED = "signed"
    NO_OPEN_ORDER = "no_open_order"


class Effect(StrEnum):
    """Closed set of what an act sets off besides moving the document and its money."""

    DISPATCH = "dispatch"
    WITHDRAW_DISPATCH = "withdraw_dispatch"
    MARK_SIGNED = "mark_signed"
    CLEAR_SIGNED = "clear_signed"


class Cost(StrEnum):
    """`public` acts cannot be undone before the public (seal, publication); planners avoid them first."""

    PLAIN = "plain"
    PUBLIC = "public"


@dataclass(frozen=True)
class Actor:
    """A role in the unit that stands in `of` relation to the document."""

    role: Role
    of: Relation


@dataclass(frozen=True)
class Instead:
    """From this node `goal` is closed for `reason`; `use` is the goal that is open."""

    goal: str
    use: str
    reason: str


@dataclass(frozen=True)
class Node:
    """One station. `help` says to people what it means; `instead` maps a goal to the goal that is open from here."""

    id: str
    label: str
    type: NodeType
    lane: str
    actors: tuple[Actor, ...] = ()
    editable: bool = False
    funds: Funds = Funds.KEEP
    help: str = ""
    instead: tuple[Instead, ...] = ()


@dataclass(frozen=True)
class Action:
    """One lawful act. `routes` leads each source node to its target (a node, ORIGIN or CHOSEN).

    `by` empty means the actors of the node; `form` names the fields it wants, optional ones ending in `?`.
    """

    id: str
    label: str
    routes: dict[str, str]
    by: tuple[Actor, ...] = ()
    through: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()  # for CHOSEN: what the structure allows
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()
    form: tuple[str, ...] = ()
    cost: Cost = Cost.PLAIN
    hidden: bool = False  # done by the system or by its own page, not offered as a plain button
    menu: str = ""

    @property
    def chosen(self) -> bool:
        """Whether whoever acts chooses the target among the lawful ones."""
        return CHOSEN in self.routes.values()

    @property
    def required(self) -> tuple[str, ...]:
        """Form fields that must not be empty."""
        return tuple(name for name in self.form if not name.endswith("?"))


@dataclass(frozen=True, eq=False)
class Process:
    """Resolved process of one region, kind and variant. `version` is a digest of all of it."""

    region: str
    kind: str
    variant: str
    label: str
    variant_label: str
    version: str
    start: str
    nodes: dict[str, Node]
    actions: dict[str, Action]
    goals: dict[str, tuple[str, ...]]
    finish: tuple[str, ...]  # where the main way ends well
    words: dict[str, str] = field(default_factory=dict)

    def node(self, node_id: str) -> Node:
        """Node by id; KeyError only when data and documents disagree."""
        return self.nodes[node_id]

    @cached_property
    def actions_from(self) -> dict[str, tuple[Action, ...]]:
        """Actions by the node they start from, in the order of the data."""
        return {
            node: tuple(action for action in self.actions.values() if node in action.routes)
            for node in self.nodes
        }

    def actors(self, action: Action, node: str) -> tuple[Actor, ...]:
        """Who may take `action` at `node`."""
        return action.by or self.nodes[node].actors

    def word(self, key: str) -> str:
        """The region's own word for `key` (备案号 …), else the key itself."""
        return self.words.get(key, key)

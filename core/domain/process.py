"""A process as data: nodes, actions, who acts, guards, and the state of the money at each node.

Compiled once from YAML (`core.adapters.processes`) for one region, kind and variant; frozen; an instance keeps the
version it started with.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from core.domain.accounts import Relation, Role
from core.domain.approval import Approval
from core.domain.forms import Form

_MONEY_NAME = re.compile(r"\b(frozen|used|account|account_frozen|account_used)_fen\b")
ORIGIN = "$origin"  # the node the document came from
CHOSEN = "$chosen"  # a node chosen among the lawful return targets
RETURNER = "$returner"  # straight back to the node that returned the document
SYMBOLS = (ORIGIN, CHOSEN, RETURNER)  # targets that are nodes only once a document stands there


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
    SPENT = "spent"  # only what was taken from the document's own account stays used; the rest goes back
    RAISED = (
        "raised"  # what is used stays so until a change takes effect; what the form takes beyond it is frozen
    )


class Guard(StrEnum):
    """Closed set of conditions; `core.domain.guards` says when each holds."""

    FORM_COMPLETE = "form_complete"
    SIGNED = "signed"
    CERTIFICATE = "certificate"  # whoever acts has signed in with a CA key
    OWN_LAST = "own_last"  # whoever acts brought the document here, and nobody has done anything since


class Effect(StrEnum):
    """Closed set of what an act sets off besides moving the document and its money."""

    DISPATCH = "dispatch"
    WITHDRAW_DISPATCH = "withdraw_dispatch"
    MARK_SIGNED = "mark_signed"
    CLEAR_SIGNED = "clear_signed"
    REGISTER = "register"  # give the document a file number of its own, in its form's field `register_no`
    SET_LANDLINE = "set_landline"  # the form's `landline` becomes that of the unit whose document it is
    SNAPSHOT = "snapshot"  # keep the form as it is now as a version of its own, before it is changed
    RESTORE = "restore"  # put the form back to the latest kept version
    DRAW_EXPERTS = "draw_experts"  # fill the groups of a request for experts at random
    ANSWER_EXPERT = "answer_expert"  # one of them agrees or declines
    RELEASE_EXPERTS = "release_experts"  # none of them need come


class Cost(StrEnum):
    """`public` acts cannot be undone before the public (seal, publication); planners avoid them first."""

    PLAIN = "plain"
    PUBLIC = "public"


@dataclass(frozen=True)
class Actor:
    """A role in the unit that stands in `of` relation to the document; as the data writes it: `reviewer@unit`."""

    role: Role
    of: Relation

    def __str__(self) -> str:
        return f"{self.role.value}@{self.of.value}"


@dataclass(frozen=True)
class Instead:
    """From this node `goal` is closed for `reason`; `use` is the goal that is open."""

    goal: str
    use: str
    reason: str


@dataclass(frozen=True)
class Requirement:
    """What has to be true before an act: an expression of `core.domain.expressions`, and what to say when it is not."""

    must: str
    say: str


@dataclass(frozen=True)
class Spawn:
    """A document that an act brings into being: of `kind` and `variant`, one for each row of the table `each`."""

    kind: str
    variant: str
    each: str = ""
    when: str = ""


@dataclass(frozen=True)
class Also:
    """An act taken with this one: on the document above where it is of `kind`, else on those of `kind` below.

    Above it has to be lawful; below it is taken wherever it is.
    """

    kind: str
    act: str


@dataclass(frozen=True)
class Escalation:
    """What is done so many working days `after` a limit has passed (negative: before): one of the three.

    `remind` those whose turn it is, `tell` these roles (who may then read the document), `take` this act in the name of
    the platform. An act that is public is never taken so.
    """

    after: int
    remind: bool = False
    tell: tuple[Actor, ...] = ()
    take: str = ""


@dataclass(frozen=True)
class Limit:
    """A node's time limit in working days; documents that stand there longer are late, and `steps` follow in order."""

    days: int
    steps: tuple[Escalation, ...] = ()


@dataclass(frozen=True)
class Node:
    """One station. `help` says to people what it means; `instead` maps a goal to the goal that is open from here.

    A node whose expression `when` does not hold for a document is passed over. `account` is true where the document
    has an account of its own in the ledger, from which the documents under it are paid.
    """

    id: str
    label: str
    type: NodeType
    lane: str
    actors: tuple[Actor, ...] = ()
    editable: bool = False
    fields: tuple[str, ...] = ()  # where it is editable, only these (empty: all)
    funds: Funds = Funds.KEEP
    help: str = ""
    instead: tuple[Instead, ...] = ()
    when: str = ""
    account: bool = False
    limit: Limit | None = None
    approval: Approval | None = None  # how several people decide here; None: whoever acts first
    helpers: tuple[Actor, ...] = ()  # besides colleagues: who may be asked, added or given the task
    copies: tuple[Actor, ...] = ()  # who gets every document that comes here to read


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
    requires: tuple[Requirement, ...] = ()
    effects: tuple[Effect, ...] = ()
    flags: tuple[str, ...] = ()  # set by the act; `-name` takes the flag away
    parent_flags: tuple[str, ...] = ()  # the same on the document above
    parent_form: dict[str, str] = field(default_factory=dict)  # field of the document above → expression
    own_form: dict[str, str] = field(default_factory=dict)  # the same for fields of its own
    also: tuple[Also, ...] = ()
    spawns: tuple[Spawn, ...] = ()
    sends: str = ""  # topic of a message to another system
    form: tuple[str, ...] = ()
    cost: Cost = Cost.PLAIN
    warn: str = ""  # said before the act is confirmed
    hidden: bool = False  # done by the system or by its own page, not offered as a plain button
    menu: str = ""
    outside: str = ""  # who, in which other system, takes an act that is nobody's task here

    @property
    def chosen(self) -> bool:
        """Whether whoever acts chooses the target among the lawful ones."""
        return CHOSEN in self.routes.values()

    @property
    def required(self) -> tuple[str, ...]:
        """Form fields that must not be empty."""
        return tuple(name for name in self.form if not name.endswith("?"))


@dataclass(frozen=True)
class Parent:
    """A document under which one of this kind may be entered: its kind, variants (empty: any) and nodes.

    `variant_in`: a field of it that has to name the variant that is entered.
    """

    kind: str
    variants: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    say: str = ""
    variant_in: str = ""


@dataclass(frozen=True, eq=False)
class Process:
    """Resolved process of one region, kind and variant. `version` is a digest of all of it.

    `parents` empty: a document of this kind stands by itself; `alone` says whether it may although it has parents.
    `made`: nobody enters this kind, acts on other documents bring it into being, and this says so to whoever tries.
    """

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
    form: Form = field(default_factory=Form)
    parents: tuple[Parent, ...] = ()
    alone: bool = True
    made: str = ""
    inherits: dict[str, str] = field(default_factory=dict)  # own field → field of the document above
    prefix: str = "DJ"
    menu: str = ""  # where the region's platform has this kind
    renamed: dict[str, str] = field(default_factory=dict)  # node of earlier versions → its name in this one

    def node(self, node_id: str) -> Node:
        """Node by id; KeyError only when data and documents disagree."""
        return self.nodes[node_id]

    def successor(self, node_id: str) -> str:
        """What a node of an earlier version is here; empty where it is gone."""
        name = self.renamed.get(node_id, node_id)
        return name if name in self.nodes else ""

    def label_of(self, node_id: str) -> str:
        """Label of a node that stands in a history, which may be older than this version."""
        name = self.successor(node_id)
        return self.nodes[name].label if name else "已取消的环节"

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

    def signing(self, node: str) -> Action | None:
        """The act that seals the document's paper at `node`."""
        return next((a for a in self.actions_from.get(node, ()) if Effect.MARK_SIGNED in a.effects), None)

    @property
    def seals(self) -> int:
        """How many parties seal the paper, one after the other."""
        return sum(Effect.MARK_SIGNED in action.effects for action in self.actions.values())

    def agrees(self, action: Action, node: str) -> bool:
        """Whether `action` is how the node's people let the document go on from `node`."""
        approval = self.nodes[node].approval
        if approval is not None:
            return action.id == approval.agree
        target = action.routes.get(node)
        return not action.by and target not in (None, *SYMBOLS, node)

    def word(self, key: str) -> str:
        """The region's own word for `key` (备案号 …), else the key itself."""
        return self.words.get(key, key)

    @cached_property
    def asks_above(self) -> bool:
        """Whether a condition looks further up than at the document above."""
        return any("above_" in text for text in self._conditions)

    @cached_property
    def asks_money(self) -> bool:
        """Whether a condition looks at the document's holds or at its own account."""
        return any(_MONEY_NAME.search(text) for text in self._conditions)

    @cached_property
    def _conditions(self) -> tuple[str, ...]:
        return (
            *(
                text
                for action in self.actions.values()
                for item in action.requires
                for text in (item.must, item.say)
            ),
            *(node.when for node in self.nodes.values()),
            *(check.must for check in self.form.checks),
        )

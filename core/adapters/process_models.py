"""Shapes of the process files, strictly: what is not named here is refused."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.domain.accounts import Relation, Role
from core.domain.process import Cost, Effect, Funds, Guard, NodeType

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ActorModel(Strict):
    """A role of the unit in a relation to the document."""

    role: Role
    of: Relation


class InsteadModel(Strict):
    """A goal that is closed here, and the one that is open."""

    goal: Name
    use: Name
    reason: Text


class NodeModel(Strict):
    """One station of a process."""

    label: Text
    type: NodeType
    lane: Text
    actors: list[ActorModel] = []
    editable: bool = False
    funds: Funds = Funds.KEEP
    help: str = ""
    instead: list[InsteadModel] = []


class ActionModel(Strict):
    """One act: `from`/`to`, or `chain` where each node leads to the next."""

    label: Text
    source: list[Name] = Field(default=[], alias="from")
    to: str | None = None
    chain: list[Name] = []
    by: list[ActorModel] = []
    through: list[Name] = []
    targets: list[Name] = []
    variants: list[Name] = []
    guards: list[Guard] = []
    effects: list[Effect] = []
    form: list[str] = []
    cost: Cost = Cost.PLAIN
    hidden: bool = False
    menu: str = ""

    @model_validator(mode="after")
    def _routes_given(self) -> "ActionModel":
        if bool(self.chain) == bool(self.source and self.to):
            raise ValueError("要么写 from 和 to，要么写 chain")
        if self.chain and (len(self.chain) == 1 or len(set(self.chain)) != len(self.chain)):
            raise ValueError("chain 至少写两个节点，不能重复")
        return self

    def routes(self) -> dict[str, str]:
        """Source node → target."""
        if self.chain:
            return dict(zip(self.chain, self.chain[1:], strict=False))
        return dict.fromkeys(self.source, self.to or "")


class KindModel(Strict):
    """A base process."""

    kind: Name
    label: Text
    start: Name
    variants: dict[Name, Text]
    goals: dict[Name, list[Name]]
    finish: list[Name]
    words: dict[Name, Text] = {}
    nodes: dict[Name, NodeModel]
    actions: dict[Name, ActionModel]


class Operation(Strict):
    """One named change of an overlay; exactly one of the fields is given."""

    add_node: dict[str, Any] | None = None
    set_node: dict[str, Any] | None = None
    drop_node: Name | None = None
    add_action: dict[str, Any] | None = None
    set_action: dict[str, Any] | None = None
    drop_action: Name | None = None
    rename: dict[Name, Text] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Operation":
        if len(self.model_fields_set) != 1:
            raise ValueError("每一项只写一个操作")
        return self


class VendorModel(Strict):
    """A certificate authority whose keys a region accepts; `spellings` is how its certificates name it."""

    name: Text
    spellings: Annotated[list[Text], Field(min_length=1)]


class RegionModel(Strict):
    """A region: its label, the makers of keys it accepts, and operations for each kind it has."""

    region: Name
    label: Text
    vendors: list[VendorModel] = []
    processes: dict[Name, list[Operation]]

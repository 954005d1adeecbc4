"""Shapes of the process files, strictly: what is not named here is refused."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.domain.accounts import Relation, Role
from core.domain.approval import Each, Mode, Refusal
from core.domain.forms import FieldType
from core.domain.process import Cost, Effect, Funds, Guard, NodeType

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]
Flag = Annotated[str, Field(pattern=r"^-?[a-z][a-z0-9_]*$")]


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


class EscalationModel(Strict):
    """A step of a limit; exactly one of `remind`, `tell` and `take` is given."""

    after: Annotated[int, Field(ge=-30, le=365)]
    remind: bool = False
    tell: list[ActorModel] = []
    take: str = ""

    @model_validator(mode="after")
    def _exactly_one(self) -> "EscalationModel":
        if [self.remind, bool(self.tell), bool(self.take)].count(True) != 1:
            raise ValueError("remind、tell、take 只写一个")
        return self


class LimitModel(Strict):
    """A time limit in working days, and what follows when it passes."""

    days: Annotated[int, Field(ge=1, le=365)]
    steps: list[EscalationModel] = []


class ApprovalModel(Strict):
    """How several people decide at a node; `weights` go with the node's actors."""

    mode: Mode
    agree: Name
    refuse: str = ""
    each: Each = Each.PLACE
    weights: list[Annotated[int, Field(ge=1, le=1000)]] = []
    share: Annotated[int, Field(ge=1, le=100)] = 100
    refusal: Refusal = Refusal.RETURN

    @model_validator(mode="after")
    def _share_where_votes_are_weighed(self) -> "ApprovalModel":
        weighed = self.mode is Mode.WEIGHTED
        if weighed != ("share" in self.model_fields_set) or (self.weights and not weighed):
            raise ValueError("mode: weighted 要写 share（通过要占的百分比），其他方式不写 share 和 weights")
        if self.refusal is Refusal.COUNT and not self.refuse:
            raise ValueError("refusal: count 要写 refuse（哪个操作是不同意）")
        return self


class NodeModel(Strict):
    """One station of a process."""

    label: Text
    type: NodeType
    lane: Text
    actors: list[ActorModel] = []
    editable: bool | list[Name] = False
    funds: Funds = Funds.KEEP
    help: str = ""
    instead: list[InsteadModel] = []
    when: str = ""
    account: bool = False
    limit: LimitModel | None = None
    copies: list[ActorModel] = []
    approval: ApprovalModel | None = None
    helpers: list[ActorModel] = []
    variants: list[Name] = []


class RequirementModel(Strict):
    """A condition of an act, and the sentence for when it does not hold."""

    must: Text
    say: Text


class AlsoModel(Strict):
    """An act on the document above, or on those below, that goes with an act."""

    kind: Name
    act: Name


class SpawnModel(Strict):
    """A document that an act brings into being."""

    kind: Name
    variant: Name
    each: str = ""
    when: str = ""


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
    requires: list[RequirementModel] = []
    effects: list[Effect] = []
    flags: list[Flag] = []
    parent_flags: list[Flag] = []
    parent_form: dict[Name, Text] = {}
    own_form: dict[Name, Text] = {}
    also: list[AlsoModel] = []
    warn: str = ""
    spawns: list[SpawnModel] = []
    sends: str = ""
    form: list[str] = []
    cost: Cost = Cost.PLAIN
    hidden: bool = False
    menu: str = ""
    outside: str = ""

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


class FieldModel(Strict):
    """One field of a form. `options` is value → label, `codes` the name of a code list instead of it."""

    id: Name
    label: Text
    type: FieldType = FieldType.TEXT
    required: bool = False
    required_when: str = ""
    when: str = ""
    limit: int = 0
    least: int = 1
    unit: str = ""
    help: str = ""
    hint: str = ""
    options: dict[str, Text] = {}
    codes: str = ""
    computed: str = ""
    entered: bool = False
    default: str = ""
    role: str = ""
    kinds: list[Name] = []
    nodes: list[Name] = []
    format: Literal["", "phone", "bank_account"] = ""
    fields: list["FieldModel"] = []
    variants: list[Name] = []


class CheckModel(Strict):
    """What has to hold for the form as a whole or for each row of a table. `field` is where a mistake is shown."""

    id: Name
    must: Text
    say: Text
    field: str = ""
    each: str = ""
    doubtful: bool = False
    source: str = ""
    variants: list[Name] = []


class FormModel(Strict):
    """The form of a kind."""

    fields: list[FieldModel] = []
    checks: list[CheckModel] = []
    amount: str = ""
    title: str = ""
    funding: str = ""


class ParentModel(Strict):
    """A document under which one of this kind may be entered; `say` is what to answer where none fits.

    `own`: only these variants of this kind (empty: all); `variant_in`: a field of it that names the variant.
    """

    kind: Name
    variants: list[Name] = []
    nodes: list[Name] = []
    say: str = ""
    own: list[Name] = []
    variant_in: str = ""


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
    form: FormModel = FormModel()
    parents: list[ParentModel] = []
    alone: bool = True
    made: str = ""
    inherits: dict[Name, Name] = {}
    prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,4}$")] = "DJ"
    menu: str = ""
    renamed: dict[Name, Name] = {}


class Operation(Strict):
    """One named change of an overlay; exactly one of the fields is given.

    `set` changes what belongs to the kind as a whole: label, start, variants, goals, finish, parents, alone, made, inherits,
    prefix, menu, renamed, and the form's amount, title and funding. A column is named `table.column`.
    """

    add_node: dict[str, Any] | None = None
    set_node: dict[str, Any] | None = None
    drop_node: Name | None = None
    add_action: dict[str, Any] | None = None
    set_action: dict[str, Any] | None = None
    drop_action: Name | None = None
    add_field: dict[str, Any] | None = None
    set_field: dict[str, Any] | None = None
    drop_field: str | None = None
    add_check: dict[str, Any] | None = None
    set_check: dict[str, Any] | None = None
    drop_check: Name | None = None
    set: dict[str, Any] | None = None
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


class ValueModel(Strict):
    """A value that law or policy gives, from a day on. `value` is a number, or a table of numbers by one or two keys."""

    value: int | dict[str, int] | dict[str, dict[str, int]]
    since: date
    source: Text
    note: str = ""


class RegionModel(Strict):
    """A region: its label, the makers of keys it accepts, its values and codes, and operations for each kind it has.

    Parts of a region in files of their own have no label.
    """

    region: Name
    label: str = ""
    vendors: list[VendorModel] = []
    values: dict[Name, Annotated[list[ValueModel], Field(min_length=1)]] = {}
    codes: dict[Name, dict[str, Text]] = {}
    processes: dict[Name, list[Operation]] = {}

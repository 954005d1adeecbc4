"""Shapes of kinds, forms and files for /api/v1."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from spectree.model_adapter.pydantic_adapter import BaseFile

from web.schemas import Shown, Taken


class OptionOut(Shown):
    """One choice."""

    value: str
    label: str


class ColumnOut(Shown):
    """A column of a table. `when`, `required_when`, `computed` are expressions of `docs/processes.md`."""

    id: str
    label: str
    type: str
    required: bool
    required_when: str
    when: str
    limit: int
    least: int
    unit: str
    help: str
    options: list[OptionOut]
    computed: str
    role: str
    kinds: list[str]
    nodes: list[str]


class FormFieldOut(ColumnOut):
    """A field; of a table also its columns."""

    fields: list[ColumnOut]


class CheckOut(Shown):
    """What has to hold; doubtful ones only advise."""

    field: str
    each: str
    must: str
    say: str
    doubtful: bool


class ParentOut(Shown):
    """Under which documents one of this kind may be entered."""

    kind: str
    variants: list[str]
    nodes: list[str]
    say: str


class NodeOut(Shown):
    """A station of the process."""

    id: str
    label: str
    lane: str
    type: str
    help: str


class VariantOut(BaseModel):
    """A variant with its form. `may_enter`: this account's role enters such documents."""

    variant: str
    label: str
    version: str
    may_enter: bool
    amount: str
    title: str
    fields: list[FormFieldOut]
    checks: list[CheckOut]
    nodes: list[NodeOut]


class KindOut(BaseModel):
    """A kind of documents of the caller's region."""

    kind: str
    label: str
    menu: str
    prefix: str
    alone: bool
    parents: list[ParentOut]
    variants: list[VariantOut]


class Kinds(BaseModel):
    """All of the region."""

    region: str
    label: str
    items: list[KindOut]


class PreviewIn(Taken):
    """A form to be judged; nothing is saved."""

    form: dict[str, Any]
    parent: str | None = None


class PreviewOut(BaseModel):
    """The form with what is computed; paths are `lines.0.quantity`."""

    form: dict[str, Any]
    amount_fen: int
    hidden: list[str]
    required: list[str]
    form_errors: dict[str, str]
    doubts: dict[str, str]


class UploadIn(BaseModel):
    """A file as `multipart/form-data`."""

    file: BaseFile


class AttachmentOut(Shown):
    """A file; a form names it as `{"sha256", "name"}`. `size` in bytes."""

    sha256: str
    name: str
    type: str
    size: int
    at: datetime


class Attachments(BaseModel):
    """Files of a document, oldest first."""

    items: list[AttachmentOut]


class FormVersionOut(Shown):
    """A form as it was before a change."""

    seq: int
    label: str
    at: datetime
    amount_fen: int
    form: dict[str, Any] = Field(description="整张表单")


class FormVersions(BaseModel):
    """Kept forms, latest first."""

    items: list[FormVersionOut]


class ImportQuery(Taken):
    """The version of the document that was seen."""

    version: int


class ImportOut(BaseModel):
    """The document after a list was brought in from `sheet`; `left` are other sheets of the file that hold something."""

    number: str
    version: int
    lines: int
    sheet: str
    left: list[str]


class AboveQuery(Taken):
    """`uncovered` leaves out those whose account is used up."""

    q: str = Field("", max_length=100)
    uncovered: bool = False


class AboveOut(Shown):
    """A document under which one may be entered; `left_fen` is null where it pays for nothing."""

    number: str
    title: str
    variant_label: str
    amount_fen: int
    left_fen: int | None


class AboveChoices(BaseModel):
    """Newest first."""

    items: list[AboveOut]

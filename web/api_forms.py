"""/api/v1: kinds of documents with their fields, forms judged before they are saved, files, earlier forms."""

from typing import Any

from flask import Response

from core.domain.process import Process
from core.service import above, attachments, dossier, filling, list_import
from core.service.filling import Filling
from web import api_form_schemas as s
from web import attachments as files
from web import downloads, imports
from web.api import asked, body, idempotency_key, route
from web.parts import system
from web.security import actor


@route("GET", "/kinds", gives=s.Kinds)
def list_kinds() -> s.Kinds:
    """Kinds, variants and fields of the caller's region: all that is needed to enter a document."""
    core, region = system(), actor().region
    mine = {(entry.kind, entry.variant) for entry in filling.entries(core, actor())}
    items = [_kind(core.processes.variants(region, kind), mine) for kind in core.processes.kinds(region)]
    return s.Kinds(region=region, label=core.processes.region_label(region), items=items)


def _kind(variants: list[Process], mine: set[tuple[str, str]]) -> s.KindOut:
    first = variants[0]
    return s.KindOut(
        kind=first.kind, label=first.label, menu=first.menu, prefix=first.prefix,
        alone=not first.made and (first.alone or not first.parents),
        parents=[s.ParentOut.model_validate(parent) for parent in first.parents],
        variants=[_variant(process, (process.kind, process.variant) in mine) for process in variants],
    )  # fmt: skip


def _variant(process: Process, may_enter: bool) -> s.VariantOut:  # noqa: FBT001 - one private helper
    form = process.form
    return s.VariantOut(
        variant=process.variant, label=process.variant_label, version=process.version, may_enter=may_enter,
        amount=form.amount, title=form.title,
        fields=[s.FormFieldOut.model_validate(item) for item in form.fields],
        checks=[s.CheckOut.model_validate(check) for check in form.checks],
        nodes=[s.NodeOut.model_validate(node) for node in process.nodes.values()],
    )  # fmt: skip


@route("GET", "/kinds/<kind>/<variant>/above", query=s.AboveQuery, gives=s.AboveChoices)
def list_above(kind: str, variant: str) -> s.AboveChoices:
    """Documents under which this account may enter one of this kind now."""
    q = asked()
    found = above.choices(system(), actor(), kind, variant, uncovered=q.uncovered, words=q.q)
    return s.AboveChoices(items=[s.AboveOut.model_validate(one) for one in found])


@route("POST", "/kinds/<kind>/<variant>/preview", takes=s.PreviewIn, gives=s.PreviewOut)
def preview_form(kind: str, variant: str) -> s.PreviewOut:
    """What is computed, hidden, wrong and doubtful in a form; nothing is saved."""
    given = body()
    return _preview(filling.new(system(), actor(), kind, variant, parent=given.parent, values=given.form))


@route("POST", "/documents/<number>/preview", takes=s.PreviewIn, gives=s.PreviewOut)
def preview_change(number: str) -> s.PreviewOut:
    """The same for a document that this account may change now."""
    return _preview(filling.existing(system(), actor(), number, body().form))


def _preview(found: Filling) -> s.PreviewOut:
    form: dict[str, Any] = dict(found.values)
    return s.PreviewOut(
        form=form, amount_fen=found.amount_fen, hidden=sorted(found.state.hidden),
        required=sorted(found.state.required), form_errors=found.review.errors, doubts=found.review.doubts,
    )  # fmt: skip


@route("POST", "/attachments", form=s.UploadIn, gives=s.AttachmentOut, status=201)
def upload_attachment() -> tuple[s.AttachmentOut, int]:
    """Keep a file; it belongs to no document until one that names it is saved."""
    return s.AttachmentOut.model_validate(files.received()), 201


@route("GET", "/documents/<number>/attachments", gives=s.Attachments)
def list_attachments(number: str) -> s.Attachments:
    """Files that the document names or has named."""
    found = attachments.listing(system(), actor(), number)
    return s.Attachments(items=[s.AttachmentOut.model_validate(file) for file in found])


@route("GET", "/documents/<number>/attachments/<sha256>", gives=None, media="*/*")
def get_attachment(number: str, sha256: str) -> Response:
    """One file."""
    return files.download(number, sha256)


@route("GET", "/documents/<number>/versions", gives=s.FormVersions)
def list_versions(number: str) -> s.FormVersions:
    """Forms that were kept before a change."""
    kept = dossier.dossier(system(), actor(), number).kept
    return s.FormVersions(items=[s.FormVersionOut.model_validate(form) for form in kept])


@route("GET", "/documents/<number>/tables/<table>/template", gives=None, media=downloads.XLSX)
def get_template(number: str, table: str) -> Response:
    """The spreadsheet template of a table that this account may change now."""
    return imports.template(number, table)


@route("POST", "/documents/<number>/tables/<table>", form=s.UploadIn, query=s.ImportQuery, gives=s.ImportOut)
def import_list(number: str, table: str) -> s.ImportOut:
    """The file's rows instead of the table's rows, or nothing where one cell is wrong (`fields` has each by its place)."""
    _, content = files.sent()
    made = list_import.take(
        system(),
        actor(),
        number,
        table,
        content,
        imports.SHEETS,
        version=asked().version,
        key=idempotency_key(),
    )
    sheet, left = imports.SHEETS.left(content)
    return s.ImportOut(
        number=number, version=made.version, lines=len(made.form[table]), sheet=sheet, left=list(left)
    )

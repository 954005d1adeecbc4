"""Entering and changing a document of any kind: one page for all, made from the fields of its form."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from core.domain import form_state
from core.domain.errors import ConflictError, DomainError, InvalidError
from core.domain.forms import Field, FieldType
from core.domain.process import Process
from core.service import above, catalogue, documents, entering, filling
from core.service.filling import Filling
from core.service.views import DocumentView
from web import numbers
from web.attachments import keep
from web.documents import key, version
from web.errors import status_and_title
from web.form_input import PREFIX, Read, read
from web.form_page import build
from web.form_shown import Pair
from web.parts import system
from web.security import actor, require_session

pages = Blueprint("forms", __name__)
pages.before_request(require_session)

_IMPORT = "import:"  # save, then bring in a list
Answer = str | AnyResponse | tuple[str, int]


@pages.get("/documents/new")
def choose() -> str:
    """What this account may enter, grouped as the region's platform has it in its menus."""
    groups: dict[str, dict[str, list[filling.Entry]]] = {}
    for entry in filling.entries(system(), actor()):
        top = entry.menu.split("-", maxsplit=1)[0] or entry.label
        groups.setdefault(top, {}).setdefault(entry.kind, []).append(entry)
    return render_template("form_choose.html", groups=groups)


@pages.get("/plans/new")
def old_address() -> AnyResponse:
    """Where plans were entered before."""
    entries = [one for one in filling.entries(system(), actor()) if one.kind == "plan"]
    wanted = request.args.get("variant")
    known = next((one for one in entries if one.variant == wanted), None)
    if known is None:
        return redirect(url_for(".choose"))
    return redirect(url_for(".new", kind="plan", variant=known.variant))


@pages.get("/documents/new/<kind>/<variant>/above")
def choose_above(kind: str, variant: str) -> str:
    """Documents under which one may be entered; `show=all` has those, too, that others cover wholly (nm-14-1)."""
    process = system().processes.current(actor().region, kind, variant)
    words, everything = request.args.get("q", "").strip()[:100], request.args.get("show") == "all"
    found = above.choices(system(), actor(), kind, variant, uncovered=not everything, words=words)
    return render_template(
        "form_above.html", process=process, choices=found, words=words, everything=everything,
        say=next((one.say for one in process.parents if one.say), ""),
    )  # fmt: skip


@pages.get("/documents/new/<kind>/<variant>")
def new(kind: str, variant: str) -> Answer:
    """An empty form, filled with what it takes over from the document above; first that one where it must have one."""
    process = system().processes.current(actor().region, kind, variant)
    if process.parents and not process.alone and not _under():
        return redirect(url_for(".choose_above", kind=kind, variant=variant))
    return _page(filling.new(system(), actor(), kind, variant, parent=_under()), None)


@pages.post("/documents/new/<kind>/<variant>")
def create(kind: str, variant: str) -> Answer:
    """Save a new document, or only redraw its form."""
    process = system().processes.current(actor().region, kind, variant)
    given = _begun(process)

    def look() -> Filling:
        return filling.new(system(), actor(), kind, variant, parent=_under(), values=given.values)

    def save() -> str:
        return entering.create(
            system(), actor(), kind, variant, given.values, key=key(), parent=_under()
        ).number  # fmt: skip

    return _saved(given, look, save, f"new:{kind}:{variant}:{_under() or ''}")


@pages.get("/documents/<number>/edit")
def edit(number: str) -> Answer:
    """The saved form, where the document may be changed now."""
    return _page(filling.existing(system(), actor(), number), None, loud=True)


@pages.post("/documents/<number>/edit")
def change(number: str) -> Answer:
    """Save a changed form, or only redraw it."""
    view = documents.get(system(), actor(), number)
    given = _changed(view)

    def look() -> Filling:
        return filling.existing(system(), actor(), number, given.values)

    def save() -> str:
        return entering.save(system(), actor(), number, given.values, version=version(), key=key()).number

    return _saved(given, look, save, number)


@pages.post("/documents/look")
def look() -> Response:
    """What is hidden, worked out, wrong and doubtful in a form as it stands in the browser; nothing is saved."""
    number, kind, variant = (request.args.get(name, "") for name in ("number", "kind", "variant"))
    core = system()
    if number:
        view = documents.get(core, actor(), number)
        given = _changed(view)
        found = filling.existing(core, actor(), number, given.values)
    else:
        given = _begun(core.processes.current(actor().region, kind, variant))
        found = filling.new(core, actor(), kind, variant, parent=_under(), values=given.values)
    return jsonify(build(found, given, core.catalogue).plain())


@pages.get("/catalogue/options")
def options() -> str:
    """`<option>`s for a catalogue field."""
    text = request.args.get("text", "").strip()
    items = catalogue.search(system(), text, 30) if text else []
    return render_template("_catalogue_options.html", items=items)


def _under() -> str | None:
    return request.values.get("under") or None


def _given(fields: tuple[Field, ...], stored: Mapping[str, Any]) -> Read:
    posted, refused = _with_files(MultiDict(request.form))
    looking = request.endpoint == "forms.look" or bool(_asked())
    given = read(fields, posted, stored, empty_rows=looking)
    given.wrong |= refused
    return given


def _begun(process: Process) -> Read:
    """As `_given` for a document that does not exist yet: what may not be filled in at its start is left out."""
    given = _given(process.form.fields, {})
    given.values = form_state.kept(process, process.start, {}, given.values)
    return given


def _changed(view: DocumentView) -> Read:
    """As `_given`, and what may not be changed where the document stands is as it was."""
    document, process = view.document, view.process
    given = _given(process.form.fields, document.form)
    given.values = form_state.kept(process, document.node, document.form, given.values)
    return given


def _with_files(posted: MultiDict[str, str]) -> tuple[MultiDict[str, str], dict[str, str]]:
    """Files that came with the form itself (from browsers without scripts), kept and named in it."""
    refused: dict[str, str] = {}
    for name, file in request.files.items():
        field, _, part = name.rpartition(".")
        if part != "upload" or not file.filename:
            continue
        try:
            known = keep(file)
        except InvalidError as error:
            refused[field.removeprefix(f"{PREFIX}.")] = error.message
        else:
            posted[f"{field}.sha256"], posted[f"{field}.name"] = known.sha256, known.name
    return posted, refused


def _asked() -> str:
    """What the button said: `add:lines`, `remove:lines.2`, `look`; empty where the form is to be saved."""
    asked = request.form.get("do", "")
    return "" if asked == "save" or asked.startswith(_IMPORT) else asked


def _saved(given: Read, look: Any, save: Any, draft: str) -> Answer:
    if _asked():
        _redrawn(given, _asked())
        return _page(look(), given, loud=True)
    try:
        if given.wrong:
            raise InvalidError("有几处填写要改一下，已经在下面标出来了", fields=given.wrong)
        number = save()
    except DomainError as error:
        return _refused(given, look(), error), status_and_title(error)[0]
    return _onwards(number, draft)


def _refused(given: Read, found: Filling, error: DomainError) -> str:
    """The form as it was typed and what is wrong; where somebody else saved meanwhile, what is different, field by field.

    Saving once more is then a decision: over what is stored now, or as one more new document.
    """
    if isinstance(error, ConflictError) and found.number:
        stored = filling.existing(system(), actor(), found.number)
        return _page(found, given, error=error, loud=True, again=differences(stored, found, given))
    if error.code == "key_reused" and not found.number:
        said = "这一页已经保存过了，保存的单据在列表里。再点保存，会另存为一张新的单据"
        return _page(found, given, error=ConflictError(said), loud=True, again=[])
    return _page(found, given, error=error, loud=True)


def differences(stored: Filling, typed: Filling, given: Read) -> list[Pair]:
    """Fields that are stored otherwise than they are typed, in words."""
    sides = [
        {box.path: box for box in build(found, read, system().catalogue).flat() if not box.field.computed}
        for found, read in ((stored, None), (typed, given))
    ]
    found = []
    for path in dict.fromkeys([*sides[0], *sides[1]]):
        left, right = (side.get(path) for side in sides)
        box = left or right
        if box is None or box.field.type is FieldType.TABLE:
            continue
        table, _, rest = path.partition(".")
        row = f"第 {int(rest.split('.')[0]) + 1} 行" if rest else ""
        label = "".join(one.label for one in stored.process.form.fields if one.id == table) if rest else ""
        pair = Pair(
            f"{label}{row}{box.field.label}", left.words if left else "—", right.words if right else "—"
        )
        found += [pair] if pair.differs else []
    return found


def _redrawn(given: Read, asked: str) -> None:
    """Add or take away a row, for browsers without scripts."""
    what, _, place = asked.partition(":")
    table, _, row = place.partition(".")
    found, at = given.values.get(table), numbers.read(row)
    if what == "add" and isinstance(found, list):
        found.append({})
    elif what == "remove" and isinstance(found, list) and at is not None and 0 <= at < len(found):
        del found[at]
        for path in [p for p in given.wrong if p.startswith(f"{table}.")]:
            del given.wrong[path]
            del given.typed[path]


def _onwards(number: str, draft: str) -> AnyResponse:
    """Back to the form while it has gaps, so that they are seen beside their fields; else on to the document."""
    flash(f"form:{draft}", "saved-draft")  # tells the browser to forget its copy
    asked = request.form.get("do", "")
    if asked.startswith(_IMPORT):
        return redirect(url_for("imports.choose", number=number, table=asked.removeprefix(_IMPORT)), 303)
    view = documents.get(system(), actor(), number)
    if view.form_errors and view.process.node(view.document.node).editable:
        return redirect(url_for(".edit", number=number), 303)
    flash(f"已保存，编号 {number}。请核对无误后再往下办")
    return redirect(url_for("documents.page", number=number), 303)


def _page(
    found: Filling, given: Read | None, *, error: DomainError | None = None, loud: bool = False, again: list[Pair] | None = None
) -> str:  # fmt: skip
    page = build(found, given, system().catalogue)
    process = found.process
    if error and not isinstance(error, ConflictError):
        page.wrong.update({path: str(text) for path, text in error.fields.items() if path not in page.wrong})
    return render_template(
        "form.html", page=page, filling=found, process=process, error=error, loud=loud,
        variants=[] if found.number or found.above else _variants(found),
        multipart=any(box.field.type is FieldType.FILE for outer in page.boxes for box in (outer, *outer.model)),
        again=again, key=(again is None and request.form.get("key")) or uuid4().hex,
        version=((again is None and request.form.get("version")) or found.version) if found.number else None,
        draft=found.number or f"new:{process.kind}:{process.variant}:{found.above}",
    )  # fmt: skip


def _variants(found: Filling) -> list[filling.Entry]:
    """Other variants of the same kind, to change over while nothing is saved."""
    entries = filling.entries(system(), actor())
    same = [one for one in entries if one.kind == found.process.kind and one.alone]
    return same if len(same) > 1 else []

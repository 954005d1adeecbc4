"""Knowledge console: the list, one entry, its form."""

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.domain.calendar import day_of
from core.domain.errors import DataError, InvalidError
from core.domain.rights import Capability
from kb.checks import MAX_TITLE
from kb.editing import Editing, said
from kb.entries import VOICE_NAMES, Case, Entry, Phrasings
from kb.explaining import explain
from web import knowledge_form as forms
from web import numbers
from web.account import Answer
from web.parts import house, system
from web.security import actor, require_session

pages = Blueprint("knowledge", __name__, url_prefix="/knowledge")
pages.before_request(require_session)

_LONGEST = 1000  # characters of a question that is tried


def editing() -> Editing:
    """The console's use cases."""
    found = house().parts.editing
    assert found is not None, "registered only with a knowledge store"  # noqa: S101
    return found


def region_label(region: str) -> str:
    """`内蒙古`."""
    return system().processes.region_label(region)


def region() -> str:
    """The region that is looked at: the actor's own unless another is named."""
    return request.args.get("region") or actor().region


@pages.get("")
def listing() -> str:
    """Entries of a region, searched by words and by meaning."""
    words = request.args.get("q", "")[:200]
    rows = editing().listing(actor(), region(), words)
    return render_template(
        "knowledge_list.html", rows=rows, words=words, region=region(), regions=editing().regions(actor())
    )


@pages.get("/entries/<region>/<topic>")
def page(region: str, topic: str) -> str:
    """One entry with its revisions."""
    return _entry(region, topic, [])


def _entry(region: str, topic: str, problems: list[str]) -> str:
    page = editing().page(actor(), region, topic)
    return render_template("knowledge_entry.html", page=page, problems=problems)


@pages.get("/try")
def trial() -> str:
    """Why a question gets the answer that it gets."""
    editing().require(actor(), Capability.EDIT_KNOWLEDGE)
    text = request.args.get("q", "").strip()[:_LONGEST]
    snapshot = editing().live.current()
    found = explain(snapshot.retriever(region()), text) if text else None
    return render_template(
        "knowledge_try.html", text=text, found=found, region=region(), regions=editing().regions(actor())
    )


def _form(entry: Entry, fields: forms.Fields, *, fresh: bool) -> str:
    return render_template(
        "knowledge_form.html",
        entry=entry,
        fields=fields,
        fresh=fresh,
        voices=VOICE_NAMES,
        version=request.values.get("from", ""),
    )


def _start(topic: str) -> Entry:
    """What the form is filled from: the revision that is asked for, else the newest."""
    page = editing().page(actor(), actor().region, topic)
    wanted = request.values.get("from", "")
    chosen = next((one for one in page.revisions if str(one.id) == wanted), None)
    return chosen.entry if chosen else page.newest


@pages.get("/entries/<topic>/edit")
def edit(topic: str) -> str:
    """The form of an entry of the actor's region."""
    entry = _start(topic)
    return _form(entry, forms.shown(entry), fresh=False)


@pages.post("/entries/<topic>/edit")
def save(topic: str) -> Answer:
    """Keep a draft."""
    return _keep(_start(topic), fresh=False)


@pages.get("/new")
def new() -> str:
    """The form of an entry that is not there yet."""
    entry = _blank()
    fields = forms.shown(entry)
    given = {name: request.args.get(name, "")[:1000] for name in ("title", "short", "steps", "note")}
    fields.title, fields.short, fields.note = given["title"][:MAX_TITLE], given["short"], given["note"]
    fields.cases = [forms.CaseFields("一般情况", given["steps"])]
    fields.phrasings["short"] = "\n".join(text[:200] for text in request.args.getlist("q")[:20])
    return _form(entry, fields, fresh=True)


@pages.post("/new")
def create() -> Answer:
    """Keep the draft of a new entry."""
    return _keep(_blank(), fresh=True)


def _blank() -> Entry:
    topic, today = editing().new_topic(actor()), day_of(system().clock())
    nothing = (Case(when="一般情况", steps=("-",)),)
    return Entry(
        id=topic, region=actor().region, title="", short="", cases=nothing, sources=(topic,), since=today,
        phrasings=Phrasings(),
    )  # fmt: skip


def _keep(known: Entry, *, fresh: bool) -> Answer:
    fields = forms.typed(request.form)
    filled = forms.read(fields, known)
    if filled is not None:
        try:
            one = editing().draft(
                actor(), filled.entry, note=filled.note, effective_from=filled.effective_from,
                effective_until=filled.effective_until, instead_of=numbers.posted("from"),
            )  # fmt: skip
        except InvalidError as error:
            fields.errors |= {name: str(said) for name, said in error.fields.items()}
        else:
            flash("草稿已保存，请别人审核")
            return redirect(url_for("release.look", revision=one.id), 303)
    return _form(known, fields, fresh=fresh), 422


@pages.post("/entries/<topic>/withdraw")
def withdraw(topic: str) -> Answer:
    """Take an entry out of the answers; which others lead to it is said on its page."""
    try:
        number = editing().withdraw(actor(), topic)
    except DataError as error:
        return _entry(actor().region, topic, [said(one) for one in error.problems]), 422
    flash(f"已撤下，现在是第 {number} 版；需要时可以在“历史”里回到以前的版本")
    return redirect(url_for(".page", region=actor().region, topic=topic), 303)

"""Facts of a project for open data, and its releases. Only what `core/data/ocds/moments.yaml` names goes out; no people."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from core.domain.documents import Document, Entry
from core.domain.errors import NotFoundError
from core.domain.ocds import Fact, Org, Paper, Story
from core.domain.ocds_moments import Moment, moments_in
from core.domain.publishing import shown
from core.service import situations
from core.service.ports import Transaction
from core.service.system import System

Json = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """Everything under one topmost document: its facts in the order of time, and a release for each."""

    number: str
    title: str
    region: str
    ocid: str
    facts: tuple[Fact, ...]
    releases: tuple[Json, ...]


@dataclass(frozen=True)
class Rules:
    """What is told, under which made-up or registered prefix. `site` is the portal's own address."""

    prefix: str
    moments: tuple[Moment, ...]
    site: str = ""


def project(system: System, rules: Rules, number: str, *, public: bool = False) -> Project:
    """The project that a document belongs to; `public`: only what the portal tells already.

    NotFoundError: no such document, or nothing of it is public.
    """
    with system.database.read() as tx:
        known = (
            tx.documents.by_number(number.strip().upper(), None)
            if public
            else situations.find(tx, None, number)
        )
        found = _told(system, tx, rules, situations.topmost(tx, known), public=public) if known else None
    if found is None or (public and not found.facts):  # whether there is such a document is not public either
        raise NotFoundError("没有这个项目，或者它还没有公开的内容")
    return found


def projects(system: System, rules: Rules, region: str, *, public: bool = False) -> list[Project]:
    """Projects of a region of which there is anything to tell, oldest first."""
    kinds = sorted({moment.kind for moment in rules.moments})
    with system.database.read() as tx:
        tops = tx.reports.topmost(region, kinds)
        found = [_told(system, tx, rules, top, public=public) for top in tops]
    return [one for one in found if one.facts]


def _told(system: System, tx: Transaction, rules: Rules, top: Document, *, public: bool) -> Project:
    facts = _facts(system, tx, rules, top)
    if public:
        facts = _public(facts)
    ocid = f"{rules.prefix}-{top.number}"
    story = Story(ocid, _item_namer(system), lambda code: _org(tx, top.region, code))
    releases = tuple(story.release(fact) for fact in facts)
    title = facts[0].title if public and facts else top.title
    return Project(top.number, title, top.region, ocid, tuple(facts), releases)


def _facts(system: System, tx: Transaction, rules: Rules, top: Document) -> list[Fact]:
    tree = [top, *tx.documents.descendants(top.id)]
    by_id = {document.id: document for document in tree}
    found = [fact for document in tree for fact in _of(system, tx, rules, document, by_id)]
    return sorted(found, key=lambda fact: (fact.at, len(fact.above), fact.seq))


def _of(
    system: System, tx: Transaction, rules: Rules, document: Document, by_id: dict[int, Document]
) -> Iterator[Fact]:
    moments = [moment for moment in rules.moments if moment.of(document.kind, document.variant)]
    if not moments:
        return
    process = system.processes.version(document.process_version, tx)
    kept = sorted(tx.documents.forms(document.id), key=lambda version: version.at)
    papers = [
        Paper(
            one.address,
            f"{one.kind_label}：{one.title}",
            one.at,
            f"{rules.site}/portal/notices/{one.address}",
        )
        for one in tx.publications.of(document.id)
    ]
    method = next((field for field in process.form.fields if field.id == "method"), None)
    for entry, moment in moments_in(tx.documents.history(document.id), moments):
        then = next((version for version in kept if version.at > entry.at), document)
        yield Fact(
            moment=moment, number=document.number, kind_label=process.variant_label,
            title=str(then.form.get(process.form.title) or document.title),
            node_label=process.node(entry.target).label, at=entry.at, seq=entry.seq, form=then.form,
            amount_fen=then.amount_fen, above=tuple(_above(document, by_id)),
            buyer=_unit(tx, document.unit_id) or Org("", ""), agency=_unit(tx, document.agency_id),
            supplier=_supplier(tx, document, then.form.get("supplier")),
            method=shown(method, then.form.get("method"), lambda _type, code: code) if method else "",
            papers=tuple(_papers_at(papers, entry)),
        )  # fmt: skip


def _papers_at(papers: Collection[Paper], entry: Entry) -> list[Paper]:
    """What the act itself published."""
    return [paper for paper in papers if paper.at == entry.at]


def _above(document: Document, by_id: dict[int, Document]) -> Iterator[str]:
    above = by_id.get(document.parent_id or 0)
    while above is not None:
        yield above.number
        above = by_id.get(above.parent_id or 0)


def _public(facts: list[Fact]) -> list[Fact]:
    """What was published itself, and what may be told once something of the project was."""
    published: set[str] = set()
    kept = []
    for fact in facts:
        if fact.papers:
            published.add(fact.number)
        own = fact.moment.public == "own" and fact.number in published
        if own or (fact.moment.public == "project" and published):
            kept.append(fact)
    return kept


def _unit(tx: Transaction, unit_id: int | None) -> Org | None:
    if unit_id is None:
        return None
    unit = tx.accounts.unit(unit_id)
    return Org(f"{unit.division}-{unit.code}", unit.name)


def _supplier(tx: Transaction, document: Document, code: Any) -> Org | None:
    return _org(tx, document.region, str(code)) if code else _unit(tx, document.supplier_id)


def _org(tx: Transaction, region: str, code: str) -> Org:
    """A unit of the region by its code, else a firm that is known by what was written."""
    found = tx.accounts.units_by_code(region, code)
    return Org(f"{found[0].division}-{found[0].code}", found[0].name) if found else Org("", code)


def _item_namer(system: System) -> Callable[[str], str]:
    def name(code: str) -> str:
        item = system.catalogue.by_code.get(code)
        return item.name if item else code

    return name

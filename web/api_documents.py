"""/api/v1: documents, acts, ways to a goal, repairs, seals."""

from itertools import takewhile

from flask import Response

from core.domain.planner import NoWay
from core.service import acts, documents, dossier, entering, flow, ledger, lists, planning, repairs, sealing
from core.service.page_ports import Query
from core.service.views import ActResult, DocumentSummary
from web import api_schemas as s
from web import downloads
from web.api import asked, body, idempotency_key, route
from web.parts import system
from web.schemas import IndicatorOut
from web.security import actor, limiter


def _summary(item: DocumentSummary) -> s.Summary:
    return s.Summary.model_validate(item)


def _act(result: ActResult) -> s.ActOut:
    return s.ActOut(
        document=_summary(result.document), label=result.label, said=result.said, repeated=result.repeated
    )


@route("GET", "/documents", query=s.ListQuery, gives=s.Summaries)
def list_documents() -> s.Summaries:
    """All this account may see, newest first."""
    q = asked()
    query = Query(
        folder=q.folder, kind=q.kind or "", node=q.node or "", words=q.q.strip(), since=q.since, until=q.until,
        least_fen=q.least_fen, most_fen=q.most_fen, overdue=q.overdue, unread=q.unread,
    )  # fmt: skip
    found = lists.find(system(), actor(), query, limit=q.limit, before=q.before)
    return s.Summaries(
        items=[_summary(item) for item in found], next=found[-1].id if len(found) == q.limit else None
    )


@route("POST", "/documents", takes=s.CreateIn, gives=s.DocumentOut, status=201)
def create_document() -> tuple[s.DocumentOut, int]:
    """Enter a document; its mistakes are in `form_errors` and keep it from being sent on."""
    given = body()
    made = entering.create(
        system(), actor(), given.kind, given.variant, given.form, key=idempotency_key(), parent=given.parent
    )
    return _document(made.number), 201


@route("GET", "/documents/<number>", gives=s.DocumentOut)
def get_document(number: str) -> s.DocumentOut:
    """One document; another unit's is not found."""
    return _document(number)


def _document(number: str) -> s.DocumentOut:
    view = documents.get(system(), actor(), number)
    tree = dossier.dossier(system(), actor(), number).tree
    paying = ledger.account(system(), actor(), number)
    above = [_summary(one.summary) for one in takewhile(lambda one: not one.here, tree)]
    return s.DocumentOut(
        summary=_summary(view.summary),
        form=dict(view.document.form),
        form_errors=view.form_errors,
        doubts=view.doubts,
        history=[s.EntryOut.model_validate(entry) for entry in view.history],
        offers=[s.OfferOut.model_validate(offer) for offer in view.offers],
        above=above,
        linked=[_summary(item) for item in view.linked],
        account=IndicatorOut.model_validate(paying) if paying else None,
        holds=[s.HoldOut.model_validate(hold) for hold in view.holds],
        signed_with=view.certificate.seal if view.certificate else None,
        flags=sorted(view.document.flags),
    )


@route("PUT", "/documents/<number>", takes=s.SaveIn, gives=s.DocumentOut)
def save_document(number: str) -> s.DocumentOut:
    """Change the form where the process lets this account edit."""
    entering.save(system(), actor(), number, body().form, version=body().version, key=idempotency_key())
    return _document(number)


@route("GET", "/documents/<number>/flow", gives=s.FlowOut)
def get_flow(number: str) -> s.FlowOut:
    """The drawn flow as data."""
    return s.FlowOut.model_validate(flow.flow(system(), actor(), number))


@route("GET", "/documents/<number>/offers", gives=s.Offers)
def get_offers(number: str) -> s.Offers:
    """Acts this account may take now."""
    view = documents.get(system(), actor(), number)
    items = [s.OfferOut.model_validate(offer) for offer in view.offers]
    return s.Offers(number=number, version=view.document.version, items=items)


@route("POST", "/documents/<number>/acts", takes=s.ActIn, gives=s.ActOut)
def perform_act(number: str) -> s.ActOut:
    """Take an act. Repeating an `Idempotency-Key` does nothing twice."""
    given = body()
    return _act(
        acts.perform(
            system(), actor(), number, given.action, version=given.version, arguments=given.arguments,
            key=idempotency_key(),
        )
    )  # fmt: skip


@route("GET", "/documents/<number>/plans-to/<goal>", gives=s.WayOut)
def get_way(number: str, goal: str) -> s.WayOut:
    """The shortest lawful way to a goal, or why there is none."""
    way = planning.plan_to(system(), actor(), number, goal)
    if isinstance(way, NoWay):
        return s.WayOut(
            number=number, goal=goal, possible=False, reasons=list(way.reasons), instead=way.instead
        )
    steps = [s.StepOut.model_validate(step) for step in way.steps]
    return s.WayOut(number=number, goal=goal, possible=True, steps=steps, fingerprint=way.fingerprint)


@route("POST", "/documents/<number>/repairs", takes=s.RepairIn, gives=s.RepairOut, status=201)
def start_repair(number: str) -> tuple[s.RepairOut, int]:
    """Begin a way; steps of others become their tasks."""
    given = body()
    repair = repairs.start(system(), actor(), number, given.goal, given.fingerprint, key=idempotency_key())
    return s.RepairOut.model_validate(repair), 201


@route("GET", "/repairs/<int:repair>", gives=s.RepairOut)
def get_repair(repair: int) -> s.RepairOut:
    """How far a repair has come."""
    return s.RepairOut.model_validate(repairs.get(system(), actor(), repair))


@route("POST", "/repairs/<int:repair>/advance", takes=s.AdvanceIn, gives=s.RepairOut)
def advance_repair(repair: int) -> s.RepairOut:
    """Take the step that waits for this account."""
    given = body()
    _, after = repairs.advance(
        system(), actor(), repair, given.arguments, version=given.version, key=idempotency_key()
    )
    return s.RepairOut.model_validate(after)


@route("GET", "/todo", gives=s.Todo)
def get_todo() -> s.Todo:
    """Documents whose turn it is with this account, and steps colleagues ask for."""
    return s.Todo(
        documents=[_summary(item) for item in documents.todo(system(), actor())],
        tasks=[s.TaskOut.model_validate(task) for task in repairs.mine(system(), actor())],
    )


@route("GET", "/seals", gives=s.Seals)
def list_seals() -> s.Seals:
    """Seals in the key of this account's unit."""
    return s.Seals(items=[s.SealOut.model_validate(seal) for seal in sealing.seals(system(), actor())])


@route("POST", "/documents/<number>/signature", takes=s.SignIn, gives=s.ActOut)
@limiter.limit("6 per minute")
def sign_certificate(number: str) -> s.ActOut:
    """Sign the filing certificate."""
    given = body()
    return _act(
        sealing.sign(
            system(),
            actor(),
            number,
            version=given.version,
            seal=given.seal,
            pin=given.pin,
            key=idempotency_key(),
            action=given.action,
        )
    )


@route("GET", "/documents/<number>/certificate", gives=None, media=downloads.PDF)
def get_certificate(number: str) -> Response:
    """The certificate as PDF."""
    name, content = sealing.certificate(system(), actor(), number)
    return downloads.file(content, name, downloads.PDF)

"""What was published, for everyone: no session, nothing that is not public."""

from dataclasses import replace

from flask import Blueprint, Response, jsonify, render_template, request

from core.adapters import ocds_packages
from core.domain.errors import NotFoundError
from core.service import ocds, publications
from core.service.ocds import Project
from core.service.publication_ports import Publication
from web.parts import system
from web.security import actor, limiter

pages = Blueprint("portal", __name__, url_prefix="/portal")

_PAGE = 20
_STAGES = {
    "planning": "意向",
    "tender": "采购",
    "award": "成交",
    "contract": "合同",
    "implementation": "履约",
}
_PACKAGES = {"releases": ocds_packages.release_package, "records": ocds_packages.record_package}


@pages.get("/<region>")
@limiter.limit("120 per minute")
def listing(region: str) -> str:
    """A region's notices, newest first."""
    label = system().processes.region_label(region)
    if not system().processes.kinds(region):
        raise NotFoundError("没有这个地区")
    words, before = request.args.get("q", "").strip()[:100], request.args.get("before", "")[:60] or None
    found = publications.latest(system(), region, words=words, limit=_PAGE + 1, before=before)
    return render_template(
        "portal.html", notices=found[:_PAGE], more=len(found) > _PAGE, region=region, label=label, words=words
    )


@pages.get("/notices/<address>")
@limiter.limit("120 per minute")
def notice(address: str) -> str:
    """One notice as it was published."""
    found = publications.read(system(), address)
    try:
        course = _project(found.number)
    except NotFoundError:  # this kind of notice belongs to no project
        course = None
    label = system().processes.region_label(found.region)
    return render_template("notice.html", notice=found, label=label, project=course)


@pages.get("/projects/<number>")
@limiter.limit("120 per minute")
def project(number: str) -> str:
    """The public course of the project that a document belongs to, drawn as a timeline."""
    found = _project(number)
    told = {
        stage
        for fact in found.facts
        for stage in _STAGES
        if fact.moment.tag.startswith(stage) or (fact.moment.document, stage) == ("awardNotice", "award")
    }
    label = system().processes.region_label(found.region)
    return render_template("project.html", project=found, label=label, stages=_STAGES, told=told)


@pages.get("/projects/<number>/<any(releases, records):what>.json")
@limiter.limit("60 per minute")
def open_data(number: str, what: str) -> Response:
    """The same as an OCDS package."""
    return jsonify(_PACKAGES[what]([_project(number)], system().clock(), request.base_url))


def _project(number: str) -> Project:
    rules = replace(ocds_packages.read_rules(), site=request.host_url.rstrip("/"))
    return ocds.project(system(), rules, number, public=True)


def published(number: str) -> list[Publication]:
    """For templates: notices of a document that this account looks at."""
    return publications.of(system(), actor(), number)

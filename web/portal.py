"""What was published, for everyone: no session, nothing that is not public."""

from flask import Blueprint, render_template, request

from core.domain.errors import NotFoundError
from core.service import publications
from core.service.publication_ports import Publication
from web.parts import system
from web.security import actor, limiter

pages = Blueprint("portal", __name__, url_prefix="/portal")

_PAGE = 20


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
    return render_template("notice.html", notice=found, label=system().processes.region_label(found.region))


def published(number: str) -> list[Publication]:
    """For templates: notices of a document that this account looks at."""
    return publications.of(system(), actor(), number)

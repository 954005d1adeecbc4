"""/api/v1/feed: what was published, for programs that follow it; no session."""

from datetime import datetime

from flask import url_for
from pydantic import BaseModel, Field

from core.service import publications
from core.service.publication_ports import Publication
from web.api import asked, route
from web.parts import system
from web.schemas import Shown, Taken
from web.security import limiter

_MOST = 200


class FeedQuery(Taken):
    """`after`: `next` of the page before, 0 to begin with."""

    after: int = Field(0, ge=0, le=2**53)
    limit: int = Field(100, ge=1, le=_MOST)
    region: str = Field("", max_length=20, pattern="^[a-z]*$")


class FeedTable(Shown):
    """A table of a notice."""

    label: str
    header: list[str]
    rows: list[list[str]]


class FeedItem(Shown):
    """A notice as it was published; it never changes. `seq` is its place, `url` its page."""

    seq: int
    address: str
    url: str
    region: str
    number: str
    kind_label: str
    title: str
    unit_name: str
    at: datetime
    lines: list[tuple[str, str]]
    tables: list[FeedTable]


class Feed(BaseModel):
    """Ask again with `after` = `next`: at once where there is `more`, else after a while."""

    items: list[FeedItem]
    next: int
    more: bool


@route("GET", "/feed", query=FeedQuery, gives=Feed, public=True)
@limiter.limit("120 per minute")
def get_feed() -> Feed:
    """Published notices in an order that never changes: whoever asks on from `next` misses none and gets none twice."""
    given = asked()
    found = publications.feed(system(), given.after, region=given.region, limit=given.limit + 1)
    items = [_item(one) for one in found[: given.limit]]
    return Feed(items=items, next=items[-1].seq if items else given.after, more=len(found) > given.limit)


def _item(one: Publication) -> FeedItem:
    shown = {name: value for name, value in vars(one).items() if name != "content"}
    url = url_for("portal.notice", address=one.address, _external=True)
    tables = [FeedTable.model_validate(table) for table in one.content.tables]
    return FeedItem(**shown, url=url, lines=list(one.content.lines), tables=tables)

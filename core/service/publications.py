"""Publishing to the portal: a snapshot made in the act itself, with an address; read by anyone, changed by nobody."""

from collections.abc import Sequence
from datetime import datetime

from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.errors import NotFoundError
from core.domain.forms import FieldType
from core.domain.process import Process
from core.domain.publishing import content
from core.service import situations
from core.service.ports import Transaction
from core.service.publication_ports import Publication
from core.service.system import System

TOPIC = "portal.publish"


def publish(
    system: System, tx: Transaction, document: Document, process: Process, at: datetime
) -> Publication:
    """Keep what the document says today. Published again, it gets another address; the earlier one stays as it was."""

    def named(kind: FieldType, code: str) -> str:
        if kind is FieldType.CATALOGUE:
            item = system.catalogue.by_code.get(code)
            return item.name if item else code
        units = tx.accounts.units_by_code(document.region, code)
        return units[0].name if units else code

    said = content(process.form.fields, document.form, system.public.get(document.kind, ()), named)
    made = Publication(
        address=f"{document.number}-{document.version}", region=document.region, number=document.number,
        kind_label=process.variant_label, title=document.title,
        unit_name=tx.accounts.unit(document.unit_id).name, content=said, at=at,
    )  # fmt: skip
    tx.publications.add(document.id, made)
    return made


def read(system: System, address: str) -> Publication:
    """One notice, for anyone; NotFoundError for an address that is none."""
    with system.database.read() as tx:
        found = tx.publications.by_address(address.strip().upper()[:60])
    if found is None:
        raise NotFoundError("没有这条公告，请核对网址")
    return found


def latest(
    system: System, region: str, *, words: str = "", limit: int = 20, before: str | None = None
) -> Sequence[Publication]:
    """A region's notices, newest first; `before` is the address to page on from."""
    with system.database.read() as tx:
        return tx.publications.latest(region, words=words.strip(), limit=min(limit, 100), before=before)


def feed(system: System, after: int, *, region: str = "", limit: int = 100) -> Sequence[Publication]:
    """What was published behind place `after` (0: from the beginning), in an order that never changes.

    Polling with the last `seq` seen misses nothing and sees nothing twice, however late an act was committed.
    NotFoundError for a region that there is not.
    """
    if region and not system.processes.kinds(region):
        raise NotFoundError("没有这个地区")
    with system.database.read() as tx:
        return tx.publications.since(after, region=region, limit=limit)


def of(system: System, viewer: Account, number: str) -> list[Publication]:
    """What was published of a document that the viewer may see, oldest first."""
    with system.database.read() as tx:
        return tx.publications.of(situations.find(tx, viewer, number).id)

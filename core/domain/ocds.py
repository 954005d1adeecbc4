"""Releases of the Open Contracting Data Standard 1.1.5 for one project, from facts that each happened once.

A project is everything under one topmost document. Amounts come in as fen and go out as yuan; times as UTC, out as +08:00.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.domain import forms
from core.domain.calendar import HERE
from core.domain.ocds_moments import Moment

Json = dict[str, Any]
ITEM_SCHEME = "CN-GPC"  # the government procurement catalogue of goods, works and services
UNIT_SCHEME = "CN-CAIGOU"  # codes of units in this platform


@dataclass(frozen=True)
class Org:
    """A unit, or a firm known by its name only (`code` empty)."""

    code: str
    name: str

    @property
    def id(self) -> str:
        """Its id among the parties."""
        return f"{UNIT_SCHEME}-{self.code}" if self.code else self.name


@dataclass(frozen=True)
class Paper:
    """A notice in the portal."""

    id: str
    title: str
    at: datetime
    url: str


@dataclass(frozen=True)
class Fact:
    """What a document said at a moment: its form and amount as they were then. `above`: numbers from its parent up."""

    moment: Moment
    number: str
    title: str
    kind_label: str
    node_label: str
    at: datetime
    seq: int
    form: Mapping[str, Any]
    amount_fen: int
    above: tuple[str, ...]
    buyer: Org
    agency: Org | None = None
    supplier: Org | None = None
    method: str = ""
    papers: tuple[Paper, ...] = ()


@dataclass
class Story:
    """Turns a project's facts, in the order of time, into releases."""

    ocid: str
    item_name: Callable[[str], str]
    unit: Callable[[str], Org]
    _parties: dict[str, Json] = field(default_factory=dict)
    _awards: dict[str, str] = field(default_factory=dict)  # supplier's id → its latest award
    _contracts: dict[str, tuple[str, int]] = field(default_factory=dict)  # number → award, value in fen

    def release(self, fact: Fact) -> Json:
        """One release. Sections hold only what this fact says; merging adds them up."""
        self._parties = {}
        sections: Json = _SECTIONS[fact.moment.section](self, fact)
        buyer = self._party(fact.buyer, "buyer", *([] if fact.agency else ["procuringEntity"]))
        if fact.agency:
            self._party(fact.agency, "procuringEntity")
        return {
            "ocid": self.ocid,
            "id": f"{fact.number}-{fact.seq}-{fact.moment.section}",
            "date": when(fact.at),
            "tag": [fact.moment.tag],
            "initiationType": "tender",
            "language": "zh",
            "parties": list(self._parties.values()),
            "buyer": buyer,
            **sections,
        }

    def _party(self, org: Org, *roles: str) -> Json:
        """A reference to it; it stands among the parties once, with all its roles."""
        made = self._parties.setdefault(org.id, {"id": org.id, "name": org.name, "roles": []})
        if org.code:
            made["identifier"] = {"scheme": UNIT_SCHEME, "id": org.code, "legalName": org.name}
        made["roles"] += [role for role in roles if role not in made["roles"]]
        return {"id": org.id, "name": org.name}

    def _items(self, fact: Fact) -> list[Json]:
        return [
            self._item(f"{fact.number}-{index}", row)
            for index, row in enumerate(forms.rows(fact.form, "lines"), 1)
        ]

    def _item(self, item_id: str, row: Mapping[str, Any]) -> Json:
        code = str(row.get("catalogue") or "")
        unit = {"name": row.get("unit"), "value": _value(row.get("unit_price_fen"))}
        return _filled({
            "id": item_id,
            "description": row.get("name"),
            "classification": {"scheme": ITEM_SCHEME, "id": code, "description": self.item_name(code)} if code else None,
            "quantity": row.get("quantity"),
            "unit": _filled(unit),
        })  # fmt: skip

    def _documents(self, fact: Fact) -> list[Json]:
        return [
            _filled({
                "id": paper.id, "documentType": fact.moment.document, "title": paper.title, "url": paper.url,
                "datePublished": when(paper.at), "format": "text/html", "language": "zh",
            })
            for paper in fact.papers
            if fact.moment.document
        ]  # fmt: skip

    def planning(self, fact: Fact) -> Json:
        budget = {"id": fact.number, "description": fact.title, "amount": _value(fact.amount_fen)}
        rationale = fact.form.get("overview")
        return {"planning": _filled({
            "rationale": rationale, "budget": _filled(budget), "documents": self._documents(fact),
        })}  # fmt: skip

    def tender(self, fact: Fact) -> Json:
        return {"tender": _filled({
            "id": self.ocid, "title": fact.title, "status": fact.moment.status, "value": _value(fact.amount_fen),
            "procurementMethodDetails": fact.method, "items": self._items(fact),
            "documents": self._documents(fact),
        })}  # fmt: skip

    def notice(self, fact: Fact) -> Json:
        said = {"id": self.ocid, "status": fact.moment.status, "documents": self._documents(fact)}
        return {"tender": _filled(said)}

    def lot(self, fact: Fact) -> Json:
        lot = _lot(
            str(fact.form.get("lot_no") or fact.number), fact.title, fact.amount_fen, fact.moment.status
        )
        return {"tender": {"id": self.ocid, "lots": [lot]}}

    def lots(self, fact: Fact) -> Json:
        lots = [
            _lot(
                f"{fact.number}-{row.get('lot')}", row.get("name"), row.get("amount_fen"), fact.moment.status
            )
            for row in forms.rows(fact.form, "lots")
        ]
        return {"tender": {"id": self.ocid, "status": fact.moment.status, "lots": lots}}

    def award(self, fact: Fact) -> Json:
        return {"awards": [self._one_award(fact, fact.number, fact.supplier, fact.amount_fen)]}

    def _one_award(self, fact: Fact, award: str, supplier: Org | None, amount_fen: int) -> Json:
        if supplier:
            self._awards[supplier.id] = award
        return _filled({
            "id": award, "title": fact.title, "status": fact.moment.status, "date": when(fact.at),
            "value": _value(amount_fen), "suppliers": [self._party(supplier, "supplier")] if supplier else None,
            "items": self._items(fact),
        })  # fmt: skip

    def award_rows(self, fact: Fact) -> Json:
        made = []
        for row in forms.rows(fact.form, "awards"):
            lot, supplier = f"{fact.number}-{row.get('lot')}", self.unit(str(row.get("supplier") or ""))
            award = self._one_award(fact, f"{lot}-award", supplier, row.get("amount_fen_agreed") or 0)
            made.append({**award, "relatedLots": [lot]})
        return {"awards": made}

    def contract(self, fact: Fact) -> Json:
        supplier = fact.supplier
        known = set(self._awards.values())
        award = next((number for number in fact.above if number in known), None)
        award = award or (self._awards.get(supplier.id) if supplier else None)
        said: Json = {}
        if fact.number in self._contracts:
            award = self._contracts[fact.number][0]
        elif award is None:  # nothing told of the award before: the contract does
            award = f"{fact.number}-award"
            said["awards"] = [self._one_award(fact, award, supplier, fact.amount_fen) | {"status": "active"}]
        elif supplier:
            self._party(supplier, "supplier")
        self._contracts[fact.number] = (award, fact.amount_fen)
        period = {"startDate": _day(fact.form.get("starts_on")), "endDate": _day(fact.form.get("ends_on"))}
        contract = {
            "id": fact.number, "awardID": award, "title": fact.title, "status": fact.moment.status,
            "value": _value(fact.amount_fen), "items": self._items(fact), "period": _filled(period),
            "dateSigned": _day(fact.form.get("signed_on")), "documents": self._documents(fact),
            "amendments": self._amended(fact, "合同变更") if fact.moment.by else None,
        }  # fmt: skip
        return said | {"contracts": [_filled(contract)]}

    def _amended(self, fact: Fact, what: str) -> list[Json]:
        return [{"id": f"{fact.number}-{fact.seq}", "date": when(fact.at), "description": what}]

    def supplement(self, fact: Fact) -> Json:
        """A supplement raises the value of the contract it belongs to."""
        contract, (award, value) = self._paid_from(fact)
        self._contracts[contract] = (award, value + fact.amount_fen)
        return {"contracts": [{
            "id": contract, "awardID": award, "value": _value(value + fact.amount_fen),
            "amendments": self._amended(fact, fact.kind_label),
        }]}  # fmt: skip

    def _paid_from(self, fact: Fact) -> tuple[str, tuple[str, int]]:
        contract = next((number for number in fact.above if number in self._contracts), fact.above[0])
        return contract, self._contracts.get(contract, (f"{contract}-award", 0))

    def _implementation(self, fact: Fact, said: Json) -> Json:
        contract, (award, _) = self._paid_from(fact)
        return {"contracts": [{"id": contract, "awardID": award, "implementation": said}]}

    def transaction(self, fact: Fact) -> Json:
        return self._money(fact, int(fact.form.get("paid_fen") or fact.amount_fen))

    def back(self, fact: Fact) -> Json:
        """A write-off is a payment the other way."""
        return self._money(fact, -fact.amount_fen)

    def _money(self, fact: Fact, amount_fen: int) -> Json:
        transaction = {
            "id": fact.number, "date": when(fact.at), "value": _value(amount_fen),
            "payer": self._party(fact.buyer, "payer"),
            "payee": self._party(fact.supplier, "payee") if fact.supplier else None,
        }  # fmt: skip
        return self._implementation(fact, {"transactions": [_filled(transaction)]})

    def milestone(self, fact: Fact) -> Json:
        met = fact.form.get("passed") == "yes"
        milestone = {
            "id": fact.number, "title": fact.kind_label, "type": "delivery", "status": "met" if met else "notMet",
            "dateMet": _day(fact.form.get("accepted_on")) if met else None, "dateModified": when(fact.at),
        }  # fmt: skip
        return self._implementation(fact, {"milestones": [_filled(milestone)]})


_SECTIONS: dict[str, Callable[[Story, Fact], Json]] = {
    "planning": Story.planning,
    "tender": Story.tender,
    "notice": Story.notice,
    "lot": Story.lot,
    "lots": Story.lots,
    "award": Story.award,
    "awards": Story.award_rows,
    "contract": Story.contract,
    "supplement": Story.supplement,
    "transaction": Story.transaction,
    "back": Story.back,
    "milestone": Story.milestone,
}
SECTIONS = frozenset(_SECTIONS)


def when(at: datetime) -> str:
    """`2026-11-20T09:30:00+08:00`."""
    return at.astimezone(HERE).isoformat(timespec="seconds")


def _day(day: Any) -> str | None:
    return f"{day}T00:00:00+08:00" if day else None


def _value(fen: Any) -> Json | None:
    if not isinstance(fen, int):
        return None
    return {"amount": fen // 100 if fen % 100 == 0 else fen / 100, "currency": "CNY"}


def _lot(lot: str, title: Any, amount_fen: Any, status: str) -> Json:
    return _filled({"id": lot, "title": title, "status": status, "value": _value(amount_fen)})


def _filled(said: Json) -> Json:
    """Without what is not known: the standard wants no empty fields."""
    return {key: value for key, value in said.items() if value not in (None, "", [], {})}

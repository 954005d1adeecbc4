"""The plan page's fields to the plan form of the core, and back. Rules are the core's; here is only reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from core.domain.errors import InvalidError
from core.domain.money import parse_yuan

LINE = ("catalogue", "name", "quantity", "unit", "price", "requirement")
MAX_ROWS = 500
MAX_DIGITS = 9
IMPLEMENTATIONS = ("网上竞价", "电商直购")


@dataclass
class PlanInput:
    """What stands in the page: texts as typed, so that nothing typed is lost when something is wrong."""

    name: str = ""
    need_by: str = ""
    agency: str = ""
    implementation: str = ""
    lines: list[dict[str, str]] = field(default_factory=list)
    funding: list[dict[str, str]] = field(default_factory=list)

    @property
    def total_fen(self) -> int:
        """Total of the lines that can be computed already."""
        total = 0
        for line in self.lines:
            try:
                total += parse_yuan(line["price"]) * int(line["quantity"])
            except (InvalidError, ValueError):
                continue
        return total


def from_page(form: MultiDict[str, str]) -> PlanInput:
    """Posted fields; rows left wholly empty are no rows."""
    columns = {key: form.getlist(f"line_{key}")[:MAX_ROWS] for key in LINE}
    count = max((len(values) for values in columns.values()), default=0)
    lines = [
        {key: (values[i].strip() if i < len(values) else "") for key, values in columns.items()}
        for i in range(count)
    ]
    indicators, amounts = (
        form.getlist("funding_indicator")[:MAX_ROWS],
        form.getlist("funding_amount")[:MAX_ROWS],
    )
    funding = [
        {"indicator": i.strip(), "amount": a.strip()} for i, a in zip(indicators, amounts, strict=False)
    ]
    return PlanInput(
        name=form.get("name", "").strip(),
        need_by=form.get("need_by", "").strip(),
        agency=form.get("agency", "").strip(),
        implementation=form.get("implementation", "").strip(),
        lines=[line for line in lines if any(line.values())],
        funding=[row for row in funding if any(row.values())],
    )


def to_core(page: PlanInput) -> dict[str, Any]:
    """Plan form of the core; InvalidError names the fields that cannot be read."""
    wrong: dict[str, str] = {}
    lines = []
    for i, row in enumerate(page.lines):
        lines.append(
            {
                "catalogue": row["catalogue"].split(" ")[0],
                "name": row["name"],
                "quantity": _whole(row["quantity"], f"lines.{i}.quantity", wrong),
                "unit": row["unit"],
                "unit_price_fen": _fen(row["price"], f"lines.{i}.unit_price_fen", wrong),
                "requirement": row["requirement"],
            }
        )
    funding = []
    for i, row in enumerate(page.funding):
        indicator = _whole(row["indicator"], f"funding.{i}.indicator", wrong, "请选择指标")
        funding.append(
            {"indicator": indicator, "amount_fen": _fen(row["amount"], f"funding.{i}.amount_fen", wrong)}
        )
    if wrong:
        raise InvalidError("有几处填写要改一下，已经在下面标出来了", fields=wrong)
    return {
        "name": page.name,
        "lines": lines,
        "funding": funding,
        "agency": page.agency or None,
        "implementation": page.implementation or None,
        "need_by": page.need_by,
    }


def _whole(text: str, key: str, wrong: dict[str, str], sentence: str = "请填大于 0 的整数") -> int | None:
    if not text:
        return None  # a draft may have gaps; the core names them
    if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS and int(text) > 0:
        return int(text)
    wrong[key] = sentence
    return None


def _fen(text: str, key: str, wrong: dict[str, str]) -> int | None:
    if not text:
        return None
    try:
        return parse_yuan(text)
    except InvalidError:
        wrong[key] = "请写成元，最多两位小数，例如 12800.50"
        return None


def from_core(form: Mapping[str, Any]) -> PlanInput:
    """A saved plan form as the page shows it."""
    return PlanInput(
        name=str(form.get("name") or ""),
        need_by=str(form.get("need_by") or ""),
        agency=str(form.get("agency") or ""),
        implementation=str(form.get("implementation") or ""),
        lines=[
            {
                "catalogue": _text(line, "catalogue"),
                "name": _text(line, "name"),
                "quantity": _text(line, "quantity"),
                "unit": _text(line, "unit"),
                "price": _plain_yuan(line.get("unit_price_fen")),
                "requirement": _text(line, "requirement"),
            }
            for line in form.get("lines") or []
        ],
        funding=[
            {"indicator": _text(row, "indicator"), "amount": _plain_yuan(row.get("amount_fen"))}
            for row in form.get("funding") or []
        ],
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def _plain_yuan(fen: int | None) -> str:
    if fen is None:
        return ""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02d}"

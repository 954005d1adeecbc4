"""Rules of the plan's form; every mistake is named at its field (nm-16: never an "internal error")."""

from collections.abc import Mapping
from typing import Any

from core.domain.catalogue import Catalogue

REQUIREMENT_LIMIT = 300  # characters; source nm-16
AMOUNT_LIMIT = 10**13  # fen; keeps sums far inside 64 bits
IMPLEMENTATIONS = ("网上竞价", "电商直购")  # source nm-23
TEXT_LIMIT = 100


def plan_total(form: Mapping[str, Any]) -> int:
    """Sum of the lines in fen; lines that make no sense count nothing."""
    return sum(line_total(line) for line in _list(form, "lines"))


def line_total(line: Mapping[str, Any]) -> int:
    """Quantity × unit price in fen."""
    quantity, price = line.get("quantity"), line.get("unit_price_fen")
    if not isinstance(quantity, int) or not isinstance(price, int):
        return 0
    total = quantity * price if _positive(quantity) and _positive(price) else 0
    return total if total <= AMOUNT_LIMIT else 0  # a draft with a slip of the hand must still fit its column


def funding(form: Mapping[str, Any]) -> dict[int, int]:
    """Indicator id → fen."""
    result: dict[int, int] = {}
    for row in _list(form, "funding"):
        if isinstance(row.get("indicator"), int) and _positive(row.get("amount_fen")):
            result[row["indicator"]] = result.get(row["indicator"], 0) + row["amount_fen"]
    return result


def plan_errors(
    form: Mapping[str, Any], variant: str, catalogue: Catalogue, indicators: set[int]
) -> dict[str, str]:
    """Field → sentence for every mistake; empty when the plan may be sent on. `indicators`: ids of the unit's own."""
    errors: dict[str, str] = {}
    name = form.get("name")
    if not name:
        errors["name"] = "请选择计划名称"
    elif not isinstance(name, str) or name not in catalogue.names:
        errors["name"] = "计划名称要从采购目录里选，不能手动填写"
    lines = _list(form, "lines")
    if not lines:
        errors["lines"] = "请至少填一行采购清单"
    for index, line in enumerate(lines):
        errors |= _line_errors(line, f"lines.{index}", index + 1, variant, catalogue)
    # The sum of wrong lines says nothing about the funding.
    errors |= _funding_errors(form, indicators, sums=not any(key.startswith("lines") for key in errors))
    if variant == "mall" and form.get("implementation") not in IMPLEMENTATIONS:
        errors["implementation"] = "请选实施形式：买本地协议供应商选“网上竞价”，买引进的电商选“电商直购”"
    if variant == "project" and not form.get("agency"):
        errors["agency"] = "请选择代理机构"
    return errors


def _line_errors(
    line: Mapping[str, Any], path: str, row: int, variant: str, catalogue: Catalogue
) -> dict[str, str]:
    errors: dict[str, str] = {}
    item = catalogue.by_code.get(str(line.get("catalogue") or ""))
    if item is None:
        errors[f"{path}.catalogue"] = f"第 {row} 行：请选择采购品目"
    elif item.departmental:
        errors[f"{path}.catalogue"] = f"第 {row} 行：“{item.name}”下面没有品目，不能选，请换成具体品目"
    elif not item.selectable:
        errors[f"{path}.catalogue"] = f"第 {row} 行：“{item.name}”不是最底层品目，请选到不能再展开为止"
    elif variant == "mall" and not item.mall:
        errors[f"{path}.catalogue"] = f"第 {row} 行：电子卖场没有“{item.name}”，只能走无过程采购计划"
    label = line.get("name")
    if not isinstance(label, str) or not label.strip() or len(label) > TEXT_LIMIT:
        errors[f"{path}.name"] = f"第 {row} 行：请填标的名称，不超过 {TEXT_LIMIT} 字"
    if not _positive(line.get("quantity")):
        errors[f"{path}.quantity"] = f"第 {row} 行：数量要填大于 0 的整数"
    if not _positive(line.get("unit_price_fen")) or (
        _positive(line.get("quantity")) and not line_total(line)
    ):
        errors[f"{path}.unit_price_fen"] = f"第 {row} 行：单价要大于 0，且金额不能过大"
    if len(str(line.get("requirement") or "")) > REQUIREMENT_LIMIT:
        length = len(str(line["requirement"]))
        errors[f"{path}.requirement"] = f"第 {row} 行：需求描述 {length} 字，不能超过 {REQUIREMENT_LIMIT} 字"
    return errors


def _funding_errors(form: Mapping[str, Any], indicators: set[int], *, sums: bool) -> dict[str, str]:
    rows = _list(form, "funding")
    if not rows:
        return {"funding": "请选择资金来源（指标）"}
    errors: dict[str, str] = {}
    for index, row in enumerate(rows):
        if not isinstance(row.get("indicator"), int) or row["indicator"] not in indicators:
            errors[f"funding.{index}.indicator"] = f"资金第 {index + 1} 行：请选择本单位的指标"
        if not _positive(row.get("amount_fen")):
            errors[f"funding.{index}.amount_fen"] = f"资金第 {index + 1} 行：金额要大于 0"
    total, given = plan_total(form), sum(funding(form).values())
    if sums and not errors and total != given:
        errors["funding"] = f"资金合计 {given / 100:,.2f} 元，与清单合计 {total / 100:,.2f} 元不一致"
    return errors


def _list(form: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = form.get(name)
    return [row if isinstance(row, Mapping) else {} for row in rows] if isinstance(rows, list) else []


def _positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= AMOUNT_LIMIT

from datetime import date

from core.domain.process_diff import Part, value_differences
from core.domain.values import Dated, Table, Values

LAW = "某省财政厅通知"


def values(**named: Table) -> dict[str, Values]:
    dated = {name: (Dated(value, date(2024, 1, 1), LAW),) for name, value in named.items()}
    return {"fujian": Values(dated)}


def test_a_threshold_that_changed_is_named_with_its_place_and_is_no_way_closed() -> None:
    old = values(days=30, line={"350100": {"works": 1, "other": 2}}, gone=5)
    new = values(days=30, line={"350100": {"works": 3, "other": 2}}, fresh=7)
    (found,) = value_differences(old, new)
    assert (found.region, found.impossible) == ("fujian", False)
    assert {change.part for change in found.changes} == {Part.VALUE}
    assert {change.id: (change.how.value, change.details) for change in found.changes} == {
        "line": ("changed", ("自 2024-01-01 350100.works：1 → 3",)),
        "gone": ("dropped", (f"自 2024-01-01 依据：{LAW} → 无", "自 2024-01-01：5 → 无")),
        "fresh": ("added", (f"自 2024-01-01 依据：无 → {LAW}", "自 2024-01-01：无 → 7")),
    }


def test_a_new_announcement_counts_from_its_day() -> None:
    announced = {
        "fujian": Values({"days": (Dated(30, date(2024, 1, 1), LAW), Dated(20, date(2026, 1, 1), LAW))})
    }
    (found,) = value_differences(values(days=30), announced)
    assert found.changes[0].details == (f"自 2026-01-01 依据：无 → {LAW}", "自 2026-01-01：无 → 20")


def test_the_same_values_and_a_side_without_any_have_no_difference() -> None:
    assert value_differences(values(days=30), values(days=30)) == []
    assert value_differences(values(days=30), {}) == []

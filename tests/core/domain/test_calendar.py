from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters import calendar_file
from core.domain.calendar import Calendar, day_of, end_of
from core.domain.errors import DataError

CALENDAR = calendar_file.load()
DAYS = st.dates(min_value=date(2024, 6, 1), max_value=date(2027, 6, 1))
_BEGIN = datetime(2024, 12, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 68_000_000).map(lambda seconds: _BEGIN + timedelta(seconds=seconds))
COUNTS = st.integers(min_value=1, max_value=40)


@given(DAYS, COUNTS)
def test_adding_lands_on_a_working_day_so_many_on(day: date, count: int) -> None:
    later, earlier = CALENDAR.add(day, count), CALENDAR.add(day, -count)
    assert CALENDAR.works(later)
    assert CALENDAR.works(earlier)
    assert CALENDAR.between(day, later) == count
    assert CALENDAR.between(earlier, day) == count - (not CALENDAR.works(day))


@given(DAYS, COUNTS, COUNTS)
def test_adding_twice_is_adding_the_sum(day: date, first: int, second: int) -> None:
    assert CALENDAR.add(CALENDAR.add(day, first), second) == CALENDAR.add(day, first + second)


@given(DAYS, DAYS, DAYS)
def test_spans_add_up_whatever_their_order(one: date, two: date, three: date) -> None:
    assert CALENDAR.between(one, two) + CALENDAR.between(two, three) == CALENDAR.between(one, three)
    assert abs(CALENDAR.between(one, two)) <= abs((two - one).days)


@given(MOMENTS, COUNTS)
def test_due_is_the_end_of_a_working_day(start: datetime, days: int) -> None:
    due = CALENDAR.due(start, days)
    last = due - timedelta(seconds=1)
    assert due == end_of(day_of(last))
    assert CALENDAR.works(day_of(last))
    assert CALENDAR.between(day_of(start), day_of(last)) == days
    left_today = end_of(day_of(start)) - start if CALENDAR.works(day_of(start)) else timedelta()
    assert CALENDAR.spent(start, due) == timedelta(days=days) + left_today


@given(MOMENTS, MOMENTS, MOMENTS)
def test_time_spent_adds_up_and_is_never_more_than_the_clock_says(
    one: datetime, two: datetime, three: datetime
) -> None:
    first, middle, last = sorted((one, two, three))
    assert CALENDAR.spent(first, middle) + CALENDAR.spent(middle, last) == CALENDAR.spent(first, last)
    assert timedelta() <= CALENDAR.spent(first, last) <= last - first


@pytest.mark.parametrize(
    ("day", "count", "later"),
    [
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # over the national day
        (date(2026, 10, 8), 2, date(2026, 10, 10)),  # a Saturday that is worked
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 14), 1, date(2026, 2, 24)),
        (date(2025, 1, 25), 1, date(2025, 1, 26)),
        (date(2026, 11, 20), 3, date(2026, 11, 25)),
        (date(2026, 11, 21), 0, date(2026, 11, 23)),
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 10, 8), -1, date(2026, 9, 30)),
    ],
)
def test_holidays_and_made_up_days(day: date, count: int, later: date) -> None:
    assert CALENDAR.add(day, count) == later


def test_a_year_without_announcement_has_weekends_only() -> None:
    assert not CALENDAR.announced(date(2026, 12, 30), date(2027, 1, 4))
    assert CALENDAR.announced(date(2025, 12, 30), date(2026, 1, 4))
    assert CALENDAR.works(date(2028, 10, 2))
    assert not CALENDAR.works(date(2028, 10, 1))
    assert Calendar().add(date(2026, 9, 30), 1) == date(2026, 10, 1)


def test_each_year_has_its_source_and_adds_up() -> None:
    working = {year: CALENDAR.between(date(year - 1, 12, 31), date(year, 12, 31)) for year in CALENDAR.years}
    assert working == {2025: 248, 2026: 248}
    for number, year in CALENDAR.years.items():
        assert year.since.year == number - 1
        assert "国务院办公厅" in year.source


def test_days_that_cannot_be_meant_are_named(tmp_path: Path) -> None:
    file = tmp_path / "calendar.yaml"
    file.write_text(
        "2026:\n  since: 2025-11-04\n  source: 某通知\n  holidays:\n    元旦: [2026-01-03, 2026-01-01]\n"
        "    春节: [2026-02-15, 2026-02-23]\n  workdays: [2026-02-21, 2026-03-02]\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        calendar_file.load(file)
    assert "calendar.yaml:4: 2026 年：“元旦”的起止日期不对" in caught.value.message
    assert "2026-02-21 又放假又上班" in caught.value.message
    assert "2026-03-02 不是这一年的周末" in caught.value.message

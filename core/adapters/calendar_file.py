"""The calendar of working days from its data file, strictly."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from core.adapters.process_models import Strict, Text
from core.adapters.processes import DATA
from core.adapters.yaml_reader import read_model
from core.domain.calendar import Calendar, Year
from core.domain.errors import DataError

_SATURDAY = 5


class YearModel(Strict):
    """What was announced for one year; `holidays` are named spans, both days included."""

    since: date
    source: Text
    holidays: dict[Text, tuple[date, date]]
    workdays: Annotated[list[date], Field(default_factory=list)]

    def days_off(self) -> frozenset[date]:
        """Each day of the spans."""
        return frozenset(
            first + timedelta(days=n)
            for first, last in self.holidays.values()
            for n in range((last - first).days + 1)
        )


class CalendarModel(RootModel[dict[Annotated[int, Field(ge=2000, le=2999)], YearModel]]):
    """The file."""


@cache
def load(file: Path = DATA / "calendar.yaml") -> Calendar:
    """All announced years; DataError names every day that cannot be meant."""
    model, located = read_model(file, CalendarModel)
    problems = [
        located.problem((str(number), what), f"{number} 年：{sentence}")
        for number, year in model.root.items()
        for what, sentence in _mistakes(number, year)
    ]
    if problems:
        raise DataError(problems)
    years = {
        number: Year(year.days_off(), frozenset(year.workdays), year.since, year.source)
        for number, year in model.root.items()
    }
    return Calendar(years)


def _mistakes(number: int, year: YearModel) -> list[tuple[str, str]]:
    found = []
    for name, (first, last) in year.holidays.items():
        if not date(number, 1, 1) <= first <= last <= date(number, 12, 31):
            found.append(("holidays", f"“{name}”的起止日期不对"))
    off = year.days_off()
    for day in year.workdays:
        if day.year != number or day.weekday() < _SATURDAY:
            found.append(("workdays", f"{day} 不是这一年的周末，不用写成调休上班"))
        elif day in off:
            found.append(("workdays", f"{day} 又放假又上班"))
    return found

"""Working days: weekends, public holidays and made-up working days. A year without an announcement has weekends only.

Days are days in Shanghai, moments are aware UTC. A span of working days does not count the day it begins on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HERE = ZoneInfo("Asia/Shanghai")
_WORKDAYS = 5  # Monday to Friday
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Year:
    """What was announced for a year: days off, and weekend days that are worked; `since` is when, `source` where."""

    holidays: frozenset[date]
    workdays: frozenset[date]
    since: date
    source: str


@dataclass(frozen=True)
class Calendar:
    """Announced years."""

    years: Mapping[int, Year] = field(default_factory=dict)

    def announced(self, first: date, last: date) -> bool:
        """Whether every year from `first` to `last` has its announcement; else weekends were assumed."""
        return all(year in self.years for year in range(first.year, last.year + 1))

    def works(self, day: date) -> bool:
        """Whether `day` is a working day."""
        year = self.years.get(day.year)
        if year and day in year.holidays:
            return False
        return day.weekday() < _WORKDAYS or bool(year and day in year.workdays)

    def add(self, day: date, days: int) -> date:
        """The working day that lies so many working days after `day`, or before it where `days` is negative.

        0 is `day` itself where it is worked, else the next working day.
        """
        if days == 0:
            return day if self.works(day) else self.add(day, 1)
        step = _DAY if days > 0 else -_DAY
        left = abs(days)
        while left:
            day += step
            left -= self.works(day)
        return day

    def between(self, first: date, last: date) -> int:
        """Working days after `first` up to and with `last`; negative where `last` lies before."""
        if last < first:
            return -self.between(last, first)
        return sum(self.works(day) for day in _days(first + _DAY, last))

    def due(self, start: datetime, days: int) -> datetime:
        """The end of the working day by which something is due that began at `start`."""
        return end_of(self.add(day_of(start), days))

    def spent(self, start: datetime, end: datetime) -> timedelta:
        """Time from `start` to `end` that lies in working days, each of 24 hours."""
        total = timedelta()
        for day in _days(day_of(start), day_of(end)):
            if self.works(day):
                total += max(min(end, end_of(day)) - max(start, end_of(day - _DAY)), timedelta())
        return total


def day_of(at: datetime) -> date:
    """The day of a moment."""
    return at.astimezone(HERE).date()


def end_of(day: date) -> datetime:
    """The moment at which a day is over (UTC)."""
    return datetime.combine(day + _DAY, time.min, HERE).astimezone(UTC)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))

"""Quartz expressions in a time zone: when they fire.

    schedule = Schedule("0 30 2 * * ?", "Europe/Berlin")
    schedule.next_after(datetime(2026, 3, 28, tzinfo=UTC))      # aware, UTC

An expression is matched against the wall clock of its zone. A local time that the zone skips (clocks go forward) does
not fire; one that occurs twice (clocks go back) fires once, the second time. So an hourly schedule pauses during the
first pass through the repeated hour.

`croniter` searches naive wall-clock times. What it interprets differently from Quartz (weekday numbers, `L`, `W`, `#`,
increments past the end of a range) is spelled out for it by `fields`, and its own handling of zones is not used.

Source: times that Quartz 2.3.2 and 2.5 gave for the same expressions, zones and starts (`tests/unit/fixtures`). There
is one difference: when asked during the first pass through a repeated hour, Quartz skips what fires in the second pass
before the same wall-clock time; here the firings do not depend on when one asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from lakelocal.schedule.fields import DAY_OF_WEEK, FIELDS, YEAR, Field, parse
from lakelocal.schedule.zones import clock_change, find_zone

_DAY_END = time(23, 59, 59)


@dataclass(frozen=True)
class Occurrence:
    """A wall-clock time that an expression names.

    *at* is its instant (UTC), *wall* the local time without zone. If *exists* is false, the zone skips that local time:
    nothing fires, and *at* is when the clocks go forward past it.
    """

    at: datetime
    wall: datetime
    exists: bool = True


class Schedule:
    """A Quartz expression of 6 or 7 fields in a time zone (IANA name).

    Raises:
        FindingError: the expression breaks Quartz's rules, or there is no such zone.
    """

    def __init__(self, expression: str, zone: str) -> None:
        self.expression = expression
        self.zone = find_zone(zone)
        fields = parse(expression)
        self._days = fields.days
        self._cron = " ".join(_for_croniter(*pair) for pair in zip(FIELDS, fields.numbers, strict=True))

    def __str__(self) -> str:
        return f"{self.expression} ({self.zone.key})"

    def next_after(self, instant: datetime) -> datetime | None:
        """The first firing after *instant* (aware), in UTC; None if there is none before the year 2100."""
        return next((each.at for each in self.occurrences(instant) if each.exists), None)

    def occurrences(self, after: datetime) -> Iterator[Occurrence]:
        """All times after *after* (aware) that the expression names, in order, including those that the zone skips."""
        for wall in self._walls(_first_wall(after, self.zone)):
            occurrence = _located(wall, self.zone)
            if occurrence.at > after:
                yield occurrence

    def _walls(self, start: datetime) -> Iterator[datetime]:
        search = croniter(
            self._cron,
            start,
            ret_type=datetime,
            second_at_beginning=True,
            day_or=False,
            max_years_between_matches=YEAR.high - YEAR.low,
        )
        while True:
            try:
                wall = search.get_next()
            except CroniterBadDateError:
                return
            if wall.year > YEAR.high:
                return
            if self._days is None or self._days(wall.date()):
                yield wall
            else:
                search.set_current(datetime.combine(wall, _DAY_END))


def _for_croniter(field: Field, numbers: tuple[int, ...] | None) -> str:
    if numbers is None:
        return "*"
    shift = 1 if field is DAY_OF_WEEK else 0  # croniter's Sunday is 0
    return ",".join(str(number - shift) for number in numbers)


def _first_wall(after: datetime, zone: ZoneInfo) -> datetime:
    """A local time that no later firing precedes: *after*, or an hour earlier in the first of two equal hours."""
    local = after.astimezone(zone)
    repeated = _offset(local, fold=0) - _offset(local, fold=1) if local.fold == 0 else timedelta(0)
    return local.replace(tzinfo=None) - max(repeated, timedelta(0))


def _offset(local: datetime, *, fold: int) -> timedelta:
    return local.replace(fold=fold).utcoffset() or timedelta(0)


def _located(wall: datetime, zone: ZoneInfo) -> Occurrence:
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:  # they differ if the local time occurs twice
        return Occurrence(second, wall)
    return Occurrence(clock_change(zone, second, first).at, wall, exists=False)

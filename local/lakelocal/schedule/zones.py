"""Time zones by name, and when their clocks change."""

import difflib
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lakelocal.lakeflow.findings import Finding, FindingError, Where

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True)
class ClockChange:
    """The clocks of *zone* change at *at* (UTC) from the offset *before* to the offset *after*."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    def __str__(self) -> str:
        way = "forward" if self.after > self.before else "back"
        old, new = self.at + self.before, self.at + self.after
        return f"clocks of {self.zone} go {way} from {old:%H:%M} to {new:%H:%M}"


def find_zone(name: str) -> ZoneInfo:
    """The zone *name*.

    Raises:
        FindingError: there is no such zone; the message suggests similar names.
    """
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = zoneinfo.available_timezones()
        similar = difflib.get_close_matches(name, known, n=3) or ["UTC", "Europe/Berlin", "America/Sao_Paulo"]
        expected = f"an IANA name such as {', '.join(f'`{each}`' for each in similar)}"
        where = Where(path=("timezone_id",))
        raise FindingError(Finding(where, "schedule", f"the timezone_id `{name}`", expected, "Correct it.")) from error


def clock_changes(zones: Iterable[ZoneInfo], *, start: datetime, until: datetime) -> list[ClockChange]:
    """The clock changes in *zones* between *start* and *until*, in order; each zone is counted once."""
    found = [change for zone in {zone.key: zone for zone in zones}.values() for change in _changes(zone, start, until)]
    return sorted(found, key=lambda change: (change.at, change.zone))


def clock_change(zone: ZoneInfo, low: datetime, high: datetime) -> ClockChange:
    """The only clock change after *low* and up to *high*, to the second."""
    before, after = offset(zone, low), offset(zone, high)
    while high - low > SECOND:
        middle = low + (high - low) // 2
        low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
    return ClockChange(zone.key, high.replace(microsecond=0), before, after)


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    """How far the clocks of *zone* are ahead of UTC at *at*."""
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _changes(zone: ZoneInfo, start: datetime, until: datetime) -> Iterator[ClockChange]:
    day = start
    while day < until:
        end = min(day + DAY, until)
        if offset(zone, day) != offset(zone, end):
            yield clock_change(zone, day, end)
        day = end

"""Quartz expressions: the times that Quartz itself gave, its refusals, and the rule for clocks that change."""

import calendar
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakelocal.errors import BundleError
from lakelocal.schedule.quartz import Schedule
from lakelocal.schedule.zones import find_zone

VECTORS = json.loads((Path(__file__).parent / "fixtures" / "quartz_vectors.json").read_text())


def firings(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The next *count* firings, each computed from the one before, as a scheduler does."""
    found: list[datetime] = []
    while len(found) < count and (at := schedule.next_after(found[-1] if found else after)):
        found.append(at)
    return found


@pytest.mark.parametrize(("expression", "zone", "after", "expected"), VECTORS["fires"])
def test_times_are_those_of_quartz(expression: str, zone: str, after: str, expected: list[int]) -> None:
    """Computed one by one, and in one go; a year field may end the list early."""
    schedule, start = Schedule(expression, zone), datetime.fromisoformat(after)

    walked = (each.at for each in schedule.occurrences(start) if each.exists)

    assert [at.timestamp() for at in firings(schedule, start, 8)] == expected
    assert [at.timestamp() for at in islice(walked, 8)] == expected


@pytest.mark.parametrize("expression", [expression for expression, _ in VECTORS["refused"]])
def test_what_quartz_refuses_is_refused(expression: str) -> None:
    """The message quotes the expression."""
    with pytest.raises(BundleError) as raised:
        Schedule(expression, "UTC")

    assert f"`{expression}`" in str(raised.value)
    assert "expected" in str(raised.value)


@pytest.mark.parametrize(
    ("expression", "where", "found", "expected"),
    [
        ("0 0 6 * *", "fields", "5", "6 or 7"),
        ("0 0 6 * * ? 2026 1", "fields", "8", "6 or 7"),
        ("0 60 6 * * ?", "minutes", "`60`", "0 to 59"),
        ("0 0 24 * * ?", "hours", "`24`", "0 to 23"),
        ("0 0 6 ? JANUARY MON", "month", "`JANUARY`", "1 to 12 or JAN to DEC"),
        ("0 0 6 ? * 0", "day-of-week", "`0`", "1 to 7 or SUN to SAT"),
        ("0 0 6 ? * ?", "day-of-month and day-of-week", "`? and ?`", "`?` in exactly one"),
        ("0 0 6 ? * MON#6", "day-of-week", "`MON#6`", "1 to 5"),
        ("0 0 6 ? * 6L,2", "day-of-week", "`6L`", "alone"),
        ("0 0 6 1W,3 * ?", "day-of-month", "`1W`", "alone"),
        ("0 0 6 L-31 * ?", "day-of-month", "`L-31`", "at most 30"),
        ("0 0/0 6 * * ?", "minutes", "`0/0`", "increment"),
        ("0 0 6/24 * * ?", "hours", "`6/24`", "increment"),
        ("0 0 6 ? * MON-FRI/2", "day-of-week", "`MON-FRI/2`", "numbers"),
        ("0 0 6 ? * MON-6", "day-of-week", "`MON-6`", "two numbers or two names"),
        ("0 0 6, * * ?", "hours", "``", "0 to 23"),
        ("? 0 6 * * ?", "seconds", "`?`", "0 to 59"),
        ("0 0 6 * * ? 2030-2020", "year", "`2030-2020`", "not after its last"),
    ],
)
def test_the_message_names_field_finding_and_expectation(
    expression: str, where: str, found: str, expected: str
) -> None:
    """Enough to correct the expression without reading documentation."""
    with pytest.raises(BundleError) as raised:
        Schedule(expression, "UTC")

    message = str(raised.value)
    assert message.startswith(f"found {found}")
    assert f"{where} of the Quartz expression `{expression}`" in message
    assert expected in message.partition("expected")[2]


def test_an_unknown_zone_is_refused_with_similar_names() -> None:
    """A misspelt zone, a folder of the zone database, and a path."""
    with pytest.raises(BundleError, match=r"found the timezone_id `Europa/Berlin`; expected .*`Europe/Berlin`"):
        find_zone("Europa/Berlin")
    for name in ("Europe", "../etc", ""):
        with pytest.raises(BundleError, match="timezone_id"):
            find_zone(name)


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 6 LW * ?", ["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30", "2026-05-29"]),
        ("0 0 6 L * ?", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("0 0 6 L-3 * ?", ["2026-01-28", "2026-02-25", "2026-03-28", "2026-04-27", "2026-05-28"]),
        ("0 0 6 L-29 * ?", ["2026-01-02", "2026-03-02", "2026-04-01", "2026-05-02", "2026-06-01"]),
        ("0 0 6 L-3W * ?", ["2026-01-28", "2026-02-25", "2026-03-27", "2026-04-27", "2026-05-28"]),
        ("0 0 6 15W * ?", ["2026-01-15", "2026-02-16", "2026-03-16", "2026-04-15", "2026-05-15"]),
        ("0 0 6 1W * ?", ["2026-01-01", "2026-02-02", "2026-03-02", "2026-04-01", "2026-05-01"]),
        ("0 0 6 ? * L", ["2026-01-03", "2026-01-10", "2026-01-17", "2026-01-24", "2026-01-31"]),
        ("0 0 6 ? * friL", ["2026-01-30", "2026-02-27", "2026-03-27", "2026-04-24", "2026-05-29"]),
        ("0 0 6 ? * 6#5", ["2026-01-30", "2026-05-29", "2026-07-31", "2026-10-30", "2027-01-29"]),
        ("0 0 6 ? * FRI-SUN", ["2026-01-02", "2026-01-03", "2026-01-04", "2026-01-09", "2026-01-10"]),
        ("0 0 6 30-2 NOV-FEB ?", ["2026-01-01", "2026-01-02", "2026-01-30", "2026-01-31", "2026-02-01"]),
        ("0 0 6 29 2 ? 2030-2099", ["2032-02-29", "2036-02-29", "2040-02-29", "2044-02-29", "2048-02-29"]),
        ("0 0 6 29 2 ? 2096", ["2096-02-29"]),
        ("0 0 6 31 2 ?", []),
    ],
)
def test_days(expression: str, days: list[str]) -> None:
    """Read off a calendar."""
    found = firings(Schedule(expression, "UTC"), datetime(2025, 12, 31, 12, tzinfo=UTC), 5)

    assert [str(at.date()) for at in found] == days
    assert all(at.hour == 6 for at in found)


CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 2, 18, 2, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
]
AROUND = timedelta(hours=30)


def rule(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The rule, seen from the other side: each minute's instant with its local time, the last instant for each."""
    last: dict[datetime, datetime] = {}
    at = begin
    while at < end:
        last[at.astimezone(zone).replace(tzinfo=None)] = at
        at += timedelta(minutes=1)
    return ((wall, at) for wall, at in last.items())


@settings(deadline=None, max_examples=60)
@given(
    change=st.sampled_from(CHANGES),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=4),
    hours=st.one_of(st.just(set(range(24))), st.sets(st.integers(0, 4), min_size=1)),
    offset=st.integers(-180 * 60, 180 * 60),
)
def test_a_skipped_local_time_does_not_fire_and_a_repeated_one_fires_once_at_last(
    change: tuple[str, datetime], minutes: set[int], hours: set[int], offset: int
) -> None:
    """From any start near the change, including inside the repeated hour: the firings do not depend on it."""
    zone_name, instant = change
    schedule = Schedule(f"0 {_list(minutes)} {_list(hours)} * * ?", zone_name)
    start = instant + timedelta(seconds=offset)
    expected = sorted(
        at
        for wall, at in rule(schedule.zone, instant - AROUND, instant + AROUND)
        if wall.minute in minutes and wall.hour in hours and at > start
    )

    assert firings(schedule, start, len(expected)) == expected


def test_a_skipped_local_time_is_told() -> None:
    """02:30 on the day of the change is included once, marked, at the instant of the change."""
    berlin = Schedule("0 30 2 * * ?", "Europe/Berlin")
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)

    told = list(islice(berlin.occurrences(datetime(2026, 3, 28, tzinfo=UTC)), 3))

    assert told[1].at == change
    assert next(berlin.occurrences(change - timedelta(seconds=1))) == told[1]
    assert next(berlin.occurrences(change)) == told[2]

    assert [(str(each.wall), each.exists) for each in told] == [
        ("2026-03-28 02:30:00", True),
        ("2026-03-29 02:30:00", False),
        ("2026-03-30 02:30:00", True),
    ]


@settings(deadline=None, max_examples=80)
@given(
    days=st.sets(st.integers(1, 31), min_size=1, max_size=5),
    months=st.sets(st.integers(1, 12), min_size=1, max_size=12),
    weekdays=st.none() | st.sets(st.integers(1, 7), min_size=1, max_size=7),
    start=st.dates(date(2024, 1, 1), date(2032, 12, 31)),
)
def test_days_are_those_of_the_calendar(
    days: set[int], months: set[int], weekdays: set[int] | None, start: date
) -> None:
    """Any list of days, months and weekdays over a year and a half, compared with looking at each day."""
    expression = f"0 0 0 ? {_list(months)} {_list(weekdays)}" if weekdays else f"0 0 0 {_list(days)} {_list(months)} ?"
    year_and_half = [start + timedelta(days=number) for number in range(1, 550)]
    expected = [
        day
        for day in year_and_half
        if day.month in months
        and (calendar.weekday(day.year, day.month, day.day) in _python(weekdays) if weekdays else day.day in days)
    ]

    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    found = firings(Schedule(expression, "UTC"), midnight, len(expected))

    assert [at.date() for at in found] == expected


def _list(numbers: set[int]) -> str:
    return ",".join(str(number) for number in sorted(numbers))


def _python(weekdays: set[int]) -> set[int]:
    """Quartz counts from Sunday = 1, Python from Monday = 0."""
    return {(number - 2) % 7 for number in weekdays}

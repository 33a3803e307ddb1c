"""The values of options: counts, points in time and lengths of time, each a `type` for argparse.

Each raises ArgumentTypeError for an invalid text, with what it expects; argparse adds the name of the option.
"""

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

LONGEST = timedelta(days=36525)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_PART = re.compile(r"([0-9]+)([wdhms])")
_SPAN = re.compile(rf"(?:{_PART.pattern})+")


def count(text: str) -> int:
    """A whole number, such as the number of rows to show or of runs to keep; 0 is allowed."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"found `{text}`; expected a whole number from 0, such as 20")
    return int(text)


def at_least_one(text: str) -> int:
    """A whole number from 1, such as that of `--limit`."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"found `{text}`; expected a whole number from 1, such as 20")
    return int(text)


def moment(text: str) -> datetime:
    """A date or time in ISO 8601, as UTC: a date means its midnight, and a text without an offset is already in UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(
            f"found `{text}`; expected a date or time in ISO 8601, such as 2018-01-31 or 2018-01-31T06:00:00Z"
        ) from None


def span(text: str) -> timedelta:
    """A length of time: numbers, each with a unit, such as `30d` or `1h30m`; at most 100 years."""
    if not _SPAN.fullmatch(text):
        raise ArgumentTypeError(f"found `{text}`; expected numbers with w, d, h, m or s, such as 30d or 1h30m")
    try:
        found = sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(text)), timedelta())
    except (OverflowError, ValueError):  # a number of more than 4,300 digits is a ValueError
        found = timedelta.max
    if found > LONGEST:
        raise ArgumentTypeError(f"found `{text}`; expected at most 100 years, {LONGEST.days}d")
    return found


def interval(text: str) -> timedelta:
    """A length of time that is not zero."""
    found = span(text)
    if not found:
        raise ArgumentTypeError(f"found `{text}`; expected a time longer than zero, such as 30d or 1h30m")
    return found


def span_of_job(text: str) -> tuple[str, timedelta]:
    """`JOB=TIME`: the key of a job, and how long its runs last."""
    job, equals, time = text.partition("=")
    if not job or not equals:
        raise ArgumentTypeError(f"found `{text}`; expected JOB=TIME, such as my_job=1h30m")
    return job, interval(time)

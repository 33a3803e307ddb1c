"""The syntax of Quartz expressions: each field as a set of numbers, and the rules for days that are not numbers.

It accepts what Quartz documents. Quartz itself ignores text after a value that it does not know (`MON-FRI/2` is
`MON-FRI`, `0/0` is `0`); here that is an error, because it is never what the author meant.

Source: Quartz 2.3 `CronExpression` and its CronTrigger tutorial.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NoReturn

from lakelocal.lakeflow.findings import Finding, FindingError, Where

Days = Callable[[date], bool]


@dataclass(frozen=True)
class Field:
    """One field: its name in messages, its lowest and highest number, and the words for them, from the lowest on."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """The legal values, in words."""
        words = f" or {self.words[0]} to {self.words[-1]}" if self.words else ""
        return f"{self.low} to {self.high}{words}"


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
SECONDS, MINUTES, HOURS = Field("seconds", 0, 59), Field("minutes", 0, 59), Field("hours", 0, 23)
DAY_OF_MONTH, MONTH = Field("day-of-month", 1, 31), Field("month", 1, 12, _MONTHS)
DAY_OF_WEEK = Field("day-of-week", 1, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))
YEAR = Field("year", 1970, 2099)
FIELDS = (SECONDS, MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR)

_ITEM = re.compile(r"(?P<first>\*|[A-Z]+|\d+)?(?:-(?P<last>[A-Z]+|\d+))?(?:/(?P<step>\d+))?")
_LAST_DAY = re.compile(r"L(?:-(?P<offset>\d+))?(?P<weekday>W)?")
_NEAREST = re.compile(r"(?P<day>\d+)W")
_LAST_WEEKDAY = re.compile(r"(?P<day>[A-Z]{3}|\d)L")
_NTH_WEEKDAY = re.compile(r"(?P<day>[A-Z]{3}|\d+)#(?P<nth>.*)")
MAX_OFFSET = 30


@dataclass(frozen=True)
class Fields:
    """A parsed expression.

    *numbers* holds, for each of `FIELDS`, the legal numbers in order, or None for all of them; days of the week are
    numbered from Sunday = 1. *days* says whether a rule such as `LW` or `6#3` holds on a date; None if there is no such
    rule.
    """

    numbers: tuple[tuple[int, ...] | None, ...]
    days: Days | None = None


def parse(expression: str) -> Fields:
    """Read *expression*.

    Raises:
        FindingError: it breaks Quartz's rules; the message names the field, what was found and what was expected.
    """
    texts = expression.upper().split()
    if not 6 <= len(texts) <= 7:
        expected = f"6 or 7: {' '.join(field.name for field in FIELDS[:6])} [{YEAR.name}]"
        action = "Unlike cron's, it begins with the seconds and has `?` in one of its day fields."
        raise _error(f"{len(texts)} fields of the Quartz expression `{expression}`", expected, action)
    reader = _Reader(expression)
    texts += ["*"] * (7 - len(texts))
    reader.check_days(texts[3], texts[5])
    days = reader.day_of_month(texts[3]) or reader.day_of_week(texts[5])
    ruled = (DAY_OF_MONTH, DAY_OF_WEEK) if days else ()
    pairs = zip(FIELDS, texts, strict=True)
    numbers = tuple(None if field in ruled else reader.numbers(field, text) for field, text in pairs)
    return Fields(numbers, days)


class _Reader:
    """Reads the fields of one expression, which its messages quote."""

    def __init__(self, expression: str) -> None:
        self.expression = expression

    def check_days(self, of_month: str, of_week: str) -> None:
        """Check that exactly one of the day fields is `?`."""
        if (of_month == "?") == (of_week == "?"):
            self._refuse(
                f"{DAY_OF_MONTH.name} and {DAY_OF_WEEK.name}",
                f"{of_month} and {of_week}",
                "`?` in exactly one of them, the one that does not choose the day",
            )

    def day_of_month(self, text: str) -> Days | None:
        """The rule of `L`, `L-3`, `LW`, `L-3W` and `15W`; None for anything else."""
        if last := _LAST_DAY.fullmatch(text):
            offset = int(last["offset"] or 0)
            if offset > MAX_OFFSET:
                self._refuse(DAY_OF_MONTH.name, text, f"at most {MAX_OFFSET} days before the last")
            return partial(_is_last_day, offset=offset, weekday=bool(last["weekday"]))
        if nearest := _NEAREST.fullmatch(text):
            return partial(_is_nearest_weekday, wanted=self._number(DAY_OF_MONTH, nearest["day"], text))
        return None

    def day_of_week(self, text: str) -> Days | None:
        """The rule of `6L` and `6#3`, also with names; None for anything else."""
        if last := _LAST_WEEKDAY.fullmatch(text):
            return partial(_is_last_weekday, weekday=self._number(DAY_OF_WEEK, last["day"], text))
        if nth := _NTH_WEEKDAY.fullmatch(text):
            if not re.fullmatch("[1-5]", nth["nth"]):
                self._refuse(DAY_OF_WEEK.name, text, "one number from 1 to 5 behind `#`, and no list")
            return partial(_is_nth_weekday, weekday=self._number(DAY_OF_WEEK, nth["day"], text), nth=int(nth["nth"]))
        return None

    def numbers(self, field: Field, text: str) -> tuple[int, ...] | None:
        """The numbers of a list of values, ranges and increments; None for all numbers."""
        if text == "*" or (text == "?" and field in (DAY_OF_MONTH, DAY_OF_WEEK)):
            return None
        if text == "L" and field is DAY_OF_WEEK:
            return (7,)  # Quartz: `L` alone is Saturday, the last day of the week
        return tuple(sorted({number for item in text.split(",") for number in self._item(field, item)}))

    def _item(self, field: Field, item: str) -> list[int]:
        found = _ITEM.fullmatch(item)
        first, last, step = found.group("first", "last", "step") if found else (None, None, None)
        if first is None or first == "*":
            if last or (first is None and step is None):
                self._refuse(field.name, item, _syntax(field))
            begin, until = field.low, field.high
        else:
            if last and first.isdigit() != last.isdigit():
                self._refuse(field.name, item, "two numbers or two names")
            begin = self._number(field, first, item)
            until = field.high if step else begin
        end = self._number(field, last, item) if last else until
        width = field.high - field.low + 1
        if step and first in field.words:
            self._refuse(field.name, item, "numbers in front of an increment")
        if step and not 1 <= int(step) <= field.high:
            self._refuse(field.name, item, f"an increment from 1 to {field.high}")
        if end < begin:
            if field is YEAR:
                self._refuse(field.name, item, "a range whose first year is not after its last")
            end += width  # `22-2` passes midnight, `FRI-MON` the weekend
        return [field.low + (number - field.low) % width for number in range(begin, end + 1, int(step or 1))]

    def _number(self, field: Field, text: str, item: str) -> int:
        if text in field.words:
            return field.low + field.words.index(text)
        if not text.isdigit() or not field.low <= int(text) <= field.high:
            self._refuse(field.name, item, field.expected if text.isdigit() else _syntax(field))
        return int(text)

    def _refuse(self, field: str, found: str, expected: str) -> NoReturn:
        raise _error(f"`{found}` as {field} of the Quartz expression `{self.expression}`", expected, "Correct it.")


def _error(found: str, expected: str, action: str) -> FindingError:
    return FindingError(Finding(Where(path=("quartz_cron_expression",)), "schedule", found, expected, action))


def _syntax(field: Field) -> str:
    special = {DAY_OF_MONTH: "; `L`, `L-3`, `LW`, `15W` alone", DAY_OF_WEEK: "; `L`, `6L`, `6#3` alone"}
    return f"`*`, {field.expected}, ranges `a-b`, increments `a/n`, or a list of them{special.get(field, '')}"


def _length(day: date) -> int:
    """The number of days in the month of *day*."""
    return calendar.monthrange(day.year, day.month)[1]


def _weekday(day: date) -> int:
    """Quartz's number for the weekday of *day*: Sunday is 1."""
    return day.isoweekday() % 7 + 1


def _is_nearest_weekday(day: date, *, wanted: int) -> bool:
    """Is *day* the weekday (Monday to Friday) nearest to day *wanted* of its month, without leaving the month?"""
    if not 1 <= wanted <= _length(day):
        return False
    target = day.replace(day=wanted)
    if target.isoweekday() == 6:
        wanted += -1 if wanted > 1 else 2
    elif target.isoweekday() == 7:
        wanted += 1 if wanted < _length(day) else -2
    return day.day == wanted


def _is_last_day(day: date, *, offset: int, weekday: bool) -> bool:
    """Is *day* the day *offset* days before the last of its month, or with *weekday* the weekday nearest to that?"""
    wanted = _length(day) - offset
    return _is_nearest_weekday(day, wanted=wanted) if weekday else day.day == wanted


def _is_last_weekday(day: date, *, weekday: int) -> bool:
    return _weekday(day) == weekday and day.day + 7 > _length(day)


def _is_nth_weekday(day: date, *, weekday: int, nth: int) -> bool:
    return _weekday(day) == weekday and (day.day + 6) // 7 == nth

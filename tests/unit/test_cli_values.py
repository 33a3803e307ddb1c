"""Counts, moments and spans of time, as every option of the command line reads them."""

import shlex
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from lakelocal.cli.backfill import next_steps
from lakelocal.cli.parser import read_arguments
from lakelocal.cli.values import at_least_one, count, interval, moment, span, span_of_job
from lakelocal.jobs.backfill import backfill_times, label
from lakelocal.program import PROGRAM


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-01-31", datetime(2018, 1, 31, tzinfo=UTC)),
        ("2018-01-31T06:00", datetime(2018, 1, 31, 6, tzinfo=UTC)),
        ("2018-01-31T06:00:00Z", datetime(2018, 1, 31, 6, tzinfo=UTC)),
        ("2018-01-01T00:30+01:00", datetime(2017, 12, 31, 23, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_utc(text: str, expected: datetime) -> None:
    """Databricks' times are UTC: an offset is converted, and a time without one is already in UTC."""
    assert moment(text) == expected
    assert moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", timedelta(seconds=30)),
        ("90m", timedelta(minutes=90)),
        ("36h", timedelta(hours=36)),
        ("30d", timedelta(days=30)),
        ("8w", timedelta(weeks=8)),
        ("1d2h", timedelta(hours=26)),
        ("1h30m", timedelta(minutes=90)),
        ("36525d", timedelta(days=36525)),
    ],
)
def test_a_span_is_numbers_with_their_units(text: str, expected: timedelta) -> None:
    """The same units and sums for `prune --older-than`, `backfill --every` and `schedule --simulate`."""
    assert span(text) == interval(text) == expected


def test_only_a_span_may_be_empty() -> None:
    """`prune --older-than 0d` means every ended run; a backfill or a simulation of no time does not end or begin."""
    assert span("0d") == timedelta()
    with pytest.raises(ArgumentTypeError, match="found `0d`; expected a time longer than zero"):
        interval("0d")


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (moment, "tomorrow", "expected a date or time in ISO 8601, such as 2018-01-31"),
        (moment, "2018", "expected a date or time"),
        (moment, "0001-01-01T00:00+14:00", "expected a date or time"),
        *(
            (span, text, "expected numbers with w, d, h, m or s")
            for text in ("", "30", "d", "-1d", "1y", "1d 2h", "1.5h")
        ),
        (span, "36526d", "expected at most 100 years, 36525d"),
        (span, "9" * 20 + "d", "expected at most 100 years"),
        pytest.param(span, "9" * 5000 + "d", "expected at most 100 years", id="a span of 5,000 digits"),
        (span_of_job, "nightly", "expected JOB=TIME, such as my_job=1h30m"),
        (span_of_job, "=1h", "expected JOB=TIME"),
        (span_of_job, "nightly=0d", "expected a time longer than zero"),
        *((count, text, "expected a whole number from 0, such as 20") for text in ("-1", "many", "1.5", "")),
        *((at_least_one, text, "expected a whole number from 1, such as 20") for text in ("0", "-1", "many", "")),
    ],
)
def test_other_texts_are_refused(read: Callable[[str], object], text: str, message: str) -> None:
    """What was found, and an example of what was expected."""
    with pytest.raises(ArgumentTypeError, match=f"^found `.*`; {message}"):
        read(text)


def test_counts_and_spans_of_jobs() -> None:
    """Zero may be kept or shown; a job's span is that of its own runs."""
    assert (count("0"), count("20"), at_least_one("1")) == (0, 20, 1)
    assert span_of_job("nightly=1h30m") == ("nightly", timedelta(minutes=90))


def test_each_time_of_a_backfill_has_its_own_label() -> None:
    """As precise as necessary, because runs are named after it."""
    begin = moment("2018-01-31T23:59:30")

    times = backfill_times(begin, begin + timedelta(minutes=1), timedelta(seconds=30))

    assert [label(each) for each in times] == ["2018-01-31T23:59:30", "2018-02-01", "2018-02-01T00:00:30"]


@pytest.mark.parametrize("every", ["1d", "36h", "90m", "45s"])
def test_a_backfill_that_was_stopped_says_how_to_go_on(every: str) -> None:
    """The command for the times that are left, with the same values; each run that failed can be repaired."""
    words = ["backfill", "daily", "--from", "2018-01-01", "--to", "2018-01-05", "--every", every]
    values = ["--param", "day={{backfill.iso_date}}", "--var", "scale=5", "--target", "prod"]
    options = read_arguments([*words, *values])
    times = backfill_times(options.start, min(options.end, options.start + 4 * options.every), options.every)
    ended = [{"run_id": 6 + n, "state": {"result_state": each}} for n, each in enumerate(("SUCCESS", "CANCELED"))]

    repair, rest = next_steps(options, [label(each) for each in times], ended)

    assert repair == f"repair  {PROGRAM} runs repair 7 --target prod"
    again = read_arguments(shlex.split(rest.removeprefix(f"go on   {PROGRAM} ")))
    assert backfill_times(again.start, again.end, again.every) == times[2:]
    assert (again.param, again.var, again.target) == (options.param, options.var, "prod")

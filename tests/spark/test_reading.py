"""What a text means as a value of a type: exactly such a value, or nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lakehouse.layers.reading import parse_rule
from lakehouse.tables.delta import text

CASES = [
    ("STRING", "", None),
    ("STRING", " a ", " a "),
    ("zip", "1002", "01002"),
    ("zip", "01002", "01002"),
    ("zip", "102", None),
    ("INT", "40.0", 40),
    ("INT", "-7", -7),
    ("INT", " 5 ", None),
    ("INT", "1e3", None),
    ("INT", "3000000000", None),
    ("BIGINT", "9223372036854775807", 9223372036854775807),
    ("BIGINT", "9223372036854775808", None),
    ("BIGINT", "14.5", None),
    ("DOUBLE", "-23.5e1", -235.0),
    ("DOUBLE", "NaN", None),
    ("BOOLEAN", "True", True),
    ("BOOLEAN", "1", None),
    ("DATE", "2018-02-28", date(2018, 2, 28)),
    ("DATE", "2018-02-30", None),
    ("DATE", "2018-2-3", None),
    ("TIMESTAMP", "2018-02-03 04:05:06", datetime(2018, 2, 3, 4, 5, 6, tzinfo=UTC)),
    ("TIMESTAMP", "2018-02-03", datetime(2018, 2, 3, tzinfo=UTC)),
    ("TIMESTAMP", "yesterday", None),
    ("DECIMAL(12,2)", "10.1", Decimal("10.10")),
    ("DECIMAL(12,2)", "0.5000", Decimal("0.50")),
    ("DECIMAL(12,2)", "1.239", None),
    ("DECIMAL(12,2)", "12345678901.00", None),
    ("DECIMAL(10, 3)", "1234567.125", Decimal("1234567.125")),
    ("DECIMAL(4)", "1234", Decimal(1234)),
    ("DECIMAL(4,0)", "12345", None),
]


@pytest.fixture(scope="module")
def parsed(spark) -> list:
    """The value of each case, from one query."""
    values = [
        f"{parse_rule(kind).format(text=text(given))} AS c{number}" for number, (kind, given, _) in enumerate(CASES)
    ]
    return list(spark.range(1).selectExpr(*values).first())


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{kind} {given}" for kind, given, _ in CASES])
def test_a_text_becomes_a_value_or_nothing(parsed, number):
    """Feeds and entities are read by the same rules."""
    expected = CASES[number][2]
    found = parsed[number]

    if isinstance(expected, datetime):
        found = found.replace(tzinfo=UTC)  # a session in UTC returns times without a zone
    assert found == expected
    assert type(found) is type(expected)


def test_a_type_without_a_rule_is_no_silent_text():
    """A contract that names it is refused, with the place to correct."""
    with pytest.raises(KeyError):
        parse_rule("MAP<STRING, INT>")

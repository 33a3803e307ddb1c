"""CSV text as in RFC 4180, and identifiers and amounts as in Olist's files."""

import csv
import io
import re

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.generator.columns import COLUMNS, csv_file, csv_rows, header, money, timestamps
from lakehouse.generator.lives import NEVER
from lakehouse.generator.randomness import fractions, identifiers, spread

REVIEW = ("1" * 32, "2" * 32, "5", "Bom", "Gostei", "2018-01-02 00:00:00", "2018-01-03 10:11:12")


def review(message: str | None) -> pa.Table:
    """One review with this comment."""
    values = [*REVIEW[:4], message, *REVIEW[5:]]
    return pa.table({name: pa.array([value]) for name, value in zip(COLUMNS["order_reviews"], values, strict=True)})


@pytest.mark.parametrize(
    "message",
    [
        "simples",
        "vírgula, ponto",
        'diz "entregue"',
        "duas\nlinhas",
        '"',
        'fim"\n',
        "\r\n",
        "👍 ção",
        ",",
        '""',
        " espaço ",
    ],
)
def test_any_comment_is_read_back(message):
    """By Python's own CSV reader, including commas, quotes and line ends."""
    text = (header("order_reviews") + csv_rows("order_reviews", review(message))).decode()

    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [list(COLUMNS["order_reviews"]), [*REVIEW[:4], message, *REVIEW[5:]]]


def test_fields_are_quoted_only_where_needed():
    """As in the real files: a quote elsewhere would be part of the value for some readers."""
    assert (
        csv_rows("order_reviews", review("simples")).tobytes()
        == (",".join([*REVIEW[:4], "simples", *REVIEW[5:]]) + "\n").encode()
    )
    assert b',"a ""b""",' in csv_rows("order_reviews", review('a "b"')).tobytes()


def test_null_is_an_empty_field():
    """Not the text `null`, not a pair of quotes."""
    assert b",Bom,,2018" in csv_rows("order_reviews", review(None)).tobytes()


def test_a_slice_of_a_table_gives_its_own_rows():
    """Arrow's buffers contain more than a slice shows."""
    table = pa.concat_tables([review("um"), review("dois"), review("três")]).combine_chunks()

    assert csv_rows("order_reviews", table.slice(1, 1)).tobytes() == csv_rows("order_reviews", review("dois")).tobytes()


def test_no_rows_give_no_text():
    """A day may have no reviews."""
    assert csv_rows("order_reviews", review("x").slice(0, 0)).tobytes() == b""


def test_amounts_have_two_decimals():
    """`0.05`, not `0.5` and not `.05`."""
    assert money(np.array([5, 50, 100, 123456, 0])).to_pylist() == ["0.05", "0.50", "1.00", "1234.56", "0.00"]


def test_moments_are_written_as_olist_does():
    """Seconds, a space between date and time, empty if nothing happened."""
    assert timestamps(np.array([1535760000, NEVER, 0])).to_pylist() == [
        "2018-09-01 00:00:00", None, "1970-01-01 00:00:00",
    ]  # fmt: skip


def test_identifiers_are_32_hexadecimal_digits_and_all_differ():
    """Like Olist's own."""
    ids = identifiers(1, "order_id", 17_000, np.arange(100_000)).to_pylist()

    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    assert len(set(ids)) == len(ids)


def test_identifiers_depend_on_seed_purpose_day_and_position_alone():
    """Any position can be computed on its own: later days need no memory of the ids."""
    together = identifiers(1, "order_id", 17_000, np.arange(10))

    assert identifiers(1, "order_id", 17_000, np.array([7]))[0] == together[7]
    assert identifiers(1, "order_id", np.array([17_000]), np.array([7]))[0] == together[7]
    others = [(2, "order_id", 17_000), (1, "customer_id", 17_000), (1, "order_id", 17_001)]
    assert all(identifiers(*other, np.array([7]))[0] != together[7] for other in others)


def test_fractions_fill_the_unit_interval_evenly():
    """A tenth of them in each tenth."""
    found = fractions(3, "customer_place", 17_000, np.arange(50_000))

    assert np.histogram(found, bins=10, range=(0, 1))[0] == pytest.approx(np.full(10, 5000), rel=0.05)


@pytest.mark.parametrize("total", [0, 1, 7, 1000])
def test_spread_sums_exactly(total):
    """`scale` orders are spread over days without one too many."""
    assert spread(total, np.array([0.1, 0.2, 0.3, 0.4])).sum() == total


def test_file_quotes_any_text_that_needs_it_and_has_its_own_columns():
    """The change feed contains what real files contain: a comma or a quote may occur anywhere."""
    table = pa.table({"a": ['x,"y"', None], "b": ["1", "line\nbreak"]})

    assert csv_file(table) == b'a,b\n"x,""y""",1\n,"line\nbreak"\n'

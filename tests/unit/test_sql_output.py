"""The rows that a SQL task leaves, and Spark's message if it leaves none."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from lakelocal.kernel.sql_output import BYTES, ROWS, rows_as_json, save_rows
from lakelocal.kernel.table import Table
from lakelocal.spark_errors.messages import without_spark_details

NUMBERS = [("n", "bigint")]


def test_rows_are_objects_of_json() -> None:
    """Numbers as numbers, exact decimals as text, NULL as null, text unchanged."""
    columns = [("n", "bigint"), ("price", "decimal(4,2)"), ("city", "string")]

    text = rows_as_json(Table(columns, [[3, Decimal("1.50"), "São Paulo"], [None, None, None]]))

    assert text == '[{"n": 3, "price": "1.50", "city": "São Paulo"}, {"n": null, "price": null, "city": null}]'


def test_a_thousand_rows_are_kept() -> None:
    """As on Databricks, no more."""
    assert len(json.loads(rows_as_json(Table(NUMBERS, [[n] for n in range(ROWS + 5)])))) == ROWS


def test_rows_are_kept_as_far_as_they_fit() -> None:
    """48 KB of UTF-8, whole rows only."""
    text = rows_as_json(Table([("t", "string")], [["é" * 10_000] for _ in range(5)]))

    assert len(text.encode()) <= BYTES
    assert len(json.loads(text)) == 2


def test_a_statement_without_rows_leaves_none(tmp_path: Path) -> None:
    """The output is that of the last statement."""
    place = tmp_path / "t.rows.json"

    save_rows(Table(NUMBERS, [[1]]), place)
    assert json.loads(place.read_text()) == [{"n": 1}]
    save_rows(None, place)
    save_rows(None, place)

    assert not place.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "\n[PARSE_SYNTAX_ERROR] Syntax error at or near 'selec'. (line 1, pos 0)\n\n== SQL ==\nselec 1\n^^^\n",
            "[PARSE_SYNTAX_ERROR] Syntax error at or near 'selec'. (line 1, pos 0)",
        ),
        (
            "[TABLE_OR_VIEW_NOT_FOUND] No table `t`.\nDrop it. SQLSTATE: 42P01; line 1 pos 14;\n'Project [*]\n+- 'X",
            "[TABLE_OR_VIEW_NOT_FOUND] No table `t`. Drop it. (line 1 pos 14)",
        ),
        (
            "2 of 5 tables failed:\na: [UNRESOLVED_COLUMN.WITH_SUGGESTION] No `x`. Did you mean `y`? SQLSTATE: 42703; "
            "line 1 pos 7;\n'Project ['x]\n+- SubqueryAlias t\n   +- Range (0, 1)\n\nb: KeyError: why",
            "2 of 5 tables failed:\na: [UNRESOLVED_COLUMN.WITH_SUGGESTION] No `x`. Did you mean `y`? (line 1 pos 7)\n"
            "b: KeyError: why",
        ),
        (
            "\n[CAST_INVALID_INPUT] The value 'd' is malformed. SQLSTATE: 22018\n== DataFrame ==\n\"cast\" was called "
            "from\nline 2 in cell [2]\n",
            "[CAST_INVALID_INPUT] The value 'd' is malformed. (in `cast`, line 2 of the cell)",
        ),
        ("two\n\nparagraphs of a user", "two\n\nparagraphs of a user"),
        ("[1, 2] is no condition;\nnor this", "[1, 2] is no condition;\nnor this"),
    ],
)
def test_an_error_of_spark_is_one_line(text: str, said: str) -> None:
    """Without the statement, the plan and the frames; other errors are kept in full."""
    assert without_spark_details(text) == said

"""The text of magics: which cells they begin, and the contents of a `%sql` cell."""

import pytest

from lakelocal.kernel.magics import as_cell_magic, as_lines
from lakelocal.sql.cells import split_statements


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%sql\nSELECT 1\n", "%%sql\nSELECT 1\n"),
        ("\n%sql SELECT 1\nFROM t\n", "%%sql\nSELECT 1\nFROM t\n"),
        ("%md # Title\n", "%%md\n# Title\n"),
        ("%sh\nls\n", "%%sh\nls\n"),
        ("%python\nx = 1\n", "x = 1\n"),
        ("%scala\nval x = 1\n", "%%scala\nval x = 1\n"),
        ("%run ./other\n", "%run ./other\n"),
        ("%fs ls /Volumes\n", "%fs ls /Volumes\n"),
        ("%sqlite\nx\n", "%sqlite\nx\n"),
        ("%%sql\nSELECT 1\n", "%%sql\nSELECT 1\n"),
        ("x = 1\n%sql SELECT 1\n", "x = 1\n%sql SELECT 1\n"),
        ("%sql\n", "%sql\n"),
        ("\n", "\n"),
    ],
)
def test_a_magic_of_databricks_heads_its_whole_cell(cell, expected):
    """Databricks writes one `%`, IPython two; everything else is unchanged."""
    assert "".join(as_cell_magic(cell.splitlines(keepends=True))) == expected


def test_a_cell_is_split_at_its_line_ends_only():
    """IPython also splits it at form feeds and others, and would take a magic there for one."""
    cell = "%md a\u2028b\nx = 'c\f%time'\r\n"

    assert as_lines(cell.splitlines(keepends=True)) == ["%md a\u2028b\n", "x = 'c\f%time'\r\n"]


def texts(cell: str) -> list[str]:
    return [statement.text for statement in split_statements(cell)]


def test_statements_end_at_semicolons_that_are_sql():
    """Those in strings and comments are text."""
    cell = "SELECT ';' AS a; -- not; here\nSELECT 2 /* nor; here */;\n\n-- nothing after\n"

    assert texts(cell) == ["SELECT ';' AS a", "-- not; here\nSELECT 2 /* nor; here */"]


def test_comments_alone_are_no_statement():
    """An empty cell has nothing to run."""
    assert texts("-- a\n/* b; */ ;;\n") == []


def test_a_script_stays_whole():
    """Its semicolons belong to it, but for the one that ends it: another statement may follow."""
    script = "BEGIN\n  DECLARE x INT = 1;\n  SELECT x;\nEND"

    assert texts(f"{script};") == [script]
    assert texts(f"{script};\nSELECT 2") == [script, "SELECT 2"]


def test_a_text_that_is_no_sql_goes_to_spark_as_it_is():
    """Spark's own error says what is wrong."""
    assert texts("SELECT 'open") == ["SELECT 'open"]


def test_markers_become_string_literals():
    """All widget values are strings; quotes and backslashes are preserved."""
    widgets = {"n": "7", "who": "O'Neil \\ co"}
    (statement,) = split_statements("  SELECT :n AS n WHERE name = :who AND f(:n)")

    assert statement.filled(widgets.__getitem__) == (r"SELECT '7' AS n WHERE name = 'O\'Neil \\ co' AND f('7')")


@pytest.mark.parametrize(
    "text", ["SELECT ':n'", "SELECT raw:n", "SELECT a::int", "SELECT 1 -- :n", 'SELECT `:n`, ":n"']
)
def test_a_colon_elsewhere_is_no_marker(text):
    """JSON paths, casts, strings, names and comments contain colons too."""
    (statement,) = split_statements(text)

    assert statement.markers == ()


def test_each_statement_has_its_own_markers():
    """Positions count from the statement, not from the cell."""
    first, second = split_statements("SELECT 1;\n  SELECT :b")

    assert (first.markers, second.filled(lambda name: name.upper())) == ((), "SELECT 'B'")

"""Widgets in SQL cells: the statements that create them, and the forms that read them."""

import pytest

from lakelocal.errors import DbutilsError, DialectError
from lakelocal.kernel.dbutils.widgets import Widgets
from lakelocal.sql.cells import split_statements
from lakelocal.sql.widgets import WidgetStatement, widget_statement

CHOICES = "SELECT * FROM (VALUES ('CA'), ('IL'))"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE WIDGET TEXT day DEFAULT '2026-01-31'", WidgetStatement("TEXT", "day", "2026-01-31")),
        ('create widget text day default ""', WidgetStatement("TEXT", "day", "")),
        (
            f"CREATE WIDGET DROPDOWN state DEFAULT 'CA' CHOICES {CHOICES}",
            WidgetStatement("DROPDOWN", "state", "CA", CHOICES),
        ),
        ("CREATE WIDGET COMBOBOX s DEFAULT 'x'\nCHOICES SELECT 1", WidgetStatement("COMBOBOX", "s", "x", "SELECT 1")),
        ("REMOVE WIDGET day", WidgetStatement("REMOVE", "day")),
        ("CREATE TABLE widget (text STRING)", None),
        ("SELECT 'CREATE WIDGET TEXT a'", None),
        ("SELECT 'open", None),
        ("-- only a comment", None),
    ],
)
def test_the_statements_of_widgets(text: str, expected: WidgetStatement | None) -> None:
    """Spark knows none of them, so they must not reach it; all others must."""
    assert widget_statement(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "CREATE WIDGET TEXT day",
        "CREATE WIDGET day DEFAULT 'x'",
        "CREATE WIDGET TEXT day DEFAULT 'x' CHOICES SELECT 1",
        "CREATE WIDGET TEXT day DEFAULT 'x' more",
        "CREATE WIDGET DROPDOWN day DEFAULT 'x'",
        "CREATE WIDGET DROPDOWN day DEFAULT 'x' CHOICES",
        "REMOVE WIDGET",
        "REMOVE WIDGET a b",
    ],
)
def test_half_a_statement_is_refused_with_the_whole_one(text: str) -> None:
    """Spark would only say that it cannot be parsed."""
    with pytest.raises(DialectError, match=r"expected `CREATE WIDGET TEXT\|DROPDOWN"):
        widget_statement(text)


def test_a_given_value_wins_over_the_default_of_the_statement() -> None:
    """As with `dbutils.widgets.text`; the choices are those of the query."""
    widgets = Widgets({"day": "given"})
    asked = []

    for text in ("CREATE WIDGET TEXT day DEFAULT 'own'", f"CREATE WIDGET DROPDOWN s DEFAULT 'IL' CHOICES {CHOICES}"):
        widget_statement(text).apply(widgets, lambda query: asked.append(query) or ["CA", "IL"])

    assert widgets.getAll() == {"day": "given", "s": "IL"}
    assert asked == [CHOICES]
    with pytest.raises(DbutilsError, match="found the default `X`; expected one of `CA`"):
        widget_statement("CREATE WIDGET DROPDOWN t DEFAULT 'X' CHOICES SELECT 1").apply(widgets, lambda query: ["CA"])
    widget_statement("REMOVE WIDGET s").apply(widgets, lambda query: [])
    assert widgets.getAll() == {"day": "given"}


VALUES = {"day": "it's", "table": "gold.daily", "n": "7"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT :day", r"SELECT 'it\'s'"),
        ("SELECT getArgument(\"n\"), GETARGUMENT( 'day' )", r"SELECT '7', 'it\'s'"),
        ("SELECT * FROM ${table} WHERE a < ${n}", "SELECT * FROM gold.daily WHERE a < 7"),
        ("SELECT '${n} rows', :n, ${unknown}", "SELECT '7 rows', '7', ${unknown}"),
        ("SELECT ${spark.sql.warehouse.dir}, '$n', $n", "SELECT ${spark.sql.warehouse.dir}, '$n', $n"),
        ("SELECT 1 WHERE 1<=:n AND 2>=:n OR 3<>:n", "SELECT 1 WHERE 1<='7' AND 2>='7' OR 3<>'7'"),
        ("VACUUM t RETAIN :n HOURS", "VACUUM t RETAIN '7' HOURS"),
        ("SHOW TABLES IN IDENTIFIER(:`table`)", "SHOW TABLES IN IDENTIFIER('gold.daily')"),
        ("SELECT :'n', :7, a::int, '{}':n, b[0]:n", "SELECT :'n', :7, a::int, '{}':n, b[0]:n"),
        ("SELECT ':n', getArgument(n), map(1, 2):n", "SELECT ':n', getArgument(n), map(1, 2):n"),
    ],
)
def test_each_form_takes_the_widgets_value(text: str, expected: str) -> None:
    """Markers become literals, the older form text; if there is no such widget, `${...}` is left to Spark."""
    (statement,) = split_statements(text)

    assert statement.filled(VALUES.__getitem__, known=VALUES.__contains__) == expected
